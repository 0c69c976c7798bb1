import LifeguardCore
import Synchronization

/// Hands timeline entries to whoever listens: the terminal, `/api/v1/events`, tests.
///
/// A listener that is too slow loses the oldest entries; it never holds the agent up.
public final class EventFeed: Sendable {
  private let listeners = Mutex<[UInt64: AsyncStream<TimelineEntry>.Continuation]>([:])
  private let next = Mutex<UInt64>(0)

  public init() {}

  /// What happens from now on, until the stream is dropped.
  public func subscribe() -> AsyncStream<TimelineEntry> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: TimelineEntry.self, bufferingPolicy: .bufferingNewest(256))
    let number = next.withLock { number in
      number += 1
      return number
    }
    listeners.withLock { $0[number] = continuation }
    continuation.onTermination = { [weak self] _ in
      self?.listeners.withLock { _ = $0.removeValue(forKey: number) }
    }
    return stream
  }

  func publish(_ entry: TimelineEntry) {
    for listener in listeners.withLock({ Array($0.values) }) { listener.yield(entry) }
  }

  /// Ends every stream.
  public func finish() {
    for listener in listeners.withLock({ Array($0.values) }) { listener.finish() }
  }
}
