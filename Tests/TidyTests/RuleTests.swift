import Testing

/// Each rule against small pieces of code: what it must find, and what it must leave alone.
@Suite struct RuleTests {
  @Test(arguments: [
    Case("LifeguardCore/Head.swift", "import Glibc", finds: 1),
    Case("LifeguardCore/Math.swift", "import Glibc", finds: 0),
    Case("LifeguardCore/Math.swift", "import Synchronization", finds: 1),
    Case("LifeguardStore/Database.swift", "import CSQLite\nimport LifeguardCore", finds: 0),
    Case("LifeguardStore/Database.swift", "import LifeguardHost", finds: 1),
    Case("LifeguardHost/A.swift", "@preconcurrency import struct Foundation.Date", finds: 1),
    Case("LifeguardHost/A.swift", "public import FoundationEssentials", finds: 1),
    Case("LifeguardHost/A.swift", "// import Foundation\nlet a = \"import Foundation\"", finds: 0),
    Case("LifeguardAgent/A.swift", "import LifeguardServer", finds: 1),
    Case("lifeguard/A.swift", "import ArgumentParser", finds: 0),
    Case("Tests/LifeguardCoreTests/A.swift", "import Foundation", finds: 1),
    Case("Tests/LifeguardCoreTests/A.swift", "@testable import LifeguardCore", finds: 0),
  ])
  func `imports against the arrows are found`(_ example: Case) {
    example.expect(ImportRules.check)
  }

  @Test(arguments: [
    Case("LifeguardCore/A.swift", "print(1)", finds: 1),
    Case("lifeguard/A.swift", "print(1)", finds: 0),
    Case("LifeguardCore/A.swift", "blueprint(1); page.print(1); func print(_ a: Int) {}", finds: 0),
    Case("LifeguardCore/A.swift", "let a = \"print(1)\" // print(1)", finds: 0),
    Case("LifeguardCore/A.swift", "let a = \"\\(print(1))\"", finds: 1),
    Case("LifeguardCore/A.swift", "let now = Date()", finds: 1),
    Case("LifeguardCore/A.swift", "let a = try! f()", finds: 1),
    Case("LifeguardCore/A.swift", "let a = b as! C", finds: 1),
    Case("LifeguardCore/A.swift", "if has != b { }", finds: 0),
    Case("LifeguardCore/A.swift", "fatalError(\"no\")", finds: 1),
    Case("LifeguardCore/A.swift", "try await Task.sleep(nanoseconds: 1)", finds: 1),
    Case("LifeguardCore/A.swift", "DispatchQueue.main.async { }", finds: 1),
    Case("LifeguardAgent/A.swift", "Task { await f() }", finds: 1),
    Case("LifeguardAgent/A.swift", "Task { await f() } // why: ends with the agent", finds: 0),
    Case("LifeguardHost/A.swift", "final class A: @unchecked Sendable {}", finds: 1),
    Case("LifeguardHost/A.swift", "nonisolated(unsafe) let a = b  // why: never changed", finds: 0),
    Case("LifeguardHost/A.swift", "nonisolated(unsafe) let a = b  // never changed", finds: 1),
    Case("LifeguardHost/A.swift", "let a = try? f()", finds: 1),
    Case("LifeguardHost/A.swift", "let a = try? f()  // a missing file is no data", finds: 0),
    Case("LifeguardHost/A.swift", "// a missing file is no data\nlet a = try? f()", finds: 0),
    Case("LifeguardHost/A.swift", "f()  // why\nlet a = try? f()", finds: 1),
    Case("LifeguardHost/A.swift", "getenv(\"HOME\")", finds: 1),
    Case("LifeguardConfiguration/A.swift", "getenv(\"HOME\")", finds: 0),
    Case("Tests/LifeguardCoreTests/A.swift", "print(1)", finds: 0),
  ])
  func `banned calls are found and others are not`(_ example: Case) {
    example.expect(CallRules.check)
  }

  @Test(arguments: [
    Case("LifeguardHost/A.swift", "let a = open(path, O_RDONLY)", finds: 1),
    Case("LifeguardHost/A.swift", "let a = open(path, O_RDONLY | O_CLOEXEC)", finds: 0),
    Case("LifeguardHost/A.swift", "let a = open(\n  path,\n  O_RDONLY | O_CLOEXEC)", finds: 0),
    Case("LifeguardHost/A.swift", "let a = socket(AF_UNIX, stream, 0)", finds: 1),
    Case("LifeguardHost/A.swift", "let a = socket(AF_UNIX, stream | cloexec, 0)", finds: 0),
    Case("LifeguardHost/A.swift", "incident.open(at: now)", finds: 0),
  ])
  func `descriptors that scripts would inherit are found`(_ example: Case) {
    example.expect(CallRules.descriptors)
  }

  @Test(arguments: [
    Case("LifeguardCore/A.swift", "// TO" + "DO: later", finds: 1),
    Case("LifeguardCore/A.swift", "let stubborn = 1", finds: 0),
  ])
  func `unfinished work is found`(_ example: Case) {
    example.expect(CallRules.unfinished)
  }

  @Test(arguments: [
    Case("LifeguardCore/A.swift", String(repeating: "x", count: 101), finds: 1),
    Case("LifeguardCore/A.swift", String(repeating: "é", count: 100), finds: 0),
    Case("LifeguardCore/A.swift", "\tlet a = 1", finds: 1),
    Case("LifeguardCore/A.swift", "\"" + String(repeating: "x", count: 101) + "\"", finds: 1),
    Case("Tests/T/A.swift", "\"" + String(repeating: "x", count: 101) + "\"", finds: 0),
    Case("Tests/T/A.swift", "f(" + String(repeating: "x", count: 101) + "\"a\")", finds: 1),
  ])
  func `wide lines and tabs are found`(_ example: Case) {
    example.expect(ShapeRules.width)
  }

  @Test(arguments: [
    Case("LifeguardCore/A.swift", lines(701), finds: 1),
    Case("LifeguardCore/A.swift", lines(700), finds: 0),
  ])
  func `long files are found`(_ example: Case) {
    example.expect(ShapeRules.fileLength)
  }

  @Test(arguments: [
    Case("LifeguardCore/A.swift", function(lines: 71), finds: 1),
    Case("LifeguardCore/A.swift", function(lines: 70), finds: 0),
    Case("LifeguardCore/A.swift", "init?(\n  a: Int\n) {\n\(lines(80))}", finds: 1),
    Case(
      "LifeguardCore/A.swift", "protocol P {\n  func a()\n  func b()\n}\n\(lines(90))", finds: 0),
    Case(
      "LifeguardCore/A.swift", "struct A {\n  func a() {\n  }\n\(lines(90))  func b() {}\n}",
      finds: 0),
    Case(
      "LifeguardCore/A.swift",
      "func a(b: () -> Void = { c() }) {\n  let d = \"}\"\n  // }\n\(lines(70))}", finds: 1),
    Case("LifeguardCore/A.swift", "self.init(a)\n\(lines(90))", finds: 0),
  ])
  func `long functions are found`(_ example: Case) {
    example.expect(ShapeRules.functionLength)
  }

  @Test(arguments: [
    Case("LifeguardCore/A.swift", "static var shared = A()", finds: 1),
    Case("LifeguardCore/A.swift", "private static var shared: A?", finds: 1),
    Case("LifeguardCore/A.swift", "static var a: A = { A() }()", finds: 1),
    Case("LifeguardCore/A.swift", "static var a: A { A() }", finds: 0),
    Case("LifeguardCore/A.swift", "static let a = A()", finds: 0),
  ])
  func `stored static variables are found`(_ example: Case) {
    example.expect(ShapeRules.staticState)
  }

  @Test(arguments: [
    Case("LifeguardCore/A.swift", "public struct A {}", finds: 1),
    Case("LifeguardCore/A.swift", "/// What it is.\npublic struct A {}", finds: 0),
    Case("LifeguardCore/A.swift", "/// What it is.\n@frozen\npublic struct A {}", finds: 0),
    Case("LifeguardCore/A.swift", "// What it is.\npublic struct A {}", finds: 1),
    Case("LifeguardCore/A.swift", "public mutating func a(_ b: Int) {}", finds: 1),
    Case("LifeguardCore/A.swift", "public static func == (a: A, b: A) -> Bool {}", finds: 0),
    Case("LifeguardCore/A.swift", "struct A {}", finds: 0),
    Case("LifeguardCore/A.swift", "  public enum Kind {", finds: 0),
    Case("LifeguardCore/A.swift", "extension A: P {\n  public func a() {}\n}", finds: 0),
    Case("LifeguardCore/A.swift", "extension A {\n  public func a() {}\n}", finds: 1),
    Case("LifeguardCore/A.swift", "public enum Kind {", finds: 1),
  ])
  func `public declarations without a comment are found`(_ example: Case) {
    example.expect { ShapeRules.documentation($0) }
  }

  @Test(arguments: [
    Case("LifeguardCore/A.swift", "final class AlertManager {}", finds: 1),
    Case("LifeguardCore/A.swift", "enum Utils {}", finds: 1),
    Case("LifeguardCore/A.swift", "struct Alertmanager {}", finds: 0),
  ])
  func `names that say nothing are found`(_ example: Case) {
    example.expect(ShapeRules.names)
  }

  @Test(arguments: [
    Case("Tests/T/A.swift", "@Test func testIt() {}", finds: 1),
    Case("Tests/T/A.swift", "@Test func `it works`() {}", finds: 1),
    Case("Tests/T/A.swift", "@Test func `it works again`() {}", finds: 0),
    Case("Tests/T/A.swift", "@Test func `The port is open.`() {}", finds: 1),
    Case("Tests/T/A.swift", "@Test func `HTTP/1.1 is spoken`() {}", finds: 0),
    Case("Tests/T/A.swift", "@Test(\n  arguments: [1]\n)\nfunc one(_ a: Int) {}", finds: 1),
    Case("LifeguardCore/A.swift", "@Test func testIt() {}", finds: 0),
  ])
  func `test names that are no sentences are found`(_ example: Case) {
    example.expect(ShapeRules.testNames)
  }

  @Test func `what a protocol asks for is documented there`() {
    let asking = SourceFile(
      path: "Sources/LifeguardHost/P.swift", text: "protocol P {\n  func a(b: Int)\n}\nfunc c() {}")
    let giving = SourceFile(
      path: "Sources/LifeguardHost/A.swift",
      text: "struct A: P {\n  public func a(b: Int) {}\n  public func c() {}\n}")
    let required = ShapeRules.requirements([asking, giving])
    #expect(required == ["func a"])
    #expect(ShapeRules.documentation(giving, required: required).map(\.line) == [3])
  }

  @Test func `a collector that nobody registers is found`() {
    let collector = SourceFile(
      path: "Sources/LifeguardHost/Collectors/LoadCollector.swift",
      text: "struct LoadCollector: Collector {}\nlet a = LoadCollector()")
    let silent = SourceFile(
      path: "Sources/LifeguardHost/Registry.swift", text: "// LoadCollector()")
    let registry = SourceFile(
      path: "Sources/LifeguardHost/Registry.swift", text: "let all = [LoadCollector()]")
    #expect(RegistrationRules.check([collector, silent]).count == 1)
    #expect(RegistrationRules.check([collector, registry]).isEmpty)
  }

  @Test func `links that lead nowhere are found`() {
    let page = """
      # A page
      [here](#a-page) [there](other.md#setting-up) [up](../README.md "title") [out](https://x.y)
      [gone](gone.md) [nowhere](other.md#nowhere) `[code](gone.md)`
      ```
      [fenced](gone.md)
      ```
      """
    let files = ["docs/page.md": page, "docs/other.md": "## Setting up!\n", "README.md": ""]
    let found = DocumentRules.brokenLinks(
      path: "docs/page.md", text: page, exists: { files[$0] != nil }, read: { files[$0] })
    #expect(found.map(\.line) == [3, 3])
  }

  @Test func `a gap between decisions and a missing heading are found`() {
    let whole = "# T\n## Context\n## Decision\n## Alternatives\n## Consequences\n"
    let first = (path: "docs/decisions/0001-a.md", text: whole)
    #expect(DocumentRules.decisions([first]).isEmpty)
    #expect(
      DocumentRules.decisions([first, (path: "docs/decisions/0003-b.md", text: whole)]).count == 1)
    #expect(
      DocumentRules.decisions([(path: "docs/decisions/0001-a.md", text: "# T\n## Context\n")])
        .count == 3)
  }

  @Test func `machine paths and registries are found where they start`() {
    let text = "cd /wo" + "rk/main\nmount $box/wo" + "rk/x\nsee https://py" + "pi.org/project\n"
    #expect(DocumentRules.machinePaths(path: "a.md", text: text).map(\.line) == [1, 3])
  }

  @Test func `code and comments are told apart in every kind of literal`() {
    let text = #"""
      let a = "text // no comment \("in" + b /* c */) \" end" // comment
      /* outer /* inner */ still */ let d = ##"raw "# quote"## + `odd name`
      let e = """
        print(1) \(print(2))
        """
      """#
    let file = SourceFile(path: "Sources/X/A.swift", text: text)
    #expect(file.comments[0].contains("// comment"))
    #expect(!file.code[0].contains("no comment"))
    #expect(file.code[0].contains("+ b"))
    #expect(!file.code[0].contains("end"))
    #expect(file.code[1].contains("let d ="))
    #expect(!file.code[1].contains("odd"))
    #expect(!file.code[1].contains("quote"))
    #expect(file.code[3].contains("print(2)"))
    #expect(!file.code[3].contains("print(1)"))
    #expect(file.code.count == file.lines.count)
  }

  private static func lines(_ count: Int) -> String {
    String(repeating: "  f()\n", count: count)
  }

  private static func function(lines count: Int) -> String {
    "func a() {\n\(lines(count - 2))}\n"
  }
}

/// A piece of code, the file it stands in, and how many violations it holds.
struct Case: CustomTestStringConvertible, Sendable {
  let path: String
  let text: String
  let finds: Int

  init(_ path: String, _ text: String, finds: Int) {
    self.path = path.hasPrefix("Tests/") ? path : "Sources/" + path
    self.text = text
    self.finds = finds
  }

  var testDescription: String {
    let firstLine = text.split(separator: "\n").first ?? ""
    return "\(path): \(firstLine.prefix(60))"
  }

  func expect(_ rule: (SourceFile) -> [Violation]) {
    let found = rule(SourceFile(path: path, text: text))
    #expect(found.count == finds, "\(found)")
  }
}
