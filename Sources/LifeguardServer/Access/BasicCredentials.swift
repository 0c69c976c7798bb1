import LifeguardConfiguration
import LifeguardCore

/// A name and a password as a client sends them (RFC 7617).
struct BasicCredentials: Equatable, Sendable {
  var name: String
  var password: String

  /// Reads what follows `Basic`; nil when it is nothing of the kind.
  init?(_ text: String) {
    guard let bytes = Self.decoded(text),
      let colon = bytes.firstIndex(of: UInt8(ascii: ":"))
    else { return nil }
    name = String(decoding: bytes[..<colon], as: UTF8.self)
    password = String(decoding: bytes[(colon + 1)...], as: UTF8.self)
  }

  /// The caller that they prove; nil when no user has both.
  ///
  /// Every user is compared in full, so that the time tells nothing about which part was right.
  func caller(among users: [HTTPUser]) -> Caller? {
    var found: Caller?
    for user in users {
      let hasName = SecretText.areEqual(user.name, name)
      let hasPassword = SecretText.areEqual(user.password.revealed, password)
      if hasName, hasPassword { found = Caller(name: user.name, right: Self.right(user.right)) }
    }
    return found
  }

  private static func right(_ right: HTTPUser.Right) -> Caller.Right {
    switch right {
    case .read: .read
    case .write: .write
    case .act: .act
    }
  }

  /// Base64 with the alphabet of RFC 4648, section 4; padding may be missing.
  private static func decoded(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    var rest = Substring(text)
    while rest.last == "=" { rest.removeLast() }
    for byte in rest.utf8 {
      let value: UInt8
      switch byte {
      case 0x41...0x5A: value = byte - 0x41
      case 0x61...0x7A: value = byte - 0x61 + 26
      case 0x30...0x39: value = byte - 0x30 + 52
      case UInt8(ascii: "+"): value = 62
      case UInt8(ascii: "/"): value = 63
      default: return nil
      }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return bytes
  }
}
