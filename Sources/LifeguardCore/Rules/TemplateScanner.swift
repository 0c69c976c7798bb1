/// Reads a template byte by byte: text between actions, and the tokens inside them.
struct TemplateScanner {
  private let bytes: [UInt8]
  private(set) var offset = 0
  /// Whether the action before had ` -}}`, which removes the space that follows it.
  private var trimsNext = false

  init(_ text: String) {
    bytes = Array(text.utf8)
  }

  private func byte(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

  func isAt(_ character: Unicode.Scalar) -> Bool { byte(offset) == UInt8(ascii: character) }

  private func starts(_ text: StaticString, at index: Int) -> Bool {
    text.withUTF8Buffer { pattern in
      index + pattern.count <= bytes.count
        && bytes[index..<index + pattern.count].elementsEqual(pattern)
    }
  }

  private func isSpace(_ index: Int) -> Bool {
    switch byte(index) {
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): true
    default: false
    }
  }

  var isAtEnd: Bool { offset >= bytes.count }

  /// What stands here, for a message.
  var shown: String {
    guard offset < bytes.count else { return "EOF" }
    let rest = String(decoding: bytes[offset..<min(offset + 8, bytes.count)], as: UTF8.self)
    return "\"\(rest.unicodeScalars.prefix(1).map(String.init).joined())\""
  }
}

// MARK: text and delimiters

extension TemplateScanner {
  /// The text up to the next action, trimmed as `{{-` and `-}}` say.
  mutating func text() -> String? {
    var start = offset
    while offset < bytes.count, !starts("{{", at: offset) { offset += 1 }
    var end = offset
    if trimsNext {
      while start < end, isSpace(start) { start += 1 }
      trimsNext = false
    }
    if starts("{{-", at: offset), isSpace(offset + 3) {
      while end > start, isSpace(end - 1) { end -= 1 }
    }
    return start < end ? String(decoding: bytes[start..<end], as: UTF8.self) : nil
  }

  enum Opening {
    case endOfText
    case comment
    case action
  }

  /// Enters the action here, or skips a comment.
  mutating func open() throws(TemplateError) -> Opening {
    guard starts("{{", at: offset) else { return .endOfText }
    let start = offset
    offset += 2
    if isAt("-"), isSpace(offset + 1) {
      offset += 1
      skipSpaces()
    }
    guard starts("/*", at: offset) else { return .action }
    offset += 2
    while offset < bytes.count, !starts("*/", at: offset) { offset += 1 }
    guard offset < bytes.count else {
      throw TemplateError(message: "unclosed comment", offset: start)
    }
    offset += 2
    guard closeLength != nil else {
      throw TemplateError(message: "comment ends before closing delimiter", offset: start)
    }
    try close()
    return .comment
  }

  /// How many bytes the closing delimiter here takes; nil when there is none.
  private var closeLength: Int? {
    if starts("}}", at: offset) { return 2 }
    var index = offset
    while isSpace(index) { index += 1 }
    if starts("}}", at: index) { return index + 2 - offset }
    return index > offset && starts("-}}", at: index) ? index + 3 - offset : nil
  }

  /// Whether only the closing delimiter is left of this action.
  ///
  /// Looks back at spaces too, because a trim marker must follow one and they may be consumed.
  var isAtClose: Bool {
    closeLength != nil || (offset > 0 && isSpace(offset - 1) && starts("-}}", at: offset))
  }

  mutating func close() throws(TemplateError) {
    skipSpaces()
    if starts("}}", at: offset) {
      offset += 2
    } else if offset > 0, isSpace(offset - 1), starts("-}}", at: offset) {
      offset += 3
      trimsNext = true
    } else if offset >= bytes.count {
      throw TemplateError(message: "unclosed action", offset: offset)
    } else {
      throw TemplateError(message: "unexpected \(shown) in action", offset: offset)
    }
  }
}

// MARK: tokens

extension TemplateScanner {
  @discardableResult
  mutating func skipSpaces() -> Bool {
    let start = offset
    while isSpace(offset) { offset += 1 }
    return offset > start
  }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpaces()
    guard isAt(character) else { return false }
    offset += 1
    return true
  }

  /// A letter, a digit, `_` or a byte of a character beyond ASCII.
  private func isWord(_ index: Int) -> Bool {
    guard let value = byte(index) else { return false }
    return value >= 0x80 || value == UInt8(ascii: "_") || isDigit(index)
      || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(value | 0x20)
  }

  private func isDigit(_ index: Int) -> Bool {
    byte(index).map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
  }

  /// An identifier that does not start with a digit.
  mutating func word() -> String? {
    guard isWord(offset), !isDigit(offset) else { return nil }
    let start = offset
    while isWord(offset) { offset += 1 }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  /// A keyword of the language, consumed; nil leaves everything where it is.
  mutating func keyword() -> String? {
    skipSpaces()
    let start = offset
    let known = [
      "if", "else", "end", "range", "with", "define", "template", "block", "break", "continue",
    ]
    if let found = word(), known.contains(found) { return found }
    offset = start
    return nil
  }

  /// `$` and what is glued to it.
  mutating func variable() -> String {
    let start = offset
    offset += 1
    while isWord(offset) { offset += 1 }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  /// `.a.b`; empty when no name follows the dot.
  mutating func fields() throws(TemplateError) -> [String] {
    var result: [String] = []
    while isAt("."), isWord(offset + 1), !isDigit(offset + 1) {
      offset += 1
      if let name = word() { result.append(name) }
    }
    return result
  }

  /// `$a :=`, `$a =`, and with `pair` `$i, $a :=`; nil, and nothing consumed, when none is here.
  mutating func declaration(
    pair: Bool
  ) throws(TemplateError) -> (names: [String], assigns: Bool)? {
    let start = offset
    guard isAt("$") else { return nil }
    var names = [variable()]
    if pair, take(",") {
      skipSpaces()
      guard isAt("$") else {
        throw TemplateError(message: "range can only initialize variables", offset: offset)
      }
      names.append(variable())
    }
    skipSpaces()
    if starts(":=", at: offset) {
      offset += 2
      return (names, false)
    }
    if isAt("=") {
      offset += 1
      return (names, true)
    }
    offset = start
    return nil
  }
}

// MARK: literals

extension TemplateScanner {
  mutating func string() throws(TemplateError) -> String {
    skipSpaces()
    let start = offset
    guard case .string(let text)? = try literal() else {
      throw TemplateError(message: "unexpected \(shown); expected a name in quotes", offset: start)
    }
    return text
  }

  /// A string, character or number; nil when something else is here.
  mutating func literal() throws(TemplateError) -> TemplateValue? {
    switch byte(offset) {
    case UInt8(ascii: "\""): return .string(try quoted(by: UInt8(ascii: "\"")))
    case UInt8(ascii: "'"):
      let start = offset
      let text = try quoted(by: UInt8(ascii: "'")).unicodeScalars
      guard text.count == 1, let scalar = text.first else {
        throw TemplateError(message: "malformed character constant", offset: start)
      }
      return .integer(Int64(scalar.value))
    case UInt8(ascii: "`"):
      let start = offset
      offset += 1
      while let value = byte(offset), value != UInt8(ascii: "`") { offset += 1 }
      guard offset < bytes.count else {
        throw TemplateError(message: "unterminated raw quoted string", offset: start)
      }
      offset += 1
      return .string(String(decoding: bytes[(start + 1)..<(offset - 1)], as: UTF8.self))
    case UInt8(ascii: "+"), UInt8(ascii: "-"): return try number()
    case UInt8(ascii: ".") where isDigit(offset + 1): return try number()
    default: return isDigit(offset) ? try number() : nil
    }
  }

  private mutating func number() throws(TemplateError) -> TemplateValue {
    let start = offset
    if isAt("+") || isAt("-") { offset += 1 }
    let isHexadecimal = starts("0x", at: offset) || starts("0X", at: offset)
    while let value = byte(offset) {
      let isSign = value == UInt8(ascii: "+") || value == UInt8(ascii: "-")
      let afterExponent =
        (byte(offset - 1) ?? 0) | 0x20 == UInt8(ascii: isHexadecimal ? "p" : "e")
      guard isWord(offset) || value == UInt8(ascii: ".") || (isSign && afterExponent) else { break }
      offset += 1
    }
    let written = String(decoding: bytes[start..<offset], as: UTF8.self)
    guard let value = TemplateValue(numeral: written) else {
      throw TemplateError(message: "bad number syntax: \"\(written)\"", offset: start)
    }
    return value
  }

  private mutating func quoted(by quote: UInt8) throws(TemplateError) -> String {
    let start = offset
    offset += 1
    var result: [UInt8] = []
    while let value = byte(offset), value != UInt8(ascii: "\n") {
      offset += 1
      if value == quote { return String(decoding: result, as: UTF8.self) }
      guard value == UInt8(ascii: "\\") else {
        result.append(value)
        continue
      }
      guard let decoded = escape() else {
        throw TemplateError(message: "invalid escape in string", offset: offset)
      }
      result += decoded
    }
    let kind = quote == UInt8(ascii: "'") ? "character constant" : "quoted string"
    throw TemplateError(message: "unterminated \(kind)", offset: start)
  }

  /// What stands after a backslash (Go's interpreted string literals).
  private mutating func escape() -> [UInt8]? {
    guard let value = byte(offset) else { return nil }
    offset += 1
    switch value {
    case UInt8(ascii: "a"): return [7]
    case UInt8(ascii: "b"): return [8]
    case UInt8(ascii: "f"): return [12]
    case UInt8(ascii: "n"): return [10]
    case UInt8(ascii: "r"): return [13]
    case UInt8(ascii: "t"): return [9]
    case UInt8(ascii: "v"): return [11]
    case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): return [value]
    case UInt8(ascii: "x"): return code(digits: 2, radix: 16).map { [UInt8($0)] }
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      return code(digits: value == UInt8(ascii: "u") ? 4 : 8, radix: 16)
        .flatMap { Unicode.Scalar($0) }.map { Array(String($0).utf8) }
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      offset -= 1
      return code(digits: 3, radix: 8).flatMap { $0 < 256 ? [UInt8($0)] : nil }
    default: return nil
    }
  }

  private mutating func code(digits: Int, radix: Int) -> UInt32? {
    guard offset + digits <= bytes.count else { return nil }
    let text = String(decoding: bytes[offset..<offset + digits], as: UTF8.self)
    guard text.utf8.first != UInt8(ascii: "+"), text.utf8.first != UInt8(ascii: "-"),
      let value = UInt32(text, radix: radix)
    else { return nil }
    offset += digits
    return value
  }
}
