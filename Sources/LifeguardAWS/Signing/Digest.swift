/// The functions that signing is made of.
enum Digest {
  static func sha256(_ bytes: [UInt8]) -> [UInt8] { SHA256.digest(bytes) }

  /// HMAC-SHA-256 (RFC 2104).
  static func hmac(_ key: [UInt8], _ text: String) -> [UInt8] {
    var block = key.count > SHA256.blockSize ? SHA256.digest(key) : key
    block += [UInt8](repeating: 0, count: SHA256.blockSize - block.count)
    let inner = SHA256.digest(block.map { $0 ^ 0x36 } + Array(text.utf8))
    return SHA256.digest(block.map { $0 ^ 0x5c } + inner)
  }

  /// Two lower-case digits a byte.
  static func hexadecimal(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count * 2)
    for byte in bytes {
      text.append(digit(byte >> 4))
      text.append(digit(byte & 15))
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? 0x30 + value : 0x61 + value - 10
  }
}
