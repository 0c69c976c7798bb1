import Glibc

/// Tells systemd how the service is (sd_notify(3)): one datagram to `$NOTIFY_SOCKET`.
struct ServiceNotification: Sendable {
  /// nil when nobody wants to know.
  private let path: String?
  /// How often systemd wants a sign of life, halved; nil when it does not.
  let watchdogPeriod: Duration?

  init(
    socket: String? = Places.environment("NOTIFY_SOCKET"),
    watchdogMicroseconds: String? = Places.environment("WATCHDOG_USEC")
  ) {
    path = socket
    watchdogPeriod = watchdogMicroseconds.flatMap { Int64($0) }.flatMap {
      $0 > 0 ? .microseconds($0 / 2) : nil
    }
  }

  func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }
  func stopping() { send("STOPPING=1") }
  func alive() { send("WATCHDOG=1") }

  func reloading() {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    send("RELOADING=1\nMONOTONIC_USEC=\(time.tv_sec * 1_000_000 + time.tv_nsec / 1000)")
  }

  private func send(_ message: String) {
    guard let path, let first = path.utf8.first else { return }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8)
    // An abstract name begins with a zero byte, written as @ (unix(7)).
    if first == UInt8(ascii: "@") { bytes[0] = 0 }
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let socket = Glibc.socket(
      AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard socket >= 0 else { return }
    defer { close(socket) }
    let text = Array(message.utf8)
    let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = sendto(socket, text, text.count, Int32(MSG_NOSIGNAL), $0, length)
      }
    }
  }
}
