import LifeguardHost
import Synchronization

/// For the synchronous main: waits for something asynchronous before there is an agent.
final class Blocking<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)
  private let done = Semaphore()

  /// nil when it has not come within the limit.
  static func wait(seconds: Int, for body: @escaping @Sendable () async -> Value) -> Value? {
    let blocking = Blocking()
    Task.detached {  // why: main has no task to be a child of
      let value = await body()
      blocking.value.withLock { $0 = value }
      blocking.done.signal()
    }
    guard blocking.done.wait(seconds: seconds) else { return nil }
    return blocking.value.withLock { $0 }
  }
}
