import TestSupport
import Testing

@testable import LifeguardCore

@Suite struct RegularExpressionTests {
  @Test(arguments: [
    ("a.c", "abc", true), ("a.c", "a\nc", true), ("(?-s)a.c", "a\nc", false),
    ("abc", "abcd", false), ("abc", "zabc", false), ("", "", true), ("", "a", false),
    ("a|b", "b", true), ("a|b", "ab", false), ("(a|ab)(c|bcd)(d*)", "abcd", true),
    ("x*", "", true), ("x+", "", false), ("x?y", "y", true), ("a{2,3}", "aaaa", false),
    ("a{2,3}", "aaa", true), ("a{2,}", "aaaaa", true), ("a{,3}", "a{,3}", true),
    ("[^abc]", "d", true), ("[^abc]", "a", false), ("[a-c-]+", "a-c", true), ("[]a]", "]", true),
    ("[[:digit:]]+", "2026", true), ("[[:^digit:]]", "7", false), (#"\d+\w\s\D"#, "12a x", true),
    (#"\Qa.b\E"#, "a.b", true), (#"\Qa.b\E"#, "axb", false), (#"\x41\x{1F600}"#, "A😀", true),
    (#"\101"#, "A", true), (#"a\.b"#, "a.b", true), (#"\bfoo\b.*"#, "foo bar", true),
    ("(?i)straße", "STRAßE", true), ("(?i:pro).*", "PROduction", true), ("(?i)k", "\u{212A}", true),
    ("(?m)^a$\n^b$", "a\nb", true), ("^a$", "a", true), ("a$b", "ab", false),
    ("(?P<n>a)(?<m>b)", "ab", true), (".", "é", true), ("..", "\r\n", true),
    (".", "e\u{301}", false),
    (#"\p{L}+"#, "Größe", true), (#"\pN"#, "٣", true), (#"\P{L}"#, "a", false),
    ("(?i)ß", "ẞ", true), ("(?i)å", "Å", true), ("(?i)σ+", "Σςσ", true), ("(?i)i", "ı", false),
    ("(?i)İ", "i", false), (#"(?i)[^\W]"#, "\u{212A}", true), (#"(?i)\W"#, "\u{17F}", false),
    (#"(?i)\P{Lu}"#, "a", false), (#"\P{Lu}"#, "a", true), ("(?i)[[:^upper:]]", "a", false),
    (#"\p{Greek}+"#, "αβγ", true), ("(?U)a+.*", "aaa", true), ("(?:(?:a)*)*", "aaaa", true),
    ("(a*)*", "b", false), ("(a*)+", "", true), ("(|a)+", "aaa", true),
  ])
  func `a pattern matches the whole text as RE2 does`(
    pattern: String, text: String, expected: Bool
  ) throws {
    #expect(try RegularExpression(pattern).matches(text) == expected)
  }

  @Test(arguments: [
    ("a(b", "missing closing ): `a(b`"), ("a)b", "unexpected ): `a)b`"),
    ("*a", "missing argument to repetition operator: `*`"),
    ("a**", "invalid nested repetition operator: `**`"),
    ("a{1001}", "invalid repeat count: `{1001}`"), ("a{3,2}", "invalid repeat count: `{3,2}`"),
    ("[a", "missing closing ]: `[a`"), ("[z-a]", "invalid character class range: `z-a`"),
    (#"a\"#, "trailing backslash at end of expression: ``"),
    (#"\8"#, "invalid escape sequence: `\\8`"),
    (#"\p{None}"#, "invalid character class range: `\\p{None}`"),
    ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
    ("(?<!a)", "invalid or unsupported Perl syntax: `(?<`"),
    (#"(a)\1"#, "invalid escape sequence: `\\1`"),
    ("(?P<1-2>a)", "invalid named capture: `(?P<1-2>`"),
    ("((a{100}){100}){100}", "invalid repeat count: `{100}`"),
  ])
  func `what RE2 refuses is refused with its words`(pattern: String, message: String) throws {
    let error = #expect(throws: RegularExpressionError.self) {
      _ = try RegularExpression(pattern)
    }
    #expect(error?.description == "error parsing regexp: \(message)")
  }

  @Test(
    arguments: [
      ("a*", "(?i)*", 10_000, "expression nests too deeply"),
      ("a*", "(?i)*", 100_000, "expression too large"),
      ("a", #"\Q\E{1}"#, 5000, "expression nests too deeply"),
      ("[", #"\pL"#, 20_000, "expression too large"),
      ("", #"\pL"#, 20_000, "expression too large"),
      ("", "[[:", 20_000, "missing closing ]"),
      ("", "a", 1 << 20, "expression too large"),
      ("", "[ab]?", 5000, "expression too large"),
    ])
  func `a pattern that would cost more than it is long is refused`(
    start: String, repeated: String, count: Int, message: String
  ) {
    let error = #expect(throws: RegularExpressionError.self) {
      _ = try RegularExpression(start + String(repeating: repeated, count: count))
    }
    #expect(error?.code.rawValue == message)
  }

  @Test
  func `long patterns and many repetitions are taken within reason`() throws {
    let stacked = try RegularExpression("a" + String(repeating: "(?i)*", count: 200))
    #expect(stacked.matches("aaa"))
    #expect(!stacked.matches("b"))
    // Written out as texts it would be two megabytes.
    let long = String(repeating: "a", count: 8000)
    let many = try RegularExpression(String(repeating: "(a|b)", count: 8) + long)
    #expect(many.literals == nil)
    #expect(many.matches("abababab" + long))
    // What a dashboard makes of a long list of hosts is looked up.
    let hosts = (0..<2000).map { #"10\.0\.\#($0)\.1:9100"# }
    #expect(try RegularExpression(hosts.joined(separator: "|")).literals?.count == 2000)
    #expect(try RegularExpression("(web|db)-[1]{1}|x").literals == nil)
    #expect(try RegularExpression("(web|db)-(1|2)").literals == ["web-1", "web-2", "db-1", "db-2"])
  }

  @Test(arguments: [
    "(a+)+b", "(a|a)*b", "(a*)*b", "(.*)(.*)(.*)(.*)x", "([a-z]+)*!", "(a?){50}a{50}b",
  ])
  func `the work grows in step with the text`(pattern: String) throws {
    let expression = try RegularExpression(pattern)
    func steps(_ length: Int) -> Double {
      Double(expression.steps(matching: String(repeating: "a", count: length)))
    }
    let ratio = steps(4000) / steps(400)
    #expect(ratio < 11)
    #expect(steps(4000) < 4000 * 400)
  }

  @Test(arguments: [
    ("(.*)-(.*)", "a-b", "$2-$1", "b-a"), ("(.*)", "x", "$1$1", "xx"), ("(.*)", "x", "${1}1", "x1"),
    ("(.*)", "x", "$11", ""), ("(.*)", "x", "<${9223372036854775807}>", "<>"),
    ("(.*)", "x", "<$99999999999999999999>", "<>"),
    ("(?P<n>.*)", "x", "<$n>", "<x>"), ("a(b)?", "a", "[$1]", "[]"),
    ("(.*)", "x", "$$1", "$1"), ("(.*)", "x", "$", "$"), ("(.*)", "x", "$-", "$-"),
    ("(a+)(a*)", "aaa", "$1|$2", "aaa|"), ("(a+?)(a*)", "aaa", "$1|$2", "a|aa"),
    ("(a|ab)(c|bcd)", "abcd", "$1,$2", "a,bcd"), ("(.)(.)", "é√", "$2$1", "√é"),
  ])
  func `groups fill a template as in Go`(
    pattern: String, text: String, template: String, expected: String
  ) throws {
    #expect(try RegularExpression(pattern).expand(template, matching: text) == expected)
  }

  @Test func `any text at all is a pattern or an error`() {
    var random = SplitMix(seed: Fuzzing.seed)
    let alphabet = Array("ab01()[]{}|*+?.^$\\-:,PQEdwpx<>i=!é ")
    for _ in Fuzzing.rounds(20_000) {
      let length = Int.random(in: 0...14, using: &random)
      let text = String(
        (0..<length).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] })
      // Errors are as good as patterns here: it must end.
      guard let expression = try? RegularExpression(text) else { continue }
      _ = expression.matches("ab01()")
    }
  }
}
