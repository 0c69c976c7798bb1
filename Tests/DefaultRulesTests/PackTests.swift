import LifeguardConfiguration
import LifeguardCore
import TestSupport
import Testing

@Suite struct PackTests {
  @Test func `the pack loads without a problem`() throws {
    let (pack, problems) = DefaultRules.load()
    #expect(problems.isEmpty, "\(problems.map { "\($0)" }.joined(separator: "\n"))")
    #expect(pack != nil)
  }

  @Test func `every rule has a severity, a summary, and hysteresis or M of N`() throws {
    let rules = DefaultRules.alerts(of: try DefaultRules.pack())
    #expect(rules.count >= 25)
    #expect(Set(rules.map(\.name)).count == rules.count)
    var severities: Set<String> = []
    for rule in rules {
      severities.insert(DefaultRules.severity(of: rule))
      #expect(rule.clear != nil || rule.samples != nil, "\(rule.name)")
      #expect(rule.annotations["summary"] != nil, "\(rule.name)")
      #expect(rule.recovery == nil, "\(rule.name) acts on a host that nobody has described")
    }
    #expect(severities == ["info", "warning", "critical"])
  }

  @Test func `every series that the pack reads has been written by the collectors`() throws {
    var recorded: Set<String> = []
    for name in ["faults-together", "unit-failed"] { recorded.formUnion(try Recording(name).names) }
    for rule in DefaultRules.alerts(of: try DefaultRules.pack()) {
      let queries = [rule.expression] + (rule.clear.map { [$0] } ?? [])
      for name in queries.flatMap({ DefaultRules.metrics(in: $0.text) }) {
        #expect(recorded.contains(name), "\(rule.name) reads \(name)")
      }
    }
  }

  @Test func `the document names every rule with its severity and its time`() throws {
    let text = try TextFile.read(SourceTree.path("docs/default-rules.md"))
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `Host") }.map {
      $0.split(separator: "|").map { cell in
        String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      }
    }
    let rules = DefaultRules.alerts(of: try DefaultRules.pack())
    #expect(rows.map(\.first) == rules.map { "`\($0.name)`" })
    for (row, rule) in zip(rows, rules) {
      try #require(row.count == 6, "\(rule.name) has \(row.count) cells")
      #expect(row[1] == DefaultRules.severity(of: rule), "\(rule.name)")
      #expect(row[3] == DefaultRules.time(of: rule), "\(rule.name)")
      #expect(row.allSatisfy { !$0.isEmpty }, "\(rule.name)")
    }
  }
}

extension DefaultRules {
  static func severity(of rule: AlertRule) -> String {
    let context = TemplateContext(labels: Labels(), value: 0, externalLabels: Labels())
    return rule.labels["severity"]?.render(context) ?? ""
  }

  /// `10m`, `3 of 5`, or `at once`.
  static func time(of rule: AlertRule) -> String {
    if let samples = rule.samples { return "\(samples.needed) of \(samples.window)" }
    let minutes = rule.hold.components.seconds / 60
    return minutes == 0 ? "at once" : "\(minutes)m"
  }

  /// The metrics of an expression: its words before a selector's end, functions and labels apart.
  static func metrics(in text: String) -> [String] {
    let words = text.split { !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")) }
    return words.map(String.init).filter { word in
      word.hasPrefix("node_") || word.hasPrefix("container_") || word.hasSuffix("Utilization")
        || word.hasPrefix("lifeguard_")
    }
  }
}
