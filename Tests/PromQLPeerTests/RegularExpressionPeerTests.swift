import TestSupport
import Testing

@testable import LifeguardCore

/// Our automaton beside RE2 itself (google-re2 from PyPI): the same patterns taken and refused, the
/// same texts matched, anchored and with `.` matching a newline.
struct RegularExpressionPeerTests {
  /// Reads `pattern, text, text …` as JSON arrays, one a line; answers `E` or a 0 or 1 a text.
  private static let program = """
    import json, re2, sys
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    options.max_mem = 64 << 20
    for line in sys.stdin:
        pattern, *texts = json.loads(line)
        try:
            compiled = re2.compile(pattern, options)
            print("".join("1" if compiled.fullmatch(text) else "0" for text in texts))
        except re2.error:
            print("E")
    """

  private static var python: String? {
    [SourceTree.path(".build/venv/bin/python3"), "python3"].first { candidate in
      // A Python without the module is as good as none.
      guard let path = Requirement.locate(candidate) else { return false }
      let child = try? ChildProgram([path, "-c", "import re2"])
      return child?.waitForEndBlocking(seconds: 20) == .exited(0)
    }
  }

  private static let requirement = Requirement(
    isMet: python != nil, reason: "needs google-re2: `scripts/setup.sh test` installs it")

  @Test(.enabled(if: requirement.isMet, "\(requirement.reason)"))
  func `patterns mean what they mean in RE2`() async throws {
    let python = try #require(Self.python)
    var generator = PatternGenerator(random: RandomSource(seed: Fuzzing.seed))
    for _ in Fuzzing.rounds(1) {
      try await compare((0..<2000).map { _ in generator.question() }, python)
    }
  }

  private func compare(
    _ questions: [(pattern: String, texts: [String])], _ python: String
  ) async throws {
    let input = questions.map { question in
      JSON.array(([question.pattern] + question.texts).map { .string($0) }).text()
    }
    let result = try await ChildProgram.run(
      [python, "-c", Self.program], input: input.joined(separator: "\n") + "\n",
      timeout: .seconds(60))
    let answers = result.standardOutput.split(separator: "\n").map(String.init)
    try #require(answers.count == questions.count, "\(result)")
    var differences = 0
    for (question, theirs) in zip(questions, answers) where differences < 10 {
      let ours: String
      do {
        let expression = try RegularExpression(question.pattern)
        ours = question.texts.map { expression.matches($0) ? "1" : "0" }.joined()
      } catch {
        ours = "E"
      }
      guard ours != theirs, !PatternGenerator.differsInGo(question.pattern) else { continue }
      differences += 1
      Issue.record("\(question.pattern.debugDescription) \(question.texts): \(ours), not \(theirs)")
    }
    #expect(answers.contains("E"))
    #expect(answers.contains { $0.contains("1") && $0.contains("0") })
  }
}

/// Random patterns, most of them valid, and texts that they may match.
struct PatternGenerator {
  var random: RandomSource

  mutating func question() -> (pattern: String, texts: [String]) {
    let pattern = random.chance(15) ? noise() : alternatives(3)
    return (pattern, (0..<6).map { _ in text() })
  }

  /// Where Go, whose engine Prometheus has, departs from RE2 on purpose.
  static func differsInGo(_ pattern: String) -> Bool {
    // \\C, one byte, is not in Go; a name for two groups is, in newer versions of RE2.
    pattern.contains("\\C")
      || ["n", "m"].contains { name in
        pattern.split(separator: "<\(name)>", omittingEmptySubsequences: false).count > 2
      }
  }

  private mutating func text() -> String {
    let letters = [
      "a", "b", "c", "A", "1", "_", "-", " ", "\n", "é", "ß", "K", "x", ".", "k", "ẞ", "σ", "ς",
      "ſ",
      "ı", "Å", "ǅ",
    ]
    return (0..<random.integer(0...7)).map { _ in random.pick(letters) }.joined()
  }

  private mutating func noise() -> String {
    let parts = [
      "a", "b", "(", ")", "[", "]", "{", "}", "|", "*", "+", "?", ".", "^", "$", "\\", "-", ":",
      ",", "1", "2", "(?i)", "(?:", "[^", "\\d", "\\Q", "\\E", "(?P<n>", "\\x", "\\pL", "[[:",
      ":]]", "<", ">", "=", "!",
    ]
    return (0..<random.integer(0...10)).map { _ in random.pick(parts) }.joined()
  }

  private mutating func alternatives(_ depth: Int) -> String {
    (0..<random.integer(1...(random.chance(30) ? 3 : 1))).map { _ in sequence(depth) }
      .joined(separator: "|")
  }

  private mutating func sequence(_ depth: Int) -> String {
    (0..<random.integer(0...4)).map { _ in repeated(depth) }.joined()
  }

  private mutating func repeated(_ depth: Int) -> String {
    let part = atom(depth)
    guard random.chance(40) else { return part }
    return part
      + random.pick([
        "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0}", "{2,}", "{0,3}", "{1,3}?", "{,2}",
      ])
  }

  private mutating func atom(_ depth: Int) -> String {
    if depth > 0, random.chance(25) {
      let open = random.pick([
        "(", "(?:", "(?i:", "(?s:", "(?-s:", "(?m:", "(?U:", "(?P<n>", "(?<m>", "(?i-s:",
      ])
      return open + alternatives(depth - 1) + ")"
    }
    return random.pick([
      "a", "b", "c", "A", "1", "_", "-", " ", ".", ".", "é", "ß", "k", "\\.", "\\d", "\\D", "\\w",
      "\\W", "\\s", "\\S", "[a-c]", "[^a]", "[a-cA-C0-9_]", "[[:alpha:]]", "[^[:digit:]]", "[\\d_]",
      "[é-ü]", "[a\\]]", "[-a]", "\\pL", "\\p{Lu}", "\\PN", "\\p{^L}", "^", "$", "\\A", "\\z",
      "\\b",
      "\\B", "σ", "å", "ǆ", "\\P{Lu}", "[[:^upper:]]x?", "[^\\PL]", "\\n", "\\x41", "\\x{e9}",
      "\\141", "\\Qa.\\E", "(?i)", "[k-l]", "[^\\W]", "\\t",
    ])
  }
}
