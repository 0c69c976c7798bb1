import LifeguardCore
import TestSupport
import Testing

@Suite struct ParserTests {
  @Test(arguments: [
    ("", "1:1: parse error: no expression found in input"),
    ("rate(", "1:6: parse error: unclosed left parenthesis"),
    ("rate(x[5m]", "1:11: parse error: unclosed left parenthesis"),
    ("foo{", "1:5: parse error: unexpected end of input inside braces"),
    ("foo[", "1:5: parse error: unexpected end of input in duration expression"),
    ("1 +", "1:4: parse error: unexpected end of input"),
    ("1)", "1:3: parse error: unexpected right parenthesis ')'"),
    ("sum", "ok"), ("sum(", "1:5: parse error: unclosed left parenthesis"),
    ("sum()", "1:1: parse error: no arguments for aggregate expression provided"),
    (
      "sum(a, b)",
      "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 1, got 2"
    ),
    (
      "topk(a)",
      "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1"
    ),
    (
      "sum by a (x)",
      "1:8: parse error: unexpected identifier \"a\" in grouping opts, expected \"(\""
    ),
    (
      "sum by (1) (x)", "1:9: parse error: unexpected number \"1\" in grouping opts, expected label"
    ),
    ("nosuch(x)", "1:1: parse error: unknown function with name \"nosuch\""),
    ("mad_over_time(x[5m])", "1:1: parse error: function \"mad_over_time\" is not enabled"),
    (
      "limitk(2, x)",
      "1:1: parse error: limitk() is experimental and must be enabled with --enable-feature=promql-experimental-functions"
    ),
    (
      "rate(x)",
      "1:6: parse error: expected type range vector in call to function \"rate\", got instant vector"
    ),
    ("rate(x[5m], 1)", "1:1: parse error: expected 1 argument(s) in call to \"rate\", got 2"),
    (
      "round(x, 1, 2)",
      "1:1: parse error: expected at most 2 argument(s) in call to \"round\", got 3"
    ),
    (
      "label_join(x)",
      "1:1: parse error: expected at least 3 argument(s) in call to \"label_join\", got 1"
    ),
    ("abs(x,)", "1:6: parse error: trailing commas not allowed in function call args"),
    (
      "x[5m] + 1",
      "1:1: parse error: binary expression must contain only scalar and instant vector types"
    ),
    ("1 > 2", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
    ("1 + bool 2", "1:3: parse error: bool modifier can only be used on comparison operators"),
    ("1 and x", "1:1: parse error: set operator \"and\" not allowed in binary scalar expression"),
    ("x and on(a) group_left y", "1:1: parse error: no grouping allowed for \"and\" operation"),
    (
      "x + on(a) group_left(a) y",
      "1:3: parse error: label \"a\" must not occur in ON and GROUP clause at once"
    ),
    ("x + on(a) 1", "1:1: parse error: vector matching only allowed between instant vectors"),
    (
      "-\"a\"",
      "1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got \"string\""
    ),
    ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
    (
      "{a=~\".*\"}", "1:1: parse error: vector selector must contain at least one non-empty matcher"
    ),
    ("x{__name__=\"y\"}", "1:1: parse error: metric name must not be set twice: \"x\" or \"y\""),
    (
      "x{a=\"b\" c=\"d\"}",
      "1:9: parse error: unexpected identifier \"c\" in label matching, expected \",\" or \"}\""
    ),
    (
      "x{a}",
      "1:4: parse error: unexpected \"}\" in label matching, expected label matching operator"
    ),
    ("x{a=b}", "1:5: parse error: unexpected identifier \"b\" in label matching, expected string"),
    ("x{a=~\"(\"}", "1:3: parse error: error parsing regexp: missing closing ): `(`"),
    ("x{a!b}", "1:4: parse error: unexpected character after '!' inside braces: 'b'"),
    ("x[5m][5m]", "1:6: parse error: ranges only allowed for vector selectors"),
    ("x offset 5m [5m]", "1:13: parse error: no offset modifiers allowed before range"),
    ("x @ 5 [5m]", "1:7: parse error: no @ modifiers allowed before range"),
    ("x offset 1m offset 2m", "1:1: parse error: offset may not be set multiple times"),
    ("x @ 1 @ 2", "1:1: parse error: @ <timestamp> may not be set multiple times"),
    (
      "1 offset 5m",
      "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery"
    ),
    (
      "x offset",
      "1:9: parse error: unexpected end of input in offset, expected number, duration, step(), or range()"
    ),
    ("x[5m:1m", "1:8: parse error: unclosed left bracket"),
    ("x[0]", "1:3: parse error: duration must be greater than 0"),
    ("x[5mm]", "1:3: parse error: bad number or duration syntax: \"5mm\""),
    ("x[5m5h]", "1:3: parse error: not a valid duration string: \"5m5h\""),
    (
      "0x",
      "1:1: parse error: error parsing number: strconv.ParseFloat: parsing \"0x\": invalid syntax"
    ),
    ("\"a", "1:1: parse error: unterminated quoted string"),
    ("\"\\q\"", "1:1: parse error: unknown escape sequence U+0071 'q'"),
    ("a\n+\n}", "3:1: parse error: unexpected character: '}'"),
    ("x anchored", "1:1: parse error: anchored modifier is experimental and not enabled"),
    ("1[5m:]", "1:1: parse error: subquery is only allowed on instant vector, got scalar instead"),
    (
      "time() and # comment\n x",
      "1:1: parse error: set operator \"and\" not allowed in binary scalar expression"
    ),
  ])
  func `an error has Prometheus' words and place`(text: String, expected: String) {
    do {
      _ = try Query(parsing: text)
      #expect(expected == "ok", "\(text) was accepted")
    } catch {
      #expect(error.description == expected)
    }
  }

  @Test(arguments: [
    "sum", "sum{a=\"b\"}", "offset", "start", "end{}", "step", "foo:bar:baz", ":a",
    "sum by (sum, by, offset) (x)", "{\"metric.name\", \"label name\"=\"v\"}", "x{a='b',}",
    "x{a=\"b\"} # trailing", "1_000 + 0x1F + 1e3 + .5 + 5.", "NaN + Inf - -inF", "1h30m + 5",
    "x offset -5m", "x offset 1h30m", "x @ start() offset 5m", "x[5m] @ end()", "x[1h:5m] @ 5",
    "x[1h:]", "x[30m+30m:min_of(1m, 30s)]", "SUM(x) BY (a)", "x AND y", "avg without () (x)",
    "`a\\b`", "-x ^ 2 % 3", "((x))", "x == bool 1", "a / on(b) group_right(c, d) e",
    "label_replace(x, \"a\", \"$1\", \"b\", \"(.*)\")", "vector(scalar(x))",
    "x offset 0s offset 5m",
  ])
  func `everything in the language is accepted`(text: String) throws {
    _ = try Query(parsing: text)
  }

  @Test func `unary minus binds looser than the power and the power groups to the right`() throws {
    func value(_ text: String) throws -> Double {
      let result = try Query(parsing: text).instant(
        over: ArraySource(), at: Timestamp(milliseconds: 0))
      guard case .scalar(let number) = result.value else { return .nan }
      return number
    }
    #expect(try value("-1 ^ 2") == -1)
    #expect(try value("2 ^ 3 ^ 2") == 512)
    #expect(try value("2 ^ -1 * 4") == 2)
    #expect(try value("1 + 2 * 3 - 4 / 2 % 2") == 7)
    #expect(try value("0755") == 493)
    #expect(try value("1h30m") == 5400)
    #expect(try value("1 == bool 1 + 1") == 0)
  }

  @Test func `random text ends in a query or an error`() {
    var random = SplitMix(seed: Fuzzing.seed)
    let seeds = [
      "sum by (a) (rate(x{b=~\"c.*\"}[5m] offset 1m)) / on(a) group_left(d) y > bool 3 ^ 2",
      "histogram_quantile(0.9, sum(rate(z[1h:30s] @ end())) by (le)) or -w unless v{q!=''}",
      "label_replace(up, \"a\", \"${1}\", \"b\", `(.*)`) and 0x1F + 1e-3 # comment",
    ]
    for round in Fuzzing.rounds(20_000) {
      var bytes = Array(seeds[round % seeds.count].utf8)
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let position = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0...3, using: &random) {
        case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: position)
        case 2: bytes.insert(UInt8.random(in: 32...126, using: &random), at: position)
        default: bytes.removeSubrange(position...)
        }
        if bytes.isEmpty { bytes = [UInt8(ascii: "(")] }
      }
      // Either is fine; a crash or a hang is not.
      _ = try? Query(parsing: String(decoding: bytes, as: UTF8.self))
    }
  }

  @Test func `nesting without end is refused before the stack is`() {
    #expect(throws: ParseError.self) {
      _ = try Query(parsing: String(repeating: "(", count: 100_000))
    }
    #expect(throws: ParseError.self) {
      _ = try Query(parsing: String(repeating: "-", count: 100_000) + "1")
    }
    #expect(throws: ParseError.self) {
      _ = try Query(parsing: "x" + String(repeating: "[1h:1m]", count: 5000) + "[")
    }
  }

  @Test(arguments: [
    ("x", 300), ("rate(x[10m])", 600), ("x offset 1h", 3900), ("rate(x[5m] offset -1m)", 240),
    ("max_over_time(rate(x[5m])[1h:1m])", 3900), ("time()", 0), ("x + y offset 10m", 900),
  ])
  func `how far back a query looks is known beforehand`(text: String, seconds: Int) throws {
    #expect(try Query(parsing: text).longestLookback == .seconds(seconds))
    #expect(try Query(parsing: "\(text) + z @ 5").longestLookback == nil)
  }
}
