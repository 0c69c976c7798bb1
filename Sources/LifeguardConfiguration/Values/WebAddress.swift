/// The parts of a URL that a configuration is checked for (RFC 3986, 3).
struct WebAddress {
  var scheme: String
  var userinfo: String?
  var host: String
  var port: Int?

  static func parse(_ text: String, schemes: [String]) -> Result<WebAddress, ValueFault> {
    let form = schemes.map { $0 + "://host" }.joined(separator: " or ")
    guard let separator = text.range(ofText: "://") else {
      return .failure(ValueFault("write \(form)"))
    }
    let scheme = text[..<separator.lowerBound].lowercased()
    guard schemes.contains(scheme) else {
      return .failure(ValueFault("write \(form)"))
    }
    guard text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F }) else {
      return .failure(ValueFault("a space is written %20 in a URL"))
    }
    let authority = text[separator.upperBound...].prefix { !"/?#".contains($0) }
    let parts = authority.split(separator: "@", omittingEmptySubsequences: false)
    let place = String(parts.last ?? "")
    var host = place
    var port: Int?
    if place.hasPrefix("[") ? place.contains("]:") : place.contains(":") {
      guard case .success(let address) = Address.parse(place), address.port > 0 else {
        return .failure(ValueFault("write the host and port as host:port or [::1]:port"))
      }
      host = address.host
      port = address.port
    }
    guard !host.isEmpty else { return .failure(ValueFault("the host is missing")) }
    let userinfo = parts.dropLast().joined(separator: "@")
    return .success(
      WebAddress(
        scheme: scheme, userinfo: parts.count > 1 ? userinfo : nil, host: host, port: port))
  }
}

extension StringProtocol {
  /// The first place of another text in this one.
  func range(ofText other: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(other) { return start..<index(start, offsetBy: other.count) }
      start = index(after: start)
    }
    return nil
  }

  /// Without spaces and line ends at both ends.
  var trimmed: String {
    var rest = self[...].drop { $0.isWhitespace }
    while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
    return String(rest)
  }
}
