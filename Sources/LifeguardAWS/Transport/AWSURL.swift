/// An address of a service: `https://sns.eu-west-1.amazonaws.com/`.
public struct AWSURL: Hashable, Sendable, CustomStringConvertible {
  /// `https` or `http`, in lower case.
  public var scheme: String
  /// A name or an address; an IPv6 address stands in brackets.
  public var host: String
  /// Nil for the scheme's own.
  public var port: Int?
  /// Percent-encoded, with its leading slash.
  public var path: String
  /// Percent-encoded, without the question mark.
  public var query: String?

  /// An address from its parts.
  public init(
    scheme: String = "https", host: String, port: Int? = nil, path: String = "/",
    query: String? = nil
  ) {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.path = path.hasPrefix("/") ? path : "/" + path
    self.query = query
  }

  /// Reads `scheme://host[:port][/path][?query]`; nil for anything else, for user names and for
  /// characters that have no place in an address.
  public init?(_ text: String) {
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
      let mark = text.firstRange(of: "://")
    else { return nil }
    let scheme = text[..<mark.lowerBound].lowercased()
    guard scheme == "http" || scheme == "https" else { return nil }
    let rest = text[mark.upperBound...].prefix { $0 != "#" }
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    let tail = rest[authority.endIndex...]
    guard let (host, port) = Self.hostAndPort(authority) else { return nil }
    let path = tail.prefix { $0 != "?" }
    let query = tail[path.endIndex...].dropFirst()
    self.init(
      scheme: scheme, host: host, port: port, path: path.isEmpty ? "/" : String(path),
      query: path.endIndex == tail.endIndex ? nil : String(query))
  }

  private static func hostAndPort(_ authority: Substring) -> (String, Int?)? {
    var host = authority
    var port: Int?
    let afterBracket = authority.lastIndex(of: "]") ?? authority.startIndex
    if let colon = authority[afterBracket...].lastIndex(of: ":") {
      guard let number = Int(authority[authority.index(after: colon)...]),
        (1...65_535).contains(number)
      else { return nil }
      port = number
      host = authority[..<colon]
    }
    let isBracketed = host.first == "[" && host.last == "]"
    let inner = isBracketed ? host.dropFirst().dropLast() : host
    let permitted: (UInt8) -> Bool = { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"):
        true
      case UInt8(ascii: ":"): isBracketed
      default: false
      }
    }
    guard !inner.isEmpty, inner.utf8.allSatisfy(permitted) else { return nil }
    return (host.lowercased(), port)
  }

  /// Host and, where it is not the scheme's own, port: the value of the `Host` header.
  public var authority: String {
    guard let port, port != (scheme == "https" ? 443 : 80) else { return host }
    return "\(host):\(port)"
  }

  /// The whole address.
  public var description: String {
    "\(scheme)://\(authority)\(path)" + (query.map { "?\($0)" } ?? "")
  }
}
