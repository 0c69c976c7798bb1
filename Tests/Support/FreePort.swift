import Glibc

/// Ports on the loopback interface.
public enum FreePort {
  /// A TCP port on 127.0.0.1 that nobody listens on at this moment.
  ///
  /// For programs that cannot bind port 0 and tell what they got; where a program can, let it. The
  /// kernel hands out ephemeral ports in a random order, so a clash between two calls is unlikely.
  public static func tcp() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0)
    guard descriptor >= 0 else { throw SystemCallError("socket", "tcp") }
    defer { close(descriptor) }
    var address = loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withSocketAddress(&address) { bind(descriptor, $0, length) }
    guard bound == 0 else { throw SystemCallError("bind", "127.0.0.1:0") }
    let named = withSocketAddress(&address) { getsockname(descriptor, $0, &length) }
    guard named == 0 else { throw SystemCallError("getsockname", "127.0.0.1:0") }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  /// Whether something accepts a TCP connection on 127.0.0.1 at this port.
  public static func answers(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = loopback(port: port)
    let length = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withSocketAddress(&address) { connect(descriptor, $0, length) } == 0
  }

  static func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  static func withSocketAddress<Result>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
  ) -> Result {
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
    }
  }
}

/// `SOCK_CLOEXEC`, which Swift imports as a case of an enumeration (socket(2)).
let closeOnExec = Int32(bitPattern: SOCK_CLOEXEC.rawValue)
