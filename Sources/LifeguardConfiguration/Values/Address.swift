/// `host:port`, with an IPv6 address in brackets.
struct Address {
  var host: String
  var port: Int

  static func parse(_ text: String) -> Result<Address, ValueFault> {
    let host: Substring
    let port: Substring
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]"), text[end...].hasPrefix("]:") else {
        return .failure(ValueFault("write [::1]:9911"))
      }
      host = text[text.index(after: text.startIndex)..<end]
      port = text[end...].dropFirst(2)
      guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || ":.%".contains($0) }) else {
        return .failure(ValueFault("what stands in brackets must be an IPv6 address"))
      }
    } else {
      guard let colon = text.lastIndex(of: ":") else {
        return .failure(
          ValueFault(Int(text) != nil ? "write 127.0.0.1:\(text)" : "write host:port"))
      }
      host = text[..<colon]
      port = text[text.index(after: colon)...]
      guard !host.contains(":") else {
        return .failure(ValueFault("write an IPv6 address in brackets: [\(host)]:\(port)"))
      }
      guard host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-._*".contains($0)) })
      else { return .failure(ValueFault("write host:port")) }
    }
    guard port.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(port),
      (0...65_535).contains(number)
    else { return .failure(ValueFault("a port is a number from 0 to 65535")) }
    return .success(Address(host: String(host), port: number))
  }

  /// Whether only this machine can reach it.
  var isLoopback: Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}
