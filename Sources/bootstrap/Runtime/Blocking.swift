import LifeguardHost

/// Waits on the main thread, which is not one of those that carry tasks out.
enum Blocking {
  /// Runs something asynchronous to its end.
  static func wait<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) -> Value {
    let done = Semaphore()
    let box = ResultBox<Value>()
    // why: the one bridge between the synchronous loop and what takes time; the loop waits for it.
    Task.detached {
      box.set(await body())
      done.signal()
    }
    while true {
      if let value = box.value { return value }
      _ = done.wait(seconds: 3600)
    }
  }
}
