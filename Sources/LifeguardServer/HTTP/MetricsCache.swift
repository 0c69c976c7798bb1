import LifeguardAgent
import LifeguardCore
import Synchronization

/// The text of `/metrics`, made once for all who ask at the same time.
///
/// Fifty scrapers a second would otherwise copy and write the same thousand lines fifty times.
final class MetricsCache: Sendable {
  /// Shorter than a turn: a command's effect shows at once enough.
  private static let life: Duration = .milliseconds(100)

  private struct Entry {
    var bytes: [UInt8]
    var madeAt: ContinuousClock.Instant
  }

  private let entries = Mutex<[ExpositionFormat: Entry]>([:])

  func text(_ format: ExpositionFormat, of agent: Agent) async -> [UInt8] {
    let now = ContinuousClock.now
    let known = entries.withLock { $0[format] }
    if let known, now - known.madeAt < MetricsCache.life { return known.bytes }
    let bytes = await agent.metricsReport.text(format)
    entries.withLock { $0[format] = Entry(bytes: bytes, madeAt: now) }
    return bytes
  }
}
