import LifeguardCore
import Synchronization

/// When the last turn was taken, for whoever asks whether turns are still taken.
///
/// It answers without the agent: one whose thread hangs would answer nobody, and must be found.
final class Pulse: Sendable {
  private let start: Moment
  private let limit: Duration
  private let last = Mutex<Moment?>(nil)

  /// - Parameter interval: from one turn to the next.
  init(start: Moment, interval: Duration) {
    self.start = start
    limit = max(interval * 10, .seconds(10))
  }

  /// For the first turn, which waits for the collectors.
  private static let startLimit: Duration = .seconds(30)

  var lastTurn: Moment? { last.withLock { $0 } }

  func beat(at moment: Moment) { last.withLock { $0 = moment } }

  /// Whether a turn was taken within the last ten intervals, at least 10 s.
  func isAlive(at now: Moment) -> Bool {
    guard let last = lastTurn else { return now.elapsed(since: start) < Pulse.startLimit }
    return now.elapsed(since: last) < limit
  }
}
