/// Which names this server answers to.
///
/// A page of somebody else can point its own name at 127.0.0.1 (DNS rebinding); the browser then
/// sends that name as `Host`, and it is refused here.
struct HostNames: Sendable {
  /// As configured.
  var host: String
  /// The machine's own name, taken as well when every address is listened on.
  var machine: String
  /// What `http.allowed_hosts` names, in lower case.
  var allowed: [String] = []

  /// Whether a `Host` header's value, with or without port, names this server.
  func accept(_ authority: String) -> Bool {
    let name = HostNames.name(of: authority).lowercased()
    if HostNames.isLoopback(name) || name == host.lowercased() || allowed.contains(name) {
      return true
    }
    guard ["0.0.0.0", "::", "*", ""].contains(host) else { return false }
    return name == machine.lowercased() || HostNames.isAddress(name)
  }

  /// The name without port and brackets.
  static func name(of authority: String) -> String {
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { return authority }
      return String(authority[authority.index(after: authority.startIndex)..<end])
    }
    let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
    return parts.count == 2 ? String(parts[0]) : authority
  }

  static func isLoopback(_ name: String) -> Bool {
    if name == "localhost" || name == "::1" { return true }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// Whether a name is an IP address, which no DNS server can point elsewhere.
  static func isAddress(_ name: String) -> Bool {
    if name.contains(":") { return name.allSatisfy { $0.isHexDigit || ":.%".contains($0) } }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
  }
}
