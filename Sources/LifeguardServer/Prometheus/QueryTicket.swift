import LifeguardCore
import Synchronization

/// One query's right to run: until its deadline, and while somebody waits for its answer.
final class QueryTicket: Sendable {
  private struct State {
    var isRunning = false
    var isCanceled = false
  }

  let deadline: ContinuousClock.Instant
  private let state = Mutex(State())

  init(deadline: ContinuousClock.Instant) { self.deadline = deadline }

  /// Leaves the queue; false when there is nobody any more who waits, or no time left.
  func begin() -> Bool {
    state.withLock { state in
      guard !state.isCanceled, ContinuousClock.now < deadline else { return false }
      state.isRunning = true
      return true
    }
  }

  /// The client has gone.
  func cancel() { state.withLock { $0.isCanceled = true } }

  /// For `QueryOptions.interruption`.
  var interruption: QueryInterruption? {
    if state.withLock({ $0.isCanceled }) { return .canceled }
    return ContinuousClock.now >= deadline ? .timedOut : nil
  }

  /// What a client is told when the time is up, in Prometheus' words.
  var timeoutMessage: String {
    let isRunning = state.withLock { $0.isRunning }
    return isRunning ? "query timed out in expression evaluation" : QueryTicket.queueTimeout
  }

  static let queueTimeout = "query timed out in query queue"
}
