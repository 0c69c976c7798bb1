/// A place in one line of an exposition, and the small steps of reading it.
struct ExpositionCursor {
  private let bytes: [UInt8]
  private(set) var position: Int
  private let end: Int

  init(_ bytes: [UInt8], _ position: Int, _ end: Int) {
    self.bytes = bytes
    self.position = position
    self.end = end
  }

  var isAtEnd: Bool { position >= end }
  var peek: UInt8? { position < end ? bytes[position] : nil }
  /// The byte before this place.
  var peekBefore: UInt8? { position > 0 ? bytes[position - 1] : nil }
  var isAtBlank: Bool { peek == UInt8(ascii: " ") || peek == UInt8(ascii: "\t") }
  /// Everything up to the end of the line.
  var rest: String {
    var last = end
    if last > position, bytes[last - 1] == UInt8(ascii: "\r") { last -= 1 }
    return String(decoding: bytes[position..<last], as: UTF8.self)
  }

  mutating func skip(_ count: Int) { position = min(position + count, end) }

  mutating func skipBlanks() {
    while position < end {
      switch bytes[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
      default: return
      }
    }
  }

  /// Letters up to the next blank.
  mutating func word() -> String {
    let start = position
    while position < end, !isAtBlank { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  /// `[a-zA-Z_:][a-zA-Z0-9_:]*`; nil when there is none.
  mutating func metricName() -> String? { name(allowsColon: true) }

  /// `[a-zA-Z_][a-zA-Z0-9_]*`; nil when there is none.
  mutating func labelName() -> String? { name(allowsColon: false) }

  private mutating func name(allowsColon: Bool) -> String? {
    let start = position
    while position < end, Self.isNameByte(bytes[position], allowsColon, isFirst: position == start)
    {
      position += 1
    }
    return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
  }

  private static func isNameByte(_ byte: UInt8, _ allowsColon: Bool, isFirst: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "_"):
      true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): !isFirst
    case UInt8(ascii: ":"): allowsColon
    default: false
    }
  }

  /// A text in double quotes with its escapes resolved; nil when it does not end or is not UTF-8.
  mutating func quoted() -> String? {
    guard peek == UInt8(ascii: "\"") else { return nil }
    var index = position + 1
    var hasEscapes = false
    while index < end, bytes[index] != UInt8(ascii: "\"") {
      if bytes[index] == UInt8(ascii: "\\") {
        hasEscapes = true
        index += 1
      }
      index += 1
    }
    guard index < end,
      let text = String(validating: bytes[(position + 1)..<index], as: UTF8.self)
    else { return nil }
    position = index + 1
    return hasEscapes ? Self.unescaped(text, quote: true) : text
  }

  /// `\\`, `\n` and, in quotes, `\"`; any other backslash stands for itself.
  static func unescaped(_ text: String, quote: Bool) -> String {
    guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
    var result: [UInt8] = []
    var isEscape = false
    for byte in text.utf8 {
      guard isEscape else {
        if byte == UInt8(ascii: "\\") { isEscape = true } else { result.append(byte) }
        continue
      }
      isEscape = false
      switch byte {
      case UInt8(ascii: "\\"): result.append(byte)
      case UInt8(ascii: "n"): result.append(UInt8(ascii: "\n"))
      case UInt8(ascii: "\"") where quote: result.append(byte)
      default: result += [UInt8(ascii: "\\"), byte]
      }
    }
    if isEscape { result.append(UInt8(ascii: "\\")) }
    return String(decoding: result, as: UTF8.self)
  }

  /// Passes over a name and what stands in braces; only quotes are looked at inside.
  mutating func skipSeries() -> Bool {
    let start = position
    while position < end, Self.isNameByte(bytes[position], true, isFirst: position == start) {
      position += 1
    }
    let hasName = position > start
    var index = position
    while index < end, bytes[index] == UInt8(ascii: " ") || bytes[index] == UInt8(ascii: "\t") {
      index += 1
    }
    guard index < end, bytes[index] == UInt8(ascii: "{") else { return hasName }
    var isQuoted = false
    while index < end {
      switch bytes[index] {
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: "\\") where isQuoted: index += 1
      case UInt8(ascii: "}") where !isQuoted:
        position = index + 1
        return true
      default: break
      }
      index += 1
    }
    position = end
    return false
  }

  // MARK: Numbers

  private mutating func token() -> ArraySlice<UInt8> {
    let start = position
    while position < end, !isAtBlank, bytes[position] != UInt8(ascii: "\r") { position += 1 }
    return bytes[start..<position]
  }

  mutating func number() -> Double? { Self.number(token()) }

  /// Seconds with a fraction, as OpenMetrics writes times.
  mutating func seconds() -> Timestamp? {
    guard let value = Self.number(token()), value.isFinite, value.magnitude < 1e15 else {
      return nil
    }
    return Timestamp(seconds: value)
  }

  /// Whole milliseconds.
  mutating func milliseconds() -> Timestamp? {
    let token = token()
    guard let value = Int64(String(decoding: token, as: UTF8.self)) else { return nil }
    return Timestamp(milliseconds: value)
  }

  /// A number as Go's `ParseFloat` reads it, without its underscores and hexadecimal exponents,
  /// which Prometheus refuses.
  static func number(_ text: ArraySlice<UInt8>) -> Double? {
    if let quick = plainNumber(text) { return quick }
    guard !text.isEmpty, text.count <= 400 else { return nil }
    switch String(decoding: text, as: UTF8.self).lowercased() {
    case "nan": return .nan
    case "inf", "+inf", "infinity", "+infinity": return .infinity
    case "-inf", "-infinity": return -.infinity
    case let word:
      let isDecimal = word.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"),
          UInt8(ascii: "+"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
      return isDecimal ? Double(word) : nil
    }
  }

  private static let powersOfTen: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
  ]

  /// Digits with at most one point: both numbers of the quotient are exact below 2^53 and 10^22, so
  /// that one division rounds correctly (Clinger 1990).
  private static func plainNumber(_ text: ArraySlice<UInt8>) -> Double? {
    guard !text.isEmpty, text.count <= 16 else { return nil }
    var whole: UInt64 = 0
    var digits = 0
    var fraction: Int?
    for (index, byte) in text.enumerated() {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        whole = whole * 10 + UInt64(byte - UInt8(ascii: "0"))
        digits += 1
      case UInt8(ascii: ".") where fraction == nil: fraction = digits
      case UInt8(ascii: "-") where index == 0: break
      default: return nil
      }
    }
    guard digits > 0, digits <= 15 else { return nil }
    let value = Double(whole) / powersOfTen[digits - (fraction ?? digits)]
    return text.first == UInt8(ascii: "-") ? -value : value
  }
}
