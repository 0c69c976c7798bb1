/// Splits a query into tokens, over its bytes.
///
/// The states are Prometheus', because they decide which message a malformed query gets: the same
/// character means different things inside braces, inside brackets and elsewhere.
struct Lexer {
  private enum State {
    case statements
    case insideBraces
    /// Right after a bracket opened, and on until the first number.
    case duration
    case finished
  }

  let bytes: [UInt8]
  private(set) var position = 0
  private var start = 0
  private var state = State.statements
  private var parenthesisDepth = 0
  private var isBracketOpen = false
  private var sawColon = false
  private var sawDuration = false

  init(_ text: String) {
    bytes = Array(text.utf8)
  }

  mutating func next() -> Token {
    while true {
      let token: Token?
      switch state {
      case .statements: token = nextStatement()
      case .insideBraces: token = nextInsideBraces()
      case .duration: token = nextInDuration()
      case .finished: token = Token(kind: .endOfInput, position: bytes.count, text: "")
      }
      if let token, token.kind != .comment { return token }
    }
  }

  private func peek(_ offset: Int = 0) -> UInt8? {
    position + offset < bytes.count ? bytes[position + offset] : nil
  }

  private mutating func emit(_ kind: Token.Kind) -> Token {
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    let token = Token(kind: kind, position: start, text: text)
    start = position
    return token
  }

  private mutating func emit(_ kind: Token.Kind, length: Int) -> Token {
    position = start + length
    return emit(kind)
  }

  private mutating func fail(_ message: String) -> Token {
    state = .finished
    return Token(kind: .error, position: start, text: message)
  }

  /// The character at a position, for messages.
  private func scalar(at position: Int) -> Unicode.Scalar {
    String(decoding: bytes[position...].prefix(4), as: UTF8.self).unicodeScalars.first ?? "\u{FFFD}"
  }

  private func quoted(at position: Int) -> String {
    position < bytes.count ? QuotedText.quoted(scalar(at: position)) : "'\u{FFFD}'"
  }

  private mutating func skipSpaces() {
    while let byte = peek(), Self.isSpace(byte) { position += 1 }
    start = position
  }

  private mutating func skipComment() {
    while let byte = peek(), byte != 10, byte != 13 { position += 1 }
    start = position
  }

  // MARK: Outside braces

  private mutating func nextStatement() -> Token? {
    start = position
    guard let byte = peek() else {
      if parenthesisDepth != 0 { return fail("unclosed left parenthesis") }
      if isBracketOpen { return fail("unclosed left bracket") }
      state = .finished
      return emit(.endOfInput)
    }
    if Self.isSpace(byte) {
      skipSpaces()
      return nil
    }
    if byte == UInt8(ascii: "#") {
      skipComment()
      return nil
    }
    if Self.isDigit(byte) || (byte == UInt8(ascii: ".") && peek(1).map(Self.isDigit) == true) {
      return numberOrDuration()
    }
    if Self.isLetter(byte) || byte == UInt8(ascii: ":") {
      return isBracketOpen ? wordInBrackets(byte) : keywordOrIdentifier()
    }
    if let token = bracket(byte) { return token }
    return operatorOrString(byte)
  }

  private mutating func operatorOrString(_ byte: UInt8) -> Token {
    switch byte {
    case UInt8(ascii: ","): return emit(.comma, length: 1)
    case UInt8(ascii: "*"): return emit(.operation(.multiply), length: 1)
    case UInt8(ascii: "/"): return emit(.operation(.divide), length: 1)
    case UInt8(ascii: "%"): return emit(.operation(.remainder), length: 1)
    case UInt8(ascii: "+"): return emit(.operation(.add), length: 1)
    case UInt8(ascii: "-"): return emit(.operation(.subtract), length: 1)
    case UInt8(ascii: "^"): return emit(.operation(.power), length: 1)
    case UInt8(ascii: "@"): return emit(.at, length: 1)
    case UInt8(ascii: "="):
      if peek(1) == UInt8(ascii: "=") { return emit(.operation(.equal), length: 2) }
      if peek(1) == UInt8(ascii: "~") { return fail("unexpected character after '=': '~'") }
      return emit(.equals, length: 1)
    case UInt8(ascii: "!"):
      if peek(1) == UInt8(ascii: "=") { return emit(.operation(.notEqual), length: 2) }
      return fail("unexpected character after '!': \(quoted(at: position + 1))")
    case UInt8(ascii: "<"):
      if peek(1) == UInt8(ascii: "=") { return emit(.operation(.lessOrEqual), length: 2) }
      return emit(.operation(.less), length: 1)
    case UInt8(ascii: ">"):
      if peek(1) == UInt8(ascii: "=") { return emit(.operation(.greaterOrEqual), length: 2) }
      return emit(.operation(.greater), length: 1)
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): return string(byte)
    default: return fail("unexpected character: \(quoted(at: position))")
    }
  }

  private mutating func bracket(_ byte: UInt8) -> Token? {
    switch byte {
    case UInt8(ascii: "("):
      parenthesisDepth += 1
      return emit(.leftParenthesis, length: 1)
    case UInt8(ascii: ")"):
      parenthesisDepth -= 1
      if parenthesisDepth < 0 {
        start = position + 1
        return fail("unexpected right parenthesis ')'")
      }
      return emit(.rightParenthesis, length: 1)
    case UInt8(ascii: "{"):
      state = .insideBraces
      return emit(.leftBrace, length: 1)
    case UInt8(ascii: "["):
      if isBracketOpen { return fail("unexpected left bracket '['") }
      sawColon = false
      sawDuration = false
      isBracketOpen = true
      state = .duration
      return emit(.leftBracket, length: 1)
    case UInt8(ascii: "]"):
      if !isBracketOpen { return fail("unexpected right bracket ']'") }
      isBracketOpen = false
      return emit(.rightBracket, length: 1)
    default: return nil
    }
  }

  private mutating func wordInBrackets(_ byte: UInt8) -> Token {
    if byte == UInt8(ascii: ":") {
      if sawColon { return fail("unexpected colon ':'") }
      sawColon = true
      return emit(.colon, length: 1)
    }
    return durationKeyword()
      ?? fail("unexpected character: \(quoted(at: start)), expected ':'")
  }

  private mutating func keywordOrIdentifier() -> Token {
    var hasColon = false
    while let byte = peek(), Self.isWord(byte) || byte == UInt8(ascii: ":") {
      hasColon = hasColon || byte == UInt8(ascii: ":")
      position += 1
    }
    if hasColon { return emit(.metricIdentifier) }
    let word = String(decoding: bytes[start..<position], as: UTF8.self)
    return emit(Token.keyword(word) ?? .identifier)
  }

  // MARK: Inside brackets

  private mutating func nextInDuration() -> Token? {
    start = position
    guard let byte = peek() else {
      return fail("unexpected end of input in duration expression")
    }
    if Self.isSpace(byte) {
      skipSpaces()
      return nil
    }
    switch byte {
    case UInt8(ascii: "]"):
      isBracketOpen = false
      state = .statements
      return emit(.rightBracket, length: 1)
    case UInt8(ascii: ":"):
      start = position + 1
      if !sawDuration {
        return fail("unexpected colon before duration in duration expression")
      }
      if sawColon { return fail("unexpected repeated colon in duration expression") }
      start = position
      sawColon = true
      return emit(.colon, length: 1)
    case UInt8(ascii: "("), UInt8(ascii: ")"): return bracket(byte)
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"),
      UInt8(ascii: "%"), UInt8(ascii: "^"), UInt8(ascii: ","):
      return operatorOrString(byte)
    default: break
    }
    if Self.isDigit(byte) || (byte == UInt8(ascii: ".") && peek(1).map(Self.isDigit) == true) {
      sawDuration = true
      state = .statements
      return numberOrDuration()
    }
    return durationKeyword()
      ?? fail("unexpected character in duration expression: \(quoted(at: start))")
  }

  /// `step`, `range`, `min_of` and `max_of`, the only words of duration expressions.
  private mutating func durationKeyword() -> Token? {
    var end = position
    while end < bytes.count, Self.isLetter(bytes[end]) { end += 1 }
    let word = String(decoding: bytes[start..<end], as: UTF8.self)
    switch Token.keyword(word) {
    case .keyword(.step), .keyword(.range), .keyword(.leastOf), .keyword(.mostOf):
      position = end
      sawDuration = true
      return emit(Token.keyword(word) ?? .identifier)
    default: return nil
    }
  }

  // MARK: Inside braces

  private mutating func nextInsideBraces() -> Token? {
    start = position
    guard let byte = peek() else { return fail("unexpected end of input inside braces") }
    if Self.isSpace(byte) {
      skipSpaces()
      return nil
    }
    if Self.isLetter(byte) {
      while let next = peek(), Self.isWord(next) { position += 1 }
      return emit(.identifier)
    }
    switch byte {
    case UInt8(ascii: "#"):
      skipComment()
      return nil
    case UInt8(ascii: ","): return emit(.comma, length: 1)
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): return string(byte)
    case UInt8(ascii: "="):
      if peek(1) == UInt8(ascii: "~") { return emit(.equalsRegex, length: 2) }
      return emit(.equals, length: 1)
    case UInt8(ascii: "!"):
      if peek(1) == UInt8(ascii: "~") { return emit(.notEqualsRegex, length: 2) }
      if peek(1) == UInt8(ascii: "=") { return emit(.operation(.notEqual), length: 2) }
      let next = quoted(at: position + 1)
      return fail("unexpected character after '!' inside braces: \(next)")
    case UInt8(ascii: "{"): return fail("unexpected left brace '{'")
    case UInt8(ascii: "}"):
      state = .statements
      return emit(.rightBrace, length: 1)
    default: return fail("unexpected character inside braces: \(quoted(at: position))")
    }
  }

  // MARK: Strings

  private mutating func string(_ quote: UInt8) -> Token {
    position += 1
    let isRaw = quote == UInt8(ascii: "`")
    while let byte = peek() {
      if byte == quote {
        position += 1
        return emit(.string)
      }
      if !isRaw, byte == 10 { break }
      position += 1
      if !isRaw, byte == UInt8(ascii: "\\"), let message = escape(quote) {
        return fail(message)
      }
    }
    return fail(isRaw ? "unterminated raw string" : "unterminated quoted string")
  }

  /// Steps over an escape sequence; the message when it is not one.
  private mutating func escape(_ quote: UInt8) -> String? {
    guard let byte = peek() else { return "escape sequence not terminated" }
    let digits: Int
    let base: Int
    switch byte {
    case quote, UInt8(ascii: "a"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
      UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "v"), UInt8(ascii: "\\"):
      position += 1
      return nil
    case UInt8(ascii: "0")...UInt8(ascii: "7"): (digits, base) = (3, 8)
    case UInt8(ascii: "x"): (digits, base) = (2, 16)
    case UInt8(ascii: "u"): (digits, base) = (4, 16)
    case UInt8(ascii: "U"): (digits, base) = (8, 16)
    default: return "unknown escape sequence \(codePoint(at: position))"
    }
    if base == 16 { position += 1 }
    var value = 0
    for _ in 0..<digits {
      guard let next = peek() else { return "escape sequence not terminated" }
      guard let digit = Self.digit(next), digit < base else {
        return "illegal character \(codePoint(at: position)) in escape sequence"
      }
      value = value * base + digit
      position += 1
    }
    let largest = digits <= 3 ? 255 : 0x10FFFF
    return value > largest || (0xD800..<0xE000).contains(value)
      ? "escape sequence is an invalid Unicode code point" : nil
  }

  /// As Go's `%#U`: `U+0071 'q'`.
  private func codePoint(at position: Int) -> String {
    let scalar = scalar(at: position)
    let code = QuotedText.hexadecimal(scalar.value, digits: 4).uppercased()
    return "U+\(code) '\(String(Character(scalar)))'"
  }

  // MARK: Numbers

  private mutating func numberOrDuration() -> Token {
    if scanNumber() { return emit(.number) }
    if scanRestOfDuration() { return emit(.duration) }
    let text = String(decoding: bytes[start..<min(position, bytes.count)], as: UTF8.self)
    return fail("bad number or duration syntax: \(QuotedText.quoted(text))")
  }

  private mutating func accept(_ set: StaticString) -> Bool {
    guard let byte = peek() else { return false }
    let found = set.withUTF8Buffer { $0.contains(byte) }
    if found { position += 1 }
    return found
  }

  private func isNext(_ set: StaticString) -> Bool {
    guard let byte = peek() else { return false }
    return set.withUTF8Buffer { $0.contains(byte) }
  }

  /// What looks like a number; whether it is one is for the parser to say.
  private mutating func scanNumber() -> Bool {
    var isHexadecimal = false
    if accept("0"), accept("xX") {
      _ = accept("_")
      isHexadecimal = true
    }
    let digits: StaticString = isHexadecimal ? "0123456789abcdefABCDEF" : "0123456789"
    _ = accept(".")
    _ = accept(digits)
    var sawDot = false
    var sawExponent = false
    while isNext(digits) || isNext("._eE") {
      if isNext("."), sawDot {
        position += 1
        return false
      }
      if !isHexadecimal, isNext("eE"), sawExponent {
        position += 1
        return false
      }
      if accept(".") {
        sawDot = true
        if accept("_.") || isHexadecimal { return false }
      } else if !isHexadecimal, accept("eE") {
        sawExponent = true
        _ = accept("+-")
        if accept("._eE") || peek() == nil { return false }
      } else if accept("_") {
        if accept("._eE") || peek() == nil { return false }
      } else {
        while accept(digits) {}
      }
    }
    return position > start && peek().map(Self.isWord) != true
  }

  private mutating func scanRestOfDuration() -> Bool {
    guard accept("smhdwy") else { return false }
    _ = accept("s")
    while accept("0123456789") {
      while accept("0123456789") {}
      guard accept("smhdw") else { return false }
      _ = accept("s")
    }
    if let byte = peek(), Self.isWord(byte) {
      position += 1
      return false
    }
    return true
  }

  // MARK: Bytes

  static func isSpace(_ byte: UInt8) -> Bool {
    byte == 32 || byte == 9 || byte == 10 || byte == 13
  }

  static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  static func isLetter(_ byte: UInt8) -> Bool {
    byte == 0x5F || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }

  static func isWord(_ byte: UInt8) -> Bool { isLetter(byte) || isDigit(byte) }

  static func digit(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x30...0x39: Int(byte) - 0x30
    case 0x41...0x46: Int(byte) - 0x41 + 10
    case 0x61...0x66: Int(byte) - 0x61 + 10
    default: nil
    }
  }
}
