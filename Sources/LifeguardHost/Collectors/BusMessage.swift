/// Writes values in D-Bus' form, little-endian: each aligned to its own size.
struct BusWriter {
  private(set) var bytes: [UInt8] = []

  mutating func align(_ size: Int) {
    while bytes.count % size != 0 { bytes.append(0) }
  }

  mutating func append(bytes more: [UInt8]) { bytes += more }

  mutating func append(_ number: UInt32) {
    align(4)
    withUnsafeBytes(of: number.littleEndian) { bytes += Array($0) }
  }

  mutating func append(string: String) {
    append(UInt32(string.utf8.count))
    bytes += Array(string.utf8) + [0]
  }

  /// A header field whose value is a string or an object path.
  mutating func append(field code: UInt8, _ type: Character, _ value: String) {
    align(8)
    bytes += [code, 1] + Array(String(type).utf8) + [0]
    append(string: value)
  }

  /// The header field that says what the body consists of.
  mutating func append(signature code: UInt8, _ value: String) {
    align(8)
    bytes += [code, 1, UInt8(ascii: "g"), 0, UInt8(value.utf8.count)] + Array(value.utf8) + [0]
  }
}

/// Reads values in D-Bus' form; every method returns `nil` at the end of what there is.
struct BusReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position >= bytes.count }

  mutating func skip(_ count: Int) { position = min(bytes.count, position + count) }

  mutating func align(_ size: Int) { skip((size - position % size) % size) }

  mutating func byte() -> UInt8? {
    guard position < bytes.count else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func number() -> UInt32? {
    align(4)
    guard position + 4 <= bytes.count else { return nil }
    var value: UInt32 = 0
    for offset in 0..<4 { value |= UInt32(bytes[position + offset]) << UInt32(8 * offset) }
    position += 4
    return value
  }

  mutating func string() -> String? {
    guard let count = number(), position + Int(count) < bytes.count else { return nil }
    defer { position += Int(count) + 1 }
    return String(decoding: bytes[position..<(position + Int(count))], as: UTF8.self)
  }

  mutating func signature() -> String? {
    guard let count = byte(), position + Int(count) < bytes.count else { return nil }
    defer { position += Int(count) + 1 }
    return String(decoding: bytes[position..<(position + Int(count))], as: UTF8.self)
  }

  /// A variant that holds a string.
  mutating func variantString() -> String? {
    guard signature() == "s" else { return nil }
    return string()
  }

  /// Field 5 of a message's head: which call it answers.
  func replySerial() -> UInt32? {
    var reader = self
    while !reader.isAtEnd {
      reader.align(8)
      guard let code = reader.byte(), let type = reader.signature() else { return nil }
      switch type {
      case "u":
        guard let value = reader.number() else { return nil }
        if code == 5 { return value }
      case "s", "o": guard reader.string() != nil else { return nil }
      case "g": guard reader.signature() != nil else { return nil }
      default: return nil
      }
    }
    return nil
  }
}
