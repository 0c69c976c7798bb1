import LifeguardConfiguration
import LifeguardCore
import Testing

/// What `promtool check rules` says about small rule files, recorded with promtool 2.42.0:
/// `=== accepts: NAME` or `=== refuses: NAME`, then the file.
struct PromtoolVerdict: CustomTestStringConvertible, Sendable {
  var name: String
  var accepts: Bool
  var text: String

  var testDescription: String { name }

  static func read() throws -> [PromtoolVerdict] {
    let path = GoldenTests.folder + "promtool-2.42.txt"
    let recorded = String(
      decoding: try FileAccess.system.read(path, 1 << 20).get(), as: UTF8.self)
    var verdicts: [PromtoolVerdict] = []
    for line in recorded.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("=== ") {
        let words = line.dropFirst(4).split(separator: ":", maxSplits: 1)
        verdicts.append(
          PromtoolVerdict(
            name: String(words[1].dropFirst()), accepts: words[0] == "accepts", text: ""))
      } else if !verdicts.isEmpty {
        verdicts[verdicts.count - 1].text += line + "\n"
      }
    }
    return verdicts
  }
}

@Suite struct RuleFileTests {
  /// What Prometheus 3 accepts and 2.42 refused.
  private static let newer: Set<String> = ["annotation name with dash"]

  private func problems(_ text: String) -> [ConfigurationProblem] {
    MemoryFiles(["/etc/lifeguard/x.yaml": "rule_files: [a.yaml]", "/etc/lifeguard/a.yaml": text])
      .loader().load(mainFile: "x.yaml").problems
  }

  @Test func `rule files are taken and refused as promtool takes and refuses them`() throws {
    let verdicts = try PromtoolVerdict.read()
    #expect(verdicts.count > 70)
    for verdict in verdicts where !Self.newer.contains(verdict.name) {
      let errors = problems(verdict.text).filter { $0.severity == .error }
      #expect(errors.isEmpty == verdict.accepts, "\(verdict.name): \(errors)")
      #expect(errors.allSatisfy { $0.location?.file == "a.yaml" }, "\(verdict.name)")
    }
  }

  @Test func `what only Prometheus 3 accepts loads with a warning`() throws {
    for verdict in try PromtoolVerdict.read() where Self.newer.contains(verdict.name) {
      #expect(problems(verdict.text).map(\.severity) == [.warning])
    }
  }

  @Test func `a rule that could never be evaluated is pointed at`() {
    let text = "groups: [{name: a, rules: [{alert: A, expr: 'up[5m]'}]}]"
    #expect(problems(text).map(\.severity) == [.warning])
    #expect(load("rules: [{alert: A, expr: 'up[5m]'}]").errors.count == 1)
  }

  @Test func `a group without an interval, or with zero, takes the default one`() throws {
    let configuration = load(
      "evaluation_interval: 7s\nrule_files: [a.yaml]",
      files: [
        "/etc/lifeguard/a.yaml":
          "groups: [{name: a}, {name: b, interval: 0s}, {name: c, interval: 3s, limit: -1}]"
      ]
    ).configuration
    let groups = try #require(configuration?.ruleGroups)
    #expect(groups.map(\.interval) == [.seconds(7), .seconds(7), .seconds(3)])
    #expect(groups.map(\.limit) == [0, 0, 0])
  }
}
