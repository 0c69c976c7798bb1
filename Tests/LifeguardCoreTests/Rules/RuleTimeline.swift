@testable import LifeguardCore

/// Rules over series that a test writes down, evaluated at times that it names.
struct RuleTimeline {
  static let start = Timestamp(milliseconds: 1_700_000_000_000)
  var turn: Turn
  private(set) var seconds = 0

  init(_ groups: [RuleGroup], state: MonitorState = MonitorState()) {
    var policy = Policy(host: "localhost")
    for case .alert(let rule) in groups.flatMap(\.rules) { policy.rules[rule.id] = rule }
    turn = Turn(head: Head(), monitor: Monitor(policy: policy, state: state))
    turn.setRules(inline: [], groups: groups, interval: .seconds(1))
  }

  static func moment(_ seconds: Int) -> Moment {
    Moment(wall: start + .seconds(seconds), boottime: .seconds(1000 + seconds), bootID: "boot")
  }

  /// Writes samples at a second, then takes a turn.
  mutating func take(at seconds: Int, _ samples: [(Labels, Double)] = []) throws {
    self.seconds = seconds
    let now = Self.moment(seconds)
    for (labels, value) in samples {
      try turn.head.append(turn.head.reference(for: labels), at: now.wall, value)
    }
    _ = turn.take(at: now)
  }

  /// An instant query at the time of the last turn, as `labels => value`, sorted.
  func query(_ text: String) throws -> [String] {
    let result = try Query(parsing: text).instant(
      over: turn.head, at: Self.start + .seconds(seconds))
    guard case .vector(let elements) = result.value else { return [] }
    return elements.map { "\($0.labels) => \(SampleText.value($0.value))" }.sorted()
  }

  /// Every sample of the series that a selector matches, `labels second value`, by labels and time.
  func samples(_ selector: String) throws -> [String] {
    guard case .vectorSelector(let selector) = try Query(parsing: selector).expression else {
      return []
    }
    let (first, last) = (Timestamp(milliseconds: 0), Self.start + .seconds(100_000))
    return try turn.head.select(selector.matchers, after: first, through: last)
      .map { reference -> (Labels, [Sample]) in
        var samples: [Sample] = []
        turn.head.collect(reference, after: first, through: last, into: &samples)
        return (turn.head.labels(of: reference), samples)
      }
      .sorted { $0.0 < $1.0 }
      .flatMap { labels, samples in
        samples.map { sample in
          let value = sample.isStaleMarker ? "stale" : SampleText.value(sample.value)
          return "\(labels) \((sample.timestamp - Self.start).text) \(value)"
        }
      }
  }

  func status(_ group: String, _ rule: Int) -> RuleStatus? {
    turn.ruleGroups.first { $0.name == group }?.rules[rule]
  }

  static func recording(
    _ name: String, _ expression: String, labels: [String: String] = [:]
  ) throws -> RuleGroup.Rule {
    .recording(
      RecordingRule(name: name, expression: try Query(parsing: expression), labels: labels))
  }

  static func alert(
    _ name: String, _ expression: String, hold: Duration = .zero, keep: Duration = .zero,
    labels: [String: String] = [:]
  ) throws -> RuleGroup.Rule {
    .alert(
      AlertRule(
        name: name, expression: try Query(parsing: expression), hold: hold, keepFiringFor: keep,
        onNoData: .ok, labels: try labels.mapValues { try Template(parsing: $0) },
        origin: .ruleFile))
  }

  static func group(
    named name: String = "g", interval: Duration = .seconds(1), limit: Int = 0,
    offset: Duration = .zero, _ rules: RuleGroup.Rule...
  ) -> RuleGroup {
    RuleGroup(
      name: name, file: "rules.yml", interval: interval, limit: limit, queryOffset: offset,
      rules: rules)
  }
}
