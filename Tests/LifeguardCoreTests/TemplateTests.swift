import LifeguardCore
import Testing

/// The world of the recorded cases.
func recordedContext() -> TemplateContext {
  let labels: Labels = ["__name__": "m", "instance": "web-1:9100", "job": "n"]
  var context = TemplateContext(
    labels: labels, value: 97.12345, externalLabels: ["region": "eu"],
    externalURL: "http://h:9090/p/x")
  context.query = { (text) throws(TemplateError) in
    switch text {
    case "m": return [TemplateSample(labels: labels, value: 97.12345)]
    case "two", "unsorted":
      let a = TemplateSample(labels: ["k": "a"], value: 11)
      let b = TemplateSample(labels: ["k": "b"], value: 21)
      return text == "two" ? [a, b] : [b, a]
    case "nothing": return []
    default: throw TemplateError(message: "parse error", offset: 0)
    }
  }
  return context
}

@Suite struct TemplateTests {
  @Test(arguments: expansionCases)
  func `a template expands as Prometheus expands it`(_ row: ExpansionCase) throws {
    let result = try Template(parsing: row.template).render(recordedContext())
    if row.expected.hasPrefix("error: ") {
      #expect(result.hasPrefix("<error expanding template: error executing template"))
      #expect(result.hasSuffix(": \(row.expected.dropFirst(7))>"), "\(result)")
    } else {
      #expect(result == row.expected)
    }
  }

  @Test(arguments: [
    ("{{", "unclosed action", 2), ("{{ $value", "unclosed action", 9),
    ("{{ nope }}", "function \"nope\" not defined", 3),
    ("{{ $nope }}", "undefined variable \"$nope\"", 3),
    ("{{ if true }}x", "unexpected EOF", 14), ("x{{ end }}", "unexpected {{end}}", 4),
    ("{{ else }}", "unexpected {{else}}", 3), ("{{ if }}x{{ end }}", "missing value for if", 6),
    ("{{ 1 | 2 }}", "non executable command in pipeline stage 2", 7),
    ("{{ \"a }}", "unterminated quoted string", 3),
    ("{{ (1 }}", "unclosed left paren", 3), ("{{ 1x }}", "bad number syntax: \"1x\"", 3),
    ("{{/* x }}", "unclosed comment", 0),
    ("{{ break }}", "{{break}} outside {{range}}", 3),
    ("{{ $x = 1 }}", "undefined variable \"$x\"", 3),
    ("{{ if true }}{{ $y := 1 }}{{ end }}{{ $y }}", "undefined variable \"$y\"", 38),
  ])
  func `a broken template is refused when it is parsed, with its place`(
    _ row: (text: String, message: String, offset: Int)
  ) {
    #expect(throws: TemplateError(message: row.message, offset: row.offset)) {
      try Template(parsing: row.text)
    }
  }

  @Test func `an integer and a float compare, which Go refuses`() throws {
    let template = try Template(parsing: "{{ if gt $value 80 }}high{{ end }}{{ eq 1 1.0 }}")
    #expect(template.render(recordedContext()) == "hightrue")
  }

  @Test func `sortByLabel sorts by a label`() throws {
    let template = try Template(
      parsing: #"{{ range query "unsorted" | sortByLabel "k" }}{{ .Value }} {{ end }}"#)
    #expect(template.render(recordedContext()) == "11 21 ")
  }

  @Test func `range counts over an integer, as newer Go does`() throws {
    #expect(
      try Template(parsing: "{{ range 3 }}{{ . }}{{ end }}").render(recordedContext()) == "012")
  }

  @Test func `title keeps the rest of each word, as Prometheus 3 does`() throws {
    let template = try Template(parsing: #"{{ title "aa bb-CC don't x.y 1ab foo_bar" }}"#)
    #expect(template.render(recordedContext()) == "Aa Bb-CC Don't X.y 1ab Foo_bar")
  }

  @Test func `declared variables come from the context, others are refused`() throws {
    var context = recordedContext()
    context.variables = ["title": "disk full"]
    let template = try Template(
      parsing: "{{ $title | toUpper }}{{ $other }}", variables: ["title", "other"])
    #expect(template.render(context) == "DISK FULL")
  }

  @Test func `a recursive template ends with an error`() throws {
    let template = try Template(
      parsing:
        #"{{ define "a" }}{{ template "b" }}{{ end }}{{ define "b" }}{{ template "a" }}{{ end }}{{ template "a" }}"#
    )
    #expect(template.render(recordedContext()).contains("exceeded maximum template depth"))
  }

  @Test func `a template that grows without bound ends with an error`() throws {
    let doubling = try Template(
      parsing:
        #"{{ $x := "0123456789" }}{{ range 60 }}{{ $x = printf "%s%s" $x $x }}{{ end }}{{ $x }}"#)
    #expect(doubling.render(recordedContext()).contains("longer than 65536 bytes"))
    let wide = try Template(parsing: #"{{ range 100000 }}{{ printf "%10000d" 1 }}{{ end }}"#)
    #expect(wide.render(recordedContext()).contains("longer than 65536 bytes"))
    let busy = try Template(parsing: "{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}")
    #expect(busy.render(recordedContext()).contains("more than 100000 steps"))
  }

  @Test func `nesting has a limit`() {
    let deep = String(repeating: "{{ if true }}", count: 2000)
    #expect(throws: TemplateError.self) { try Template(parsing: deep) }
    let parentheses = "{{ " + String(repeating: "(", count: 20_000) + " }}"
    #expect(throws: TemplateError.self) { try Template(parsing: parentheses) }
  }

  @Test func `match and reReplaceAll use the expression engine that the context brings`() throws {
    var context = recordedContext()
    let template = try Template(
      parsing: #"{{ reReplaceAll "x" "[$0$$]" "axbx" }} {{ match "x" "y" }}"#)
    context.regularExpression = nil
    #expect(template.render(context).contains("regular expressions are not available here"))
    context.regularExpression = { _ in
      TemplatePattern { text, start in
        text[start...].firstIndex(of: UInt8(ascii: "x")).map { [$0..<($0 + 1)] }
      }
    }
    #expect(template.render(context) == "a[x$]b[x$] false")
  }

  @Test func `no text makes the engine crash or hang`() {
    var random = SeededGenerator(seed: 0x7E3)
    let pieces = [
      "{{", "}}", "{{-", "-}}", " ", "if", "else", "end", "range", "with", "define", "template",
      "\"a\"", "`", "\"", "'", "$", "$x", ":=", "=", "|", "(", ")", ".", ".a", "$labels", "$value",
      "1", "-1", "1.5", "1e400", "0x", "printf", "\"%*.*f\"", "\"%[9]d\"", "humanize", "index",
      "slice", "args", "é", "\n", "/*", "*/", ",", "$i, $e :=", "break", "nil", "true", "eq", "and",
      "len", "\\", "\0", "query", "first", "parseDuration", "99999999999999999999", "toTime",
    ]
    let context = recordedContext()
    for _ in 0..<20_000 {
      var text = ""
      for _ in 0..<Int.random(in: 1...24, using: &random) {
        text += pieces.randomElement(using: &random) ?? ""
        if Bool.random(using: &random) { text += " " }
      }
      // A text that the parser refuses is as good as one that it takes.
      if let template = try? Template(parsing: text) { _ = template.render(context) }
    }
    for recorded in expansionCases {
      var bytes = Array(recorded.template.utf8)
      for _ in 0..<40 {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        bytes[index] = UInt8.random(in: 0...255, using: &random)
        // As above.
        if let template = try? Template(parsing: String(decoding: bytes, as: UTF8.self)) {
          _ = template.render(context)
        }
      }
    }
  }
}

@Suite struct TemplatePatternTests {
  @Test(arguments: [
    (#"(?P<n>\d+)"#, "<${n}>", "a12b3", "a<12>b<3>"), ("^a", "x", "aaa", "xaa"),
    (#"\bb"#, "x", "ab b", "ab x"), ("a|ab", "x", "abab", "xbxb"), (".", "x", "a\nb", "x\nx"),
    ("", "-", "éa", "-é-a-"), ("(a)|(b)", "[$1|$2]", "ab", "[a|][|b]"), ("é+", "e", "ééa", "ea"),
    ("a$", "x", "aa", "ax"), ("(?i)A", "$0$0", "ab", "aab"),
  ])
  func `reReplaceAll replaces as Go does`(
    _ row: (pattern: String, replacement: String, text: String, expected: String)
  ) throws {
    var context = TemplateContext(labels: ["t": row.text])
    context.variables = ["p": row.pattern, "r": row.replacement]
    let template = try Template(
      parsing: "{{ reReplaceAll $p $r $labels.t }}", variables: ["p", "r"])
    #expect(template.render(context) == row.expected)
  }

  @Test func `a pattern that RE2 refuses is an error, balanced by its frame or not`() throws {
    for pattern in ["a)(b", "(", "[z-a]", #"\1"#, "a**"] {
      let template = try Template(parsing: "{{ match $p \"a\" }}", variables: ["p"])
      let context = TemplateContext(labels: [:], variables: ["p": pattern])
      #expect(template.render(context).contains("error calling match"), "\(pattern)")
    }
  }

  @Test func `a hostile pattern or text ends soon`() throws {
    let many = try Template(parsing: #"{{ reReplaceAll "" "x" $labels.t }}"#)
    let long = TemplateContext(labels: ["t": String(repeating: "a", count: 60_000)])
    #expect(many.render(long).contains("too many matches"))
    let nested = try Template(parsing: #"{{ match "(a+)+b" $labels.t }}"#)
    #expect(
      nested.render(TemplateContext(labels: ["t": String(repeating: "a", count: 5000)])) == "false")
  }
}
