extension JSONReader {
  /// Reads a string; the position is on its opening quote.
  mutating func string() throws(JSONError) -> String {
    let start = position + 1
    var end = start
    while end < bytes.count, bytes[end] != UInt8(ascii: "\""), bytes[end] != UInt8(ascii: "\\"),
      bytes[end] >= 0x20
    {
      end += 1
    }
    if end < bytes.count, bytes[end] == UInt8(ascii: "\"") {
      let text = try validated(UnsafeBufferPointer(rebasing: bytes[start..<end]), at: start)
      advance(to: end + 1)
      return text
    }
    return try escapedString(from: start, plainUntil: end)
  }

  /// The slow path: a string with at least one escape, or one that does not end as it should.
  private mutating func escapedString(
    from start: Int, plainUntil end: Int
  ) throws(JSONError) -> String {
    var buffer = [UInt8](bytes[start..<end])
    advance(to: end)
    while true {
      guard let byte = peek() else {
        throw failure("the string that starts here has no end", at: start - 1)
      }
      switch byte {
      case UInt8(ascii: "\""):
        advance(to: position + 1)
        let copy = buffer
        let text = String(validating: copy, as: UTF8.self)
        guard let text else { throw failure("the string is not UTF-8", at: start) }
        return text
      case UInt8(ascii: "\\"): try escape(into: &buffer)
      case 0..<0x20:
        throw failure("a control character in a string must be written as an escape")
      default:
        buffer.append(byte)
        advance(to: position + 1)
      }
    }
  }

  private func validated(
    _ slice: UnsafeBufferPointer<UInt8>, at offset: Int
  ) throws(JSONError) -> String {
    guard let text = String(validating: slice, as: UTF8.self) else {
      throw failure("the string is not UTF-8", at: offset)
    }
    return text
  }

  private mutating func escape(into buffer: inout [UInt8]) throws(JSONError) {
    let start = position
    guard start + 1 < bytes.count else { throw failure("the text ends within an escape") }
    advance(to: start + 2)
    switch bytes[start + 1] {
    case UInt8(ascii: "\""): buffer.append(UInt8(ascii: "\""))
    case UInt8(ascii: "\\"): buffer.append(UInt8(ascii: "\\"))
    case UInt8(ascii: "/"): buffer.append(UInt8(ascii: "/"))
    case UInt8(ascii: "b"): buffer.append(0x08)
    case UInt8(ascii: "f"): buffer.append(0x0C)
    case UInt8(ascii: "n"): buffer.append(0x0A)
    case UInt8(ascii: "r"): buffer.append(0x0D)
    case UInt8(ascii: "t"): buffer.append(0x09)
    case UInt8(ascii: "u"):
      let scalar = try unicodeEscape(at: start)
      for unit in UTF8.encode(scalar).unsafelyUnwrapped { buffer.append(unit) }
    default: throw failure("unknown escape", at: start)
    }
  }

  /// Reads the digits of `\uXXXX` and, for the first half of a pair, those of the second.
  private mutating func unicodeEscape(at start: Int) throws(JSONError) -> Unicode.Scalar {
    let first = try hexadecimal(at: start)
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    else { return "\u{FFFD}" }
    let pair = position
    advance(to: pair + 2)
    let second = try hexadecimal(at: pair)
    guard (0xDC00...0xDFFF).contains(second) else {
      // The second escape stands for itself: read it again after this replacement.
      advance(to: pair)
      return "\u{FFFD}"
    }
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
  }

  private mutating func hexadecimal(at start: Int) throws(JSONError) -> UInt32 {
    guard position + 4 <= bytes.count else { throw failure("\\u needs four digits", at: start) }
    var value: UInt32 = 0
    for index in position..<position + 4 {
      let digit: UInt8
      switch bytes[index] {
      case 0x30...0x39: digit = bytes[index] - 0x30
      case 0x41...0x46: digit = bytes[index] - 0x41 + 10
      case 0x61...0x66: digit = bytes[index] - 0x61 + 10
      default: throw failure("\\u needs four hexadecimal digits", at: start)
      }
      value = value << 4 | UInt32(digit)
    }
    advance(to: position + 4)
    return value
  }

  /// Reads a number; the position is on its sign or first digit.
  mutating func number() throws(JSONError) -> JSON {
    let start = position
    let negative = take(UInt8(ascii: "-"))
    var mantissa: UInt64 = 0
    // False once the digits are more than 64 bits hold, or a fraction or exponent follows.
    var exact = true
    var whole = true
    var exponent = 0
    let first = position
    digits(&mantissa, &exact)
    guard position > first else { throw failure("expected a digit") }
    if bytes[first] == UInt8(ascii: "0"), position > first + 1 {
      throw failure("a number may not start with a needless 0", at: start)
    }
    if take(UInt8(ascii: ".")) {
      whole = false
      let fraction = position
      digits(&mantissa, &exact)
      guard position > fraction else { throw failure("expected a digit after the point") }
      exponent = fraction - position
    }
    if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
      whole = false
      exponent += try scale()
    }
    if whole, exact, !(negative && mantissa == 0) {
      if !negative {
        return mantissa <= UInt64(Int64.max) ? .integer(Int64(mantissa)) : .unsigned(mantissa)
      }
      if mantissa <= UInt64(Int64.max) + 1 { return .integer(0 &- Int64(bitPattern: mantissa)) }
    }
    if exact, mantissa <= 1 << 53, (-22...22).contains(exponent) {
      // Both operands are exact, so one rounding: the nearest Double (Clinger 1990).
      let value = Double(mantissa)
      let scaled =
        exponent < 0 ? value / powersOfTen[-exponent] : value * powersOfTen[exponent]
      return .number(negative ? -scaled : scaled)
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let value = Double(text), value.isFinite else {
      throw failure("the number \(text.prefix(40)) is too large", at: start)
    }
    return .number(value)
  }

  private mutating func digits(_ mantissa: inout UInt64, _ exact: inout Bool) {
    while position < bytes.count, case let digit = bytes[position] &- 0x30, digit < 10 {
      let (product, high) = mantissa.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      if high || carry { exact = false }
      mantissa = sum
      advance(to: position + 1)
    }
  }

  private mutating func scale() throws(JSONError) -> Int {
    advance(to: position + 1)
    let negative = peek() == UInt8(ascii: "-")
    if negative || peek() == UInt8(ascii: "+") { advance(to: position + 1) }
    let first = position
    var value = 0
    while position < bytes.count, case let digit = bytes[position] &- 0x30, digit < 10 {
      // Any exponent this large is zero or too large; only overflow must not happen.
      value = min(value * 10 + Int(digit), 1_000_000)
      advance(to: position + 1)
    }
    guard position > first else { throw failure("expected a digit in the exponent") }
    return negative ? -value : value
  }
}

/// Those powers of ten that a Double holds exactly.
private let powersOfTen: [Double] = [
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
  1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]
