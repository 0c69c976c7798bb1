import TestSupport
import Testing

/// The rules of the sources, applied to the project as it stands.
///
/// What each rule finds in bad code is tested beside this, in RuleTests: a rule that cannot fail
/// checks nothing.
@Suite struct TidyTests {
  @Test(arguments: FileRule.all)
  func `every Swift file keeps this rule`(_ rule: FileRule) throws {
    let files = try Tree.swiftFiles.get()
    #expect(files.count > 20, "the sources were not found")
    let found = files.flatMap(rule.check)
    #expect(found.isEmpty, "\(list(found))")
  }

  @Test func `public types and functions are documented`() throws {
    let files = try Tree.swiftFiles.get()
    let required = ShapeRules.requirements(files)
    let found = files.flatMap { ShapeRules.documentation($0, required: required) }
    #expect(found.isEmpty, "\(list(found))")
  }

  @Test func `every plug-in is registered`() throws {
    let found = RegistrationRules.check(try Tree.swiftFiles.get())
    #expect(found.isEmpty, "\(list(found))")
  }

  @Test func `every folder of sources has its imports settled`() throws {
    let targets = Set(
      try Tree.swiftFiles.get().filter(\.isSource).map(\.target)
    )
    #expect(targets.subtracting(ImportRules.allowed.keys).isEmpty)
  }

  @Test func `links between pages lead somewhere`() throws {
    let tree = try Tree.project.get()
    let found = try tree.paths.filter { $0.hasSuffix(".md") }.flatMap { path in
      DocumentRules.brokenLinks(
        path: path, text: try tree.text(path), exists: tree.exists,
        // try?: a target that is a folder has no headings to look for.
        read: { try? tree.text($0) })
    }
    #expect(found.isEmpty, "\(list(found))")
  }

  @Test func `decisions are numbered without a gap and complete`() throws {
    let tree = try Tree.project.get()
    let pages = try tree.paths
      .filter { $0.hasPrefix("docs/decisions/") && $0.hasSuffix(".md") }
      .map { (path: $0, text: try tree.text($0)) }
    let found = DocumentRules.decisions(pages)
    #expect(found.isEmpty, "\(list(found))")
  }

  @Test func `no file names one machine's folders or a registry's address`() throws {
    let tree = try Tree.project.get()
    let found = try tree.paths.filter { !$0.contains("/Fixtures/") && $0 != "Package.resolved" }
      .flatMap { DocumentRules.machinePaths(path: $0, text: try tree.text($0)) }
    #expect(found.isEmpty, "\(list(found))")
  }

  @Test func `continuous integration runs the test command with warnings as errors`() throws {
    let entry = try TextFile.read(SourceTree.path(".ci/run"))
    #expect(entry.contains("\nexec make test"))
    let makefile = try TextFile.read(SourceTree.path("Makefile"))
    #expect(makefile.contains("\n\t@scripts/test.sh"))
    let script = try TextFile.read(SourceTree.path("scripts/test.sh"))
    #expect(script.contains("swift build --build-tests -Xswiftc -warnings-as-errors"))
  }

  /// At most sixty, so that a new rule does not drown its reader.
  private func list(_ found: [Violation]) -> String {
    let shown = found.prefix(60).map(\.description).joined(separator: "\n")
    return "\(found.count) violations\n\(shown)"
  }
}

/// A rule that looks at one Swift file.
struct FileRule: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let check: @Sendable (SourceFile) -> [Violation]

  init(_ name: String, _ check: @escaping @Sendable (SourceFile) -> [Violation]) {
    testDescription = name
    self.check = check
  }

  static let all = [
    FileRule("imports follow the architecture", ImportRules.check),
    FileRule("banned calls stay out", CallRules.check),
    FileRule("nothing is left unfinished", CallRules.unfinished),
    FileRule("descriptors are closed on exec", CallRules.descriptors),
    FileRule("lines are at most 100 columns wide", ShapeRules.width),
    FileRule("files are at most 700 lines long", ShapeRules.fileLength),
    FileRule("functions are at most 70 lines long", ShapeRules.functionLength),
    FileRule("no static variable is stored", ShapeRules.staticState),
    FileRule("names say something", ShapeRules.names),
    FileRule("test names are sentences", ShapeRules.testNames),
  ]
}
