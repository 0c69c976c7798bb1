/// Parses RE2 syntax as Go's `regexp/syntax` does with its Perl flags.
struct RegularExpressionParser {
  typealias Node = RegularExpressionNode

  private struct Flags {
    var ignoresCase = false
    var multiline = false
    /// On by default here: since v3 "." matches a newline in Prometheus.
    var dotMatchesNewline = true
    var swapsGreed = false
  }

  let pattern: [UInt32]
  var position = 0
  private var flags = Flags()
  private(set) var groupCount = 0
  private(set) var groupNames: [String: Int] = [:]
  private var depth = 0
  /// Repetitions of repetitions that no group separates: each makes the tree a level higher.
  private var stacked = 0
  /// The ranges of all classes so far.
  var rangeCount = 0
  /// False once there was no `:]` ahead: then there is none further on either.
  var mayCloseNamedClass = true

  /// As in Go: more makes programs too large (`maxRepeat`).
  private static let repeatMax = 1000
  private static let depthMax = 250
  /// A literal of this length makes a program that is too large anyway; what reads a pattern may go
  /// over it a few hundred times.
  private static let lengthMax = 65_536
  /// As many as in 150 times `\pL`, the largest class.
  static let rangesMax = 100_000

  init(_ text: String) {
    pattern = text.unicodeScalars.prefix(Self.lengthMax + 1).map(\.value)
  }

  mutating func parse() throws(RegularExpressionError) -> Node {
    guard pattern.count <= Self.lengthMax else {
      throw RegularExpressionError(code: .tooLarge, fragment: text(0, 100) + "…")
    }
    let node = try choice()
    if position < pattern.count {
      throw RegularExpressionError(code: .unexpectedParenthesis, fragment: text(0, pattern.count))
    }
    return node
  }

  func text(_ from: Int, _ to: Int) -> String {
    var result = String.UnicodeScalarView()
    for value in pattern[from..<min(to, pattern.count)] {
      if let scalar = Unicode.Scalar(value) { result.append(scalar) }
    }
    return String(result)
  }

  func failure(
    _ code: RegularExpressionError.Code, from start: Int, to end: Int? = nil
  ) -> RegularExpressionError {
    RegularExpressionError(code: code, fragment: text(start, end ?? position))
  }

  func peek(_ offset: Int = 0) -> Unicode.Scalar? {
    position + offset < pattern.count ? Unicode.Scalar(pattern[position + offset]) : nil
  }

  private mutating func choice() throws(RegularExpressionError) -> Node {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthMax else {
      throw failure(.nestingTooDeep, from: 0, to: pattern.count)
    }
    var choices = [try sequence()]
    while peek() == "|" {
      position += 1
      choices.append(try sequence())
    }
    return choices.count == 1 ? choices[0] : .choice(choices)
  }

  private mutating func sequence() throws(RegularExpressionError) -> Node {
    var parts: [Node] = []
    while let next = peek(), next != "|", next != ")" {
      if next == "(", peek(1) == "?", try changesFlags() { continue }
      if next == "\\", peek(1) == "Q" {
        quotedText(into: &parts)
        continue
      }
      let start = position
      if try repetitionOperator() != nil {
        // Behind flags or a quotation, it repeats what stands before them.
        guard let last = parts.popLast() else { throw failure(.missingRepeatArgument, from: start) }
        stacked += 1
        guard stacked <= Self.depthMax else {
          throw failure(.nestingTooDeep, from: 0, to: pattern.count)
        }
        position = start
        parts.append(try repeated(last, start: start))
        continue
      }
      let atom = try atom()
      parts.append(try repeated(atom, start: start))
    }
    if parts.isEmpty { return .empty }
    return parts.count == 1 ? parts[0] : .sequence(parts)
  }

  /// `\Q…\E`: the text between them as it stands.
  private mutating func quotedText(into parts: inout [Node]) {
    position += 2
    while position < pattern.count {
      if peek() == "\\", peek(1) == "E" {
        position += 2
        return
      }
      parts.append(literal(pattern[position]))
      position += 1
    }
  }

  private func literal(_ scalar: UInt32) -> Node {
    .set(ScalarSet(scalar: scalar, ignoresCase: flags.ignoresCase))
  }

  private mutating func atom() throws(RegularExpressionError) -> Node {
    let start = position
    guard let next = peek() else { return .empty }
    position += 1
    switch next {
    case "(": return try group(start: start)
    case "[": return try bracketClass(start: start, ignoresCase: flags.ignoresCase)
    case ".":
      let everything = [0...ScalarSet.largest]
      let newline: [ClosedRange<UInt32>] = [10...10]
      return .set(
        ScalarSet(flags.dotMatchesNewline ? everything : ScalarSet.complement(newline)))
    case "^": return .assertion(flags.multiline ? .lineStart : .textStart)
    case "$": return .assertion(flags.multiline ? .lineEnd : .textEnd)
    case "*", "+", "?": throw failure(.missingRepeatArgument, from: start)
    case "\\": return try escape(start: start)
    default: return literal(next.value)
    }
  }

  private mutating func escape(start: Int) throws(RegularExpressionError) -> Node {
    guard let next = peek() else {
      throw RegularExpressionError(code: .trailingBackslash, fragment: "")
    }
    switch next {
    case "A":
      position += 1
      return .assertion(.textStart)
    case "z":
      position += 1
      return .assertion(.textEnd)
    case "b":
      position += 1
      return .assertion(.wordBoundary)
    case "B":
      position += 1
      return .assertion(.noWordBoundary)
    default: break
    }
    if let part = try classEscape(start: start) {
      try count(part)
      return .set(ScalarSet([part], ignoresCase: flags.ignoresCase))
    }
    return literal(try characterEscape(start: start))
  }

  // MARK: Groups and flags

  private mutating func group(start: Int) throws(RegularExpressionError) -> Node {
    let saved = flags
    var number: Int?
    if peek() == "?" {
      if try !namedGroup(start: start) {
        try groupFlags(start: start)
      } else {
        number = groupCount
      }
    } else {
      groupCount += 1
      number = groupCount
    }
    let inner = try choice()
    guard peek() == ")" else {
      throw RegularExpressionError(code: .missingParenthesis, fragment: text(0, pattern.count))
    }
    position += 1
    flags = saved
    if let number { return .group(inner, number: number) }
    // A group of its own, so that a repetition after it applies to the whole.
    return .sequence([inner])
  }

  /// `(?P<name>` or `(?<name>`; false when it is neither.
  private mutating func namedGroup(start: Int) throws(RegularExpressionError) -> Bool {
    let skip: Int
    if peek(1) == "P", peek(2) == "<" {
      skip = 3
    } else if peek(1) == "<", peek(2) != "=", peek(2) != "!" {
      skip = 2
    } else {
      return false
    }
    guard let close = pattern[position...].firstIndex(of: 0x3E) else {
      throw failure(.invalidNamedCapture, from: start, to: pattern.count)
    }
    let name = text(position + skip, close)
    position = close + 1
    let isWord = name.utf8.allSatisfy { byte in
      byte == 0x5F || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
    }
    guard !name.isEmpty, isWord else { throw failure(.invalidNamedCapture, from: start) }
    guard groupNames[name] == nil else {
      throw RegularExpressionError(code: .duplicateName, fragment: name)
    }
    groupCount += 1
    groupNames[name] = groupCount
    return true
  }

  /// `(?i)` and the like, which change what follows in the group they stand in.
  private mutating func changesFlags() throws(RegularExpressionError) -> Bool {
    var ahead = position + 2
    while ahead < pattern.count, let scalar = Unicode.Scalar(pattern[ahead]), scalar != ")" {
      guard "imsU-".unicodeScalars.contains(scalar) else { return false }
      ahead += 1
    }
    guard ahead < pattern.count else { return false }
    let start = position
    position += 1
    try groupFlags(start: start)
    return true
  }

  /// Flags up to `:` or `)`, either of which is consumed.
  private mutating func groupFlags(start: Int) throws(RegularExpressionError) {
    position += 1
    var value = true
    var hasFlag = false
    while let next = peek() {
      position += 1
      switch next {
      case "i": flags.ignoresCase = value
      case "m": flags.multiline = value
      case "s": flags.dotMatchesNewline = value
      case "U": flags.swapsGreed = value
      case "-" where value:
        value = false
        hasFlag = false
        continue
      case ":", ")":
        if !value && !hasFlag { throw failure(.invalidPerlOperator, from: start) }
        return
      default: throw failure(.invalidPerlOperator, from: start)
      }
      hasFlag = true
    }
    throw RegularExpressionError(code: .missingParenthesis, fragment: text(0, pattern.count))
  }

  // MARK: Repetition

  private mutating func repeated(
    _ atom: Node, start: Int
  ) throws(RegularExpressionError) -> Node {
    let operatorStart = position
    guard let bounds = try repetitionOperator() else { return atom }
    var isGreedy = !flags.swapsGreed
    if peek() == "?" {
      position += 1
      isGreedy.toggle()
    }
    let operatorEnd = position
    if try repetitionOperator() != nil {
      if peek() == "?" { position += 1 }
      throw failure(.nestedRepetition, from: operatorStart)
    }
    position = operatorEnd
    let node = Node.repetition(atom, least: bounds.least, most: bounds.most, isGreedy: isGreedy)
    // As in Go, what is written out at most once is not looked into.
    let isWrittenOut = bounds.least > 1 || bounds.most ?? 0 > 1
    guard !isWrittenOut || Self.repeatProduct(node) <= Self.repeatMax else {
      throw failure(.invalidRepeatCount, from: operatorStart)
    }
    return node
  }

  private mutating func repetitionOperator() throws(RegularExpressionError) -> (
    least: Int, most: Int?
  )? {
    switch peek() {
    case "*":
      position += 1
      return (0, nil)
    case "+":
      position += 1
      return (1, nil)
    case "?":
      position += 1
      return (0, 1)
    case "{": return try countedRepetition()
    default: return nil
    }
  }

  /// `{n}`, `{n,}`, `{n,m}`; anything else makes the brace an ordinary character.
  private mutating func countedRepetition() throws(RegularExpressionError) -> (
    least: Int, most: Int?
  )? {
    let start = position
    position += 1
    guard let least = number() else {
      position = start
      return nil
    }
    var most: Int? = least
    if peek() == "," {
      position += 1
      most = peek() == "}" ? nil : number() ?? -1
    }
    guard peek() == "}", most != -1 else {
      position = start
      return nil
    }
    position += 1
    if least > Self.repeatMax || (most ?? 0) > Self.repeatMax || least > most ?? .max {
      throw failure(.invalidRepeatCount, from: start)
    }
    return (least, most)
  }

  private mutating func number() -> Int? {
    let start = position
    var value = 0
    while let next = peek(), next >= "0", next <= "9" {
      value = min(value * 10 + Int(next.value - 0x30), 1_000_000)
      position += 1
    }
    // Go takes no leading zeros here.
    if position == start || (pattern[start] == 0x30 && position > start + 1) {
      position = start
      return nil
    }
    return value
  }

  /// How often the innermost part may be written out: `(a{100}){100}` is 10,000.
  private static func repeatProduct(_ node: Node) -> Int {
    switch node {
    case .repetition(let inner, let least, let most, _):
      let own = max(most ?? least, 1)
      return min(own * repeatProduct(inner), 1_000_000)
    case .sequence(let parts), .choice(let parts): return parts.map(repeatProduct).max() ?? 1
    case .group(let inner, _): return repeatProduct(inner)
    case .empty, .set, .assertion: return 1
    }
  }
}

extension RegularExpressionParser {
  mutating func advance() { position += 1 }
}
