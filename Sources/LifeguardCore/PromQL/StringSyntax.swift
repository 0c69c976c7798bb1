/// String literals: Go's escapes in single or double quotes, none in backquotes.
enum StringSyntax {
  /// The text of a literal that the lexer has accepted, and whether its bytes are UTF-8.
  static func unquoted(_ source: String) -> (value: String, isValid: Bool) {
    let bytes = Array(source.utf8.dropFirst().dropLast())
    if source.utf8.first == UInt8(ascii: "`") {
      return (String(decoding: bytes.filter { $0 != 13 }, as: UTF8.self), true)
    }
    guard bytes.contains(UInt8(ascii: "\\")) else {
      return (String(decoding: bytes, as: UTF8.self), true)
    }
    var result: [UInt8] = []
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\\"), position < bytes.count {
        appendEscape(bytes, &position, to: &result)
      } else {
        result.append(byte)
      }
    }
    let isValid = String(validating: result, as: UTF8.self) != nil
    return (String(decoding: result, as: UTF8.self), isValid)
  }

  private static func appendEscape(
    _ bytes: [UInt8], _ position: inout Int, to result: inout [UInt8]
  ) {
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "a"): result.append(7)
    case UInt8(ascii: "b"): result.append(8)
    case UInt8(ascii: "f"): result.append(12)
    case UInt8(ascii: "n"): result.append(10)
    case UInt8(ascii: "r"): result.append(13)
    case UInt8(ascii: "t"): result.append(9)
    case UInt8(ascii: "v"): result.append(11)
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      position -= 1
      result.append(UInt8(truncatingIfNeeded: number(bytes, &position, digits: 3, base: 8)))
    case UInt8(ascii: "x"):
      result.append(UInt8(truncatingIfNeeded: number(bytes, &position, digits: 2, base: 16)))
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      let digits = byte == UInt8(ascii: "u") ? 4 : 8
      let value = number(bytes, &position, digits: digits, base: 16)
      let scalar = Unicode.Scalar(UInt32(truncatingIfNeeded: value)) ?? "\u{FFFD}"
      result += String(Character(scalar)).utf8
    default: result.append(byte)
    }
  }

  private static func number(
    _ bytes: [UInt8], _ position: inout Int, digits: Int, base: Int
  ) -> Int {
    var value = 0
    for _ in 0..<digits where position < bytes.count {
      value = value * base + (Lexer.digit(bytes[position]) ?? 0)
      position += 1
    }
    return value
  }
}
