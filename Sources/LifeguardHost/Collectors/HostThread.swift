import CLinux

/// Starts operating-system threads of our own.
///
/// The cooperative pool of Swift must not run what can block: it has as many threads as CPUs, and
/// one read from a dead file server would take one of them for good.
enum HostThread {
  private final class Box {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }

  /// Runs `body` on a new detached thread with a small stack.
  ///
  /// - Throws: `unavailable` when the system refuses another thread (EAGAIN).
  static func start(
    _ name: String, stackBytes: Int = 256 * 1024, _ body: @escaping @Sendable () -> Void
  ) throws(CollectorError) {
    let context = Unmanaged.passRetained(Box(body)).toOpaque()
    let error = clinux_thread_start(
      name, stackBytes,
      { context in
        guard let context else { return }
        Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
      }, context)
    guard error < 0 else { return }
    Unmanaged<Box>.fromOpaque(context).release()
    throw .unavailable(path: "thread \(name)", errno: -error)
  }
}
