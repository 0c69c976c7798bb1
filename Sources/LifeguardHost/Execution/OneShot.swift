import Synchronization

/// A value that is set once, from any thread, and awaited once.
///
/// The first of several ends (result, timeout, cancellation) wins; later ones are ignored.
public final class OneShot<Value: Sendable>: Sendable {
  private enum State {
    case empty
    case waiting(CheckedContinuation<Value, Never>)
    case full(Value)
  }

  private let state = Mutex(State.empty)

  public init() {}

  /// Sets the value; false when it was set before.
  @discardableResult
  public func finish(_ value: Value) -> Bool {
    let (waiter, first): (CheckedContinuation<Value, Never>?, Bool) = state.withLock { state in
      switch state {
      case .full: return (nil, false)
      case .empty:
        state = .full(value)
        return (nil, true)
      case .waiting(let continuation):
        state = .full(value)
        return (continuation, true)
      }
    }
    waiter?.resume(returning: value)
    return first
  }

  /// Awaits the value; to be read by one task only.
  public var value: Value {
    get async {
      await withCheckedContinuation { continuation in
        let ready: Value? = state.withLock { state in
          if case .full(let value) = state { return value }
          state = .waiting(continuation)
          return nil
        }
        if let ready { continuation.resume(returning: ready) }
      }
    }
  }
}
