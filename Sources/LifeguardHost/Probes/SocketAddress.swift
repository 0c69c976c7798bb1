import Glibc

/// One address to connect to, IPv4 or IPv6, with its port.
struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
  let family: Int32
  let bytes: [UInt8]
  /// `127.0.0.1:80`, `[::1]:80`.
  let description: String

  /// The addresses of a name in the order of preference; a number is never looked up.
  ///
  /// - Parameter numericOnly: answers at once, with nothing for a name.
  static func find(_ host: String, port: Int, numericOnly: Bool) -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV | (numericOnly ? AI_NUMERICHOST : 0)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "\(port)", &hints, &list) == 0 else { return [] }
    defer { freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var next = list
    while let entry = next {
      next = entry.pointee.ai_next
      if let address = SocketAddress(entry.pointee, port: port) { found.append(address) }
    }
    return found
  }

  private init?(_ entry: addrinfo, port: Int) {
    guard let address = entry.ai_addr else { return nil }
    family = entry.ai_family
    bytes = Array(UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen)))
    var text = [CChar](repeating: 0, count: 64)
    guard
      getnameinfo(
        address, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
    else { return nil }
    let host = String(
      decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    description = entry.ai_family == AF_INET6 ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  /// connect(2) on a non-blocking socket; 0 or errno.
  func connect(_ socket: Int32) -> Int32 {
    bytes.withUnsafeBytes { raw in
      guard let base = raw.baseAddress else { return EINVAL }
      let address = base.assumingMemoryBound(to: sockaddr.self)
      return Glibc.connect(socket, address, socklen_t(raw.count)) == 0 ? 0 : errno
    }
  }
}
