import Glibc

/// Signals as orders: blocked in every thread, taken by the main thread one after the other.
enum Signals {
  private static var all: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for number in [SIGHUP, SIGINT, SIGTERM] { sigaddset(&set, number) }
    return set
  }

  /// Call this before any other thread exists: threads inherit what is blocked.
  static func block() {
    signal(SIGPIPE, SIG_IGN)
    var set = all
    pthread_sigmask(SIG_BLOCK, &set, nil)
  }

  /// Waits for the next one; nil when none came within the limit.
  static func next(withinSeconds limit: Int? = nil) -> Int32? {
    var set = all
    guard let limit else {
      var number: Int32 = 0
      return sigwait(&set, &number) == 0 ? number : nil
    }
    var time = timespec(tv_sec: limit, tv_nsec: 0)
    let number = sigtimedwait(&set, nil, &time)
    return number > 0 ? number : nil
  }
}
