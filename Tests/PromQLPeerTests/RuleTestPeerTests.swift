import LifeguardConfiguration
import LifeguardCore
import TestSupport
import Testing

/// `lifeguard test rules` beside `promtool test rules`: the same verdict, the same words.
struct RuleTestPeerTests {
  private static let requirement = Requirement.program("promtool")

  private static func folder(_ sample: RuleTestSample) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try TextFile.write(sample.rules + "\n", to: folder / "rules.yml")
    try TextFile.write(sample.tests + "\n", to: folder / "test.yml")
    return folder
  }

  private static func run(
    _ folder: TemporaryFolder
  ) -> (hasPassed: Bool, texts: [String], problems: [ConfigurationProblem]) {
    var loader = ConfigurationLoader.system()
    loader.files.workingDirectory = folder.path
    let (file, problems) = loader.loadRuleTests("test.yml")
    guard let file else { return (false, [], problems) }
    let failures = RuleTestRunner(file).run()
    return (failures.isEmpty, failures.map(\.text), problems)
  }

  @Test(
    .enabled(if: requirement.isMet, "\(requirement.reason)"), arguments: RuleTestSample.all)
  func `the verdict is promtool's`(_ sample: RuleTestSample) async throws {
    let folder = try Self.folder(sample)
    defer { folder.remove() }
    let theirs = try await ChildProgram.run(
      ["promtool", "test", "rules", folder / "test.yml"], workingDirectory: folder.path)
    let ours = Self.run(folder)
    #expect(ours.hasPassed == theirs.succeeded, "\(ours)\n\(theirs)")
    guard sample.comparesText, !theirs.succeeded else { return }
    for text in ours.texts {
      #expect(theirs.standardError.contains(text), "\(text)\n\(theirs.standardError)")
    }
    let theirCount = theirs.standardError.split(separator: "\n")
      .count { $0.contains(", time:") || $0.contains("misses required") }
    #expect(ours.texts.count == theirCount, "\(ours.texts)\n\(theirs.standardError)")
  }

  @Test func `a test that passes fails once an expectation is changed`() throws {
    var sample = try #require(RuleTestSample.all.first { $0.name == "alerts as expected" })
    var folder = try Self.folder(sample)
    let before = Self.run(folder)
    #expect(before.hasPassed, "\(before)")
    sample.tests = sample.tests.replacing("severity: page", with: "severity: none")
    folder = try Self.folder(sample)
    #expect(!Self.run(folder).hasPassed)
  }

  private static let recoveries = """
    rule_files: [rules.yml]
    tests:
      - interval: 1m
        input_series: [{series: 'up{job="p", instance="a:1"}', values: '0x10'}]
        recoveries:
          - {eval_time: 5m, alertname: InstanceDown, plan: PLAN, mode: approve}
          - {eval_time: 1m, alertname: AtOnce, labels: {job: p}, plan: none}
    """

  private func recover(_ plan: String) throws -> [RuleTestFailure] {
    var sample = RuleTestSample(name: "", tests: Self.recoveries.replacing("PLAN", with: plan))
    sample.tests += "\n"
    let folder = try Self.folder(sample)
    defer { folder.remove() }
    var loader = ConfigurationLoader.system()
    loader.files.workingDirectory = folder.path
    let (file, problems) = loader.loadRuleTests("test.yml")
    let read = try #require(file, "\(problems)")
    let matcher = try Matcher(name: "alertname", kind: .equal, value: "InstanceDown")
    let policy = Policy(
      host: "here", mode: .auto,
      plans: ["restart": Plan(name: "restart", steps: [.page(receiver: nil)], mode: .approve)],
      recoveries: [RecoveryEntry(matchers: [matcher], plan: "restart")])
    return RuleTestRunner(read, policy: policy).run()
  }

  @Test func `a test says which plan would answer an alert`() throws {
    #expect(try recover("restart").isEmpty)
    let failures = try recover("reboot")
    #expect(failures.map(\.kind) == [.recovery])
    #expect(failures.first?.expected == "reboot in mode approve")
    #expect(failures.first?.got.hasPrefix("restart in mode approve for {alertname=") == true)
  }
}
