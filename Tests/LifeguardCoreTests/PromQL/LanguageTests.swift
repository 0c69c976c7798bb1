import Testing

@Suite struct LanguageTests {
  @Test(arguments: LanguageScripts.all.map(\.name))
  func `the language gives the values worked out by hand`(name: String) throws {
    let text = try #require(LanguageScripts.all.first { $0.name == name }?.text)
    let script = try Script(text)
    #expect(!script.cases.isEmpty)
    for one in script.cases {
      let outcome = ScriptRunner().run(one)
      #expect(outcome == .passed, "line \(one.line): \(one.query)")
    }
  }

  @Test func `a wrong value is noticed`() throws {
    let script = try Script("load 1m\n  a 1\n\neval instant at 0 a\n  a 2\n\neval instant at 0 a\n")
    for one in script.cases { #expect(ScriptRunner().run(one) != .passed) }
  }
}
