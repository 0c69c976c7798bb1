import CLinux
import Glibc

/// An eventfd: one thread signals, another waits for it with a deadline; closed with its last user.
final class EventDescriptor: Sendable {
  let number: Int32

  /// - Throws: `unavailable` when the process has no descriptor left (EMFILE).
  init() throws(CollectorError) {
    let opened = clinux_event_open()
    guard opened >= 0 else { throw .unavailable(path: "eventfd", errno: -opened) }
    number = opened
  }

  deinit { close(number) }

  func signal() { _ = clinux_event_signal(number) }

  /// Takes the signals that have come; false when there was none.
  @discardableResult
  func take() -> Bool { clinux_event_take(number) > 0 }

  /// Waits until signalled; false when `milliseconds` pass without (-1: wait for ever).
  func wait(milliseconds: Int32) -> Bool {
    let ready = clinux_wait_two(number, -1, milliseconds)
    return ready > 0 && take()
  }
}
