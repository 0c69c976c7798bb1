/// Character classes and escapes.
extension RegularExpressionParser {
  private static let digits: [ClosedRange<UInt32>] = [0x30...0x39]
  private static let spaces: [ClosedRange<UInt32>] = [9...10, 12...13, 32...32]
  private static let words: [ClosedRange<UInt32>] = [
    0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A,
  ]
  private static let named: [String: [ClosedRange<UInt32>]] = [
    "alnum": [0x30...0x39, 0x41...0x5A, 0x61...0x7A],
    "alpha": [0x41...0x5A, 0x61...0x7A],
    "ascii": [0...0x7F],
    "blank": [9...9, 32...32],
    "cntrl": [0...0x1F, 0x7F...0x7F],
    "digit": digits,
    "graph": [0x21...0x7E],
    "lower": [0x61...0x7A],
    "print": [0x20...0x7E],
    "punct": [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E],
    "space": [9...13, 32...32],
    "upper": [0x41...0x5A],
    "word": words,
    "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66],
  ]

  /// `\d`, `\pL` and the like, the backslash being consumed; `nil` when it is something else.
  mutating func classEscape(
    start: Int
  ) throws(RegularExpressionError) -> ClassPart? {
    let part: ClassPart
    switch peek() {
    case "d": part = ClassPart(ranges: Self.digits)
    case "D": part = ClassPart(ranges: Self.digits, isNegated: true)
    case "s": part = ClassPart(ranges: Self.spaces)
    case "S": part = ClassPart(ranges: Self.spaces, isNegated: true)
    case "w": part = ClassPart(ranges: Self.words)
    case "W": part = ClassPart(ranges: Self.words, isNegated: true)
    case "p", "P": return try unicodeClass(start: start)
    default: return nil
    }
    advance()
    return part
  }

  private mutating func unicodeClass(
    start: Int
  ) throws(RegularExpressionError) -> ClassPart {
    var isNegated = peek() == "P"
    advance()
    guard peek() != nil else { throw failure(.invalidRange, from: start) }
    var name: String
    if peek() == "{" {
      guard let close = pattern[position...].firstIndex(of: 0x7D) else {
        throw failure(.invalidRange, from: start, to: pattern.count)
      }
      name = text(position + 1, close)
      position = close + 1
    } else {
      name = text(position, position + 1)
      advance()
    }
    if name.hasPrefix("^") {
      isNegated.toggle()
      name.removeFirst()
    }
    guard let ranges = UnicodeClass.ranges(named: name) else {
      throw failure(.invalidRange, from: start)
    }
    return ClassPart(ranges: ranges, isNegated: isNegated)
  }

  /// An escape for one character, the backslash being consumed.
  mutating func characterEscape(start: Int) throws(RegularExpressionError) -> UInt32 {
    guard let next = peek() else {
      throw RegularExpressionError(code: .trailingBackslash, fragment: "")
    }
    advance()
    switch next {
    case "a": return 7
    case "f": return 12
    case "t": return 9
    case "n": return 10
    case "r": return 13
    case "v": return 11
    case "x": return try hexadecimalEscape(start: start)
    case "1"..."7":
      // A single digit would be a back-reference, which RE2 has not.
      guard let digit = peek(), digit >= "0", digit <= "7" else { break }
      return octal(first: next.value - 0x30, more: 2)
    case "0": return octal(first: 0, more: 2)
    default:
      let isWord = Self.words.contains { $0.contains(next.value) }
      if next.value < 0x80, !isWord || next == "_" { return next.value }
    }
    throw failure(.invalidEscape, from: start)
  }

  private mutating func octal(first: UInt32, more: Int) -> UInt32 {
    var value = first
    for _ in 0..<more {
      guard let digit = peek(), digit >= "0", digit <= "7" else { break }
      value = value * 8 + digit.value - 0x30
      advance()
    }
    return value
  }

  private mutating func hexadecimalEscape(
    start: Int
  ) throws(RegularExpressionError) -> UInt32 {
    let isBraced = peek() == "{"
    if isBraced { advance() }
    var value: UInt32 = 0
    var digits = 0
    while let next = peek(), let digit = Character(next).hexDigitValue, next.value < 0x80,
      isBraced || digits < 2
    {
      value = value * 16 + UInt32(digit)
      digits += 1
      advance()
      if value > ScalarSet.largest { throw failure(.invalidEscape, from: start) }
    }
    if isBraced {
      guard peek() == "}", digits > 0 else { throw failure(.invalidEscape, from: start) }
      advance()
    } else if digits < 2 {
      throw failure(.invalidEscape, from: start)
    }
    return value
  }

  /// `[…]`, the opening bracket being consumed.
  mutating func bracketClass(
    start: Int, ignoresCase: Bool
  ) throws(RegularExpressionError) -> RegularExpressionNode {
    var isNegated = false
    if peek() == "^" {
      isNegated = true
      advance()
    }
    var parts: [ClassPart] = []
    var isFirst = true
    while isFirst || peek() != "]" {
      guard peek() != nil else {
        throw failure(.missingBracket, from: start, to: pattern.count)
      }
      // As in POSIX, "-" stands for itself at the ends only; elsewhere Perl flags allow it too.
      isFirst = false
      let part = try bracketItem(classStart: start)
      try count(part)
      parts.append(part)
    }
    advance()
    return .set(ScalarSet(parts, isNegated: isNegated, ignoresCase: ignoresCase))
  }

  /// A class of a few characters may have hundreds of ranges: many of them would be a pattern that
  /// takes far more memory than it is long.
  mutating func count(_ part: ClassPart) throws(RegularExpressionError) {
    rangeCount += part.ranges.count
    guard rangeCount <= Self.rangesMax else {
      throw failure(.tooLarge, from: 0, to: pattern.count)
    }
  }

  private mutating func bracketItem(
    classStart: Int
  ) throws(RegularExpressionError) -> ClassPart {
    let start = position
    if peek() == "[", peek(1) == ":" {
      if let part = try namedClass(start: start) { return part }
    }
    if peek() == "\\" {
      advance()
      if let part = try classEscape(start: start) { return part }
      position = start
    }
    let low = try bracketCharacter(classStart: classStart)
    guard peek() == "-", peek(1) != nil, peek(1) != "]" else {
      return ClassPart(ranges: [low...low])
    }
    advance()
    let high = try bracketCharacter(classStart: classStart)
    guard low <= high else { throw failure(.invalidRange, from: start) }
    return ClassPart(ranges: [low...high])
  }

  private mutating func bracketCharacter(
    classStart: Int
  ) throws(RegularExpressionError) -> UInt32 {
    guard let next = peek() else {
      throw failure(.missingBracket, from: classStart, to: pattern.count)
    }
    let start = position
    advance()
    return next == "\\" ? try characterEscape(start: start) : next.value
  }

  /// `[:name:]`; `nil` when it is not closed, and the bracket then stands for itself.
  private mutating func namedClass(
    start: Int
  ) throws(RegularExpressionError) -> ClassPart? {
    guard mayCloseNamedClass else { return nil }
    var end = position + 2
    while end + 1 < pattern.count, !(pattern[end] == 0x3A && pattern[end + 1] == 0x5D) {
      end += 1
    }
    guard end + 1 < pattern.count else {
      mayCloseNamedClass = false
      return nil
    }
    var name = text(position + 2, end)
    position = end + 2
    let isNegated = name.hasPrefix("^")
    if isNegated { name.removeFirst() }
    guard let ranges = Self.named[name] else { throw failure(.invalidRange, from: start) }
    return ClassPart(ranges: ranges, isNegated: isNegated)
  }
}
