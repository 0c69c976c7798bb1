import Synchronization

/// Wakes one who waits; rings before anybody waits are not lost, and many are one.
///
/// Unlike an `AsyncStream` it survives that its waiter is cancelled.
public final class Bell: Sendable {
  private struct State {
    var isRung = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  public init() {}

  /// Wakes who waits now, or the next one who will.
  public func ring() {
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      if let waiter = state.waiter {
        state.waiter = nil
        return waiter
      }
      state.isRung = true
      return nil
    }
    waiter?.resume()
  }

  /// Returns when it has been rung since the last wait, or when the task is cancelled.
  public func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let goesOn = state.withLock { state in
          if state.isRung || Task.isCancelled {
            state.isRung = false
            return true
          }
          state.waiter = continuation
          return false
        }
        if goesOn { continuation.resume() }
      }
    } onCancel: {
      ring()
    }
  }
}
