import Testing

@testable import lifeguard

@Suite struct DisplayWidthTests {
  @Test(arguments: [
    ("", 0), ("plain text", 10), ("naïve", 5), ("nai\u{308}ve", 5), ("日本語", 6), ("한국", 4),
    ("ﾊﾝ", 2),
    ("Ａ", 2), ("🚑", 2), ("a🚑b", 4), ("♥\u{FE0F}", 2), ("→ · … ␊", 7), ("👩\u{200D}🚒", 4),
  ])
  func `columns are counted as terminals do`(text: String, columns: Int) {
    #expect(DisplayWidth.of(text) == columns)
  }

  @Test func `what is cut or broken fits, whatever it is made of`() {
    let terminal = Terminal(width: 40, hasColour: false)
    for text in [
      String(repeating: "word ", count: 30), String(repeating: "/path", count: 30),
      String(repeating: "日本語 ", count: 30), String(repeating: "日本語", count: 30),
      "short " + String(repeating: "🚑", count: 90) + " end", String(repeating: " ", count: 90),
    ] {
      #expect(DisplayWidth.of(terminal.fit(text, after: 5)) <= 35)
      let lines = terminal.wrap(text, indent: 21)
      #expect(lines.allSatisfy { DisplayWidth.of($0) <= 19 }, "\(lines)")
      let whole = lines.joined().filter { $0 != " " }
      #expect(whole == text.filter { $0 != " " })
    }
    #expect(Terminal.cut("日本語", to: 6) == "日本語")
    #expect(Terminal.cut("日本語", to: 5) == "日本…")
    #expect(Terminal.cut("日本語", to: 4) == "日…")
    let free = Terminal(width: nil, hasColour: false)
    #expect(free.wrap("as long as it is", indent: 0) == ["as long as it is"])
  }

  @Test func `columns of a table line up beside wide characters`() {
    var table = Table(indent: 0)
    table.add("日本", "x", "end")
    table.add("abcd", "y", "end")
    table.add("a", "z", "end")
    let lines = table.lines(Terminal(width: 80, hasColour: false))
    #expect(lines == ["日本  x  end", "abcd  y  end", "a     z  end"])
  }
}
