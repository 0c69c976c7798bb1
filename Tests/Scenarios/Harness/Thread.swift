import Glibc

/// A thread that runs one closure (pthreads(7)).
struct Thread {
  private let handle: pthread_t

  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// A thread that is not joined ends by itself and is forgotten with the test run.
  static func run(_ body: @escaping @Sendable () -> Void) -> Thread {
    var handle = pthread_t()
    let argument = Unmanaged.passRetained(Body(body)).toOpaque()
    let code = pthread_create(
      &handle, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, argument)
    precondition(code == 0, "no thread could be started")
    return Thread(handle: handle)
  }

  func join() { pthread_join(handle, nil) }

  func detach() { pthread_detach(handle) }
}
