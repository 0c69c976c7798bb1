/// The parts of an `http:` URL that a probe needs (RFC 3986).
struct ProbeURL: Hashable, Sendable {
  var host: String
  var port: Int
  /// Path and query as sent in the request line; never empty.
  var target: String
  /// As sent in `Host`: with the port unless it is the default.
  var authority: String

  /// nil for anything but `http://host[:port][/path][?query]`; a fragment is dropped.
  init?(_ text: String) {
    guard text.lowercased().hasPrefix("http://") else { return nil }
    let rest = text.dropFirst("http://".count).prefix { $0 != "#" }
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let path = rest[authority.endIndex...]
    // Control characters would let a URL write headers of its own.
    let isClean = text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
    guard !authority.isEmpty, !authority.contains("@"), isClean else { return nil }
    guard let (host, port) = HostAndPort.split(authority, defaultPort: 80) else { return nil }
    self.host = host
    self.port = port
    self.authority = port == 80 ? String(authority).replacingPort() : String(authority)
    target = path.isEmpty ? "/" : path.hasPrefix("?") ? "/\(path)" : String(path)
  }
}

/// `host:port`, `[2001:db8::1]:port`, or a host alone.
enum HostAndPort {
  static func split(_ text: Substring, defaultPort: Int) -> (host: String, port: Int)? {
    var host = text
    var port = defaultPort
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      if !rest.isEmpty {
        guard rest.hasPrefix(":"), let number = Int(rest.dropFirst()) else { return nil }
        port = number
      }
    } else if let colon = text.lastIndex(of: ":") {
      guard let number = Int(text[text.index(after: colon)...]) else { return nil }
      host = text[..<colon]
      port = number
    }
    guard !host.isEmpty, (1...65535).contains(port) else { return nil }
    return (String(host), port)
  }
}

extension String {
  /// An authority without its `:80`.
  fileprivate func replacingPort() -> String {
    hasSuffix(":80") ? String(dropLast(3)) : self
  }
}
