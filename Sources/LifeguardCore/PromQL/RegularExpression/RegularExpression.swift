/// A regular expression in RE2 syntax, anchored at both ends, in time linear in the text.
///
/// Swift's own `Regex` backtracks (`(a+)+b` on 18 letters takes seconds) and matches grapheme
/// clusters, so it must never see what a user wrote.
public struct RegularExpression: Sendable {
  /// What most patterns amount to, decided without running the automaton.
  private enum Shape: Sendable {
    case anything(least: Int)
    case literals(Set<String>)
    case general
  }

  public let pattern: String
  private let shape: Shape
  let program: RegularExpressionProgram
  let names: [String: Int]

  /// As many as a dashboard's variable may list.
  private static let literalsMax = 4096
  private static let literalBytesMax = 262_144
  /// A run visits all instructions for each character in the worst case, and a selector runs once
  /// for each value of a label: fewer than a program may have where it is only kept for its groups.
  private static let instructionsMax = 10_000

  /// - Throws: when the pattern is not RE2 syntax or would become too large.
  public init(_ pattern: String) throws(RegularExpressionError) {
    var parser = RegularExpressionParser(pattern)
    let node = try parser.parse()
    self.pattern = pattern
    names = parser.groupNames
    program = try RegularExpressionProgram(
      node, groupCount: parser.groupCount, pattern: pattern)
    if let least = node.anythingAtLeast {
      shape = .anything(least: least)
    } else if let literals = node.literals(
      atMost: Self.literalsMax, bytesMax: Self.literalBytesMax),
      literals.allSatisfy({ $0.utf8.allSatisfy { $0 < 0x80 } })
    {
      shape = .literals(Set(literals))
    } else {
      guard program.instructions.count <= Self.instructionsMax else {
        throw RegularExpressionError(code: .tooLarge, fragment: pattern)
      }
      shape = .general
    }
  }

  /// The texts it matches, when they are few and plain: an index can look them up.
  var literals: Set<String>? {
    if case .literals(let texts) = shape { return texts }
    return nil
  }

  /// Whether it matches the whole text.
  public func matches(_ text: String) -> Bool {
    switch shape {
    case .anything(let least): return least == 0 || !text.isEmpty
    case .literals(let texts):
      // Equal texts may differ in their bytes; one that equals ASCII is then longer than it.
      guard let index = texts.firstIndex(of: text) else { return false }
      return texts[index].utf8.count == text.utf8.count
    case .general:
      var run = RegularExpressionRun(program, text: text, wantsCaptures: false)
      return run.match() != nil
    }
  }

  /// How many instructions a match of `text` visits.
  func steps(matching text: String) -> Int {
    var run = RegularExpressionRun(program, text: text, wantsCaptures: false)
    _ = run.match()
    return run.steps
  }

  /// Replaces `$1`, `${1}`, `$name` and `$$` in `template` with what the groups matched, as Go's
  /// `Regexp.Expand`; `nil` when the text does not match.
  public func expand(_ template: String, matching text: String) -> String? {
    var run = RegularExpressionRun(program, text: text, wantsCaptures: true)
    guard let bounds = run.match() else { return nil }
    let bytes = Array(text.utf8)
    let source = Array(template.utf8)
    var result: [UInt8] = []
    var position = 0
    while position < source.count {
      let byte = source[position]
      position += 1
      guard byte == UInt8(ascii: "$"), position < source.count else {
        result.append(byte)
        continue
      }
      if source[position] == UInt8(ascii: "$") {
        result.append(byte)
        position += 1
      } else if let name = Self.groupName(source, &position) {
        let number = Int(name) ?? names[name]
        // What is no group may be as large a number as can be written.
        if let number, number >= 0, number < bounds.count / 2, bounds[2 * number] >= 0 {
          result += bytes[bounds[2 * number]..<bounds[2 * number + 1]]
        }
      } else {
        result.append(byte)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// The name after a `$`, the longest run of letters, digits and underscores; `nil` leaves the
  /// dollar as it is.
  private static func groupName(_ source: [UInt8], _ position: inout Int) -> String? {
    let isBraced = source[position] == UInt8(ascii: "{")
    let start = isBraced ? position + 1 : position
    var end = start
    while end < source.count, isNameByte(source[end]) { end += 1 }
    guard end > start else { return nil }
    if isBraced {
      guard end < source.count, source[end] == UInt8(ascii: "}") else { return nil }
      position = end + 1
    } else {
      position = end
    }
    return String(decoding: source[start..<end], as: UTF8.self)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    byte == 0x5F || byte >= 0x80 || (0x30...0x39).contains(byte)
      || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }
}
