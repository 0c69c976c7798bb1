import CLinux

/// A listening TCP socket with the connections that wait to be accepted.
public struct ListenQueue: Hashable, Sendable {
  public var port: Int
  public var waiting: Int
  public var limit: Int
  /// Finds the socket's owner in `/proc/PID/fd`.
  public var inode: UInt32

  /// The kernel drops new connections when more than the limit wait.
  public var isFull: Bool { waiting > limit }

  /// The listening sockets of this host, by sock_diag(7); empty where that is not allowed.
  public static func all() -> [ListenQueue] {
    let capacity = 4096
    var queues = [clinux_listen_queue](repeating: clinux_listen_queue(), count: capacity)
    let count = clinux_listen_queues(&queues, capacity)
    guard count > 0 else { return [] }
    return queues[..<Int(count)].map {
      ListenQueue(
        port: Int($0.port), waiting: Int($0.waiting), limit: Int($0.limit), inode: $0.inode)
    }
  }
}
