import CLinux
import Glibc

/// A thread of our own, for work that would block the cooperative pool.
public enum Thread {
  /// Starts a detached thread with every signal blocked, so that signals go to the main thread.
  ///
  /// - Parameter stackBytes: deep enough for everything here; the default of the C library, 8 MiB,
  ///   only costs address space.
  public static func start(
    name: String, stackBytes: Int = 512 * 1024, body: @escaping @Sendable () -> Void
  ) throws(SystemCallError) {
    let box = Unmanaged.passRetained(Body(name: name, run: body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, stackBytes)
    var thread = pthread_t()
    let code = pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument else { return nil }
        let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
        clinux_block_signals()
        _ = clinux_set_thread_name(body.name)
        body.run()
        return nil
      }, box.toOpaque())
    guard code == 0 else {
      box.release()
      throw SystemCallError(call: "pthread_create", subject: name, code: code)
    }
  }

  private final class Body: Sendable {
    let name: String
    let run: @Sendable () -> Void

    init(name: String, run: @escaping @Sendable () -> Void) {
      self.name = name
      self.run = run
    }
  }
}
