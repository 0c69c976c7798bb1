import LifeguardConfiguration
import LifeguardCore
import TestSupport

/// The default pack over samples of another time: the real evaluator, a turn each 15 s.
struct Replay {
  /// One alert that fired, seconds counted from the first turn.
  struct Firing: CustomStringConvertible {
    var rule: String
    var severity: String
    var labels: Labels
    var from: Duration
    var to: Duration?

    var description: String {
      let end = to.map { "\($0.components.seconds)" } ?? "…"
      return "\(rule) \(severity) \(from.components.seconds)-\(end) s \(labels)"
    }
  }

  static let step = Duration.seconds(15)
  private(set) var turn: Turn
  private(set) var firings: [Firing] = []
  private(set) var contradictions: [String] = []
  private(set) var problems: [String: String] = [:]
  private var open: [Alert.Key: Int] = [:]
  private let start: Timestamp
  private var last: [Labels: Bool] = [:]
  private let rules: [AlertRule]

  /// - Parameter only: the rules to evaluate; all of the pack unless it is given.
  init(
    start: Timestamp = Timestamp(milliseconds: 1_700_000_000_000), only: Set<String>? = nil
  ) throws {
    self.start = start
    var pack = try DefaultRules.pack()
    for index in pack.groups.indices {
      pack.groups[index].rules.removeAll { rule in
        guard let only, case .alert(let alert) = rule else { return false }
        return !only.contains(alert.name)
      }
    }
    rules = DefaultRules.alerts(of: pack)
    turn = Turn(
      head: Head(), monitor: Monitor(policy: Policy(host: "recorded", rules: rules)))
    turn.setRules(inline: [], groups: pack.groups, interval: Replay.step)
  }

  /// Appends a column and takes a turn; a series that is missing has ended.
  mutating func take(_ values: [Labels: Double], at elapsed: Duration) throws {
    let now = start + elapsed
    for (labels, value) in values {
      let reference = try turn.head.reference(for: labels)
      try turn.head.append(reference, at: now, value)
      last[labels] = true
    }
    for (labels, isLive) in last where isLive && values[labels] == nil {
      let reference = try turn.head.reference(for: labels)
      try turn.head.append(reference, at: now, .staleMarker)
      last[labels] = false
    }
    // The effects notify and act; what fires stands in the tracker.
    _ = turn.take(
      at: Moment(wall: now, boottime: .seconds(100_000) + elapsed, bootID: "recorded"))
    problems.merge(turn.ruleProblems) { first, _ in first }
    note(at: elapsed)
  }

  private mutating func note(at elapsed: Duration) {
    let firing = turn.monitor.state.tracker.firing
    let keys = Set(firing.map(\.key))
    for (key, index) in open where !keys.contains(key) {
      firings[index].to = elapsed
      open[key] = nil
    }
    for alert in firing where open[alert.key] == nil {
      open[alert.key] = firings.count
      firings.append(
        Firing(
          rule: alert.name, severity: alert.severity, labels: alert.element, from: elapsed))
    }
  }

  /// Whether some element is breached and clear at once, which hysteresis must exclude.
  mutating func checkClear(at elapsed: Duration, of name: String? = nil) throws {
    let now = start + elapsed
    for rule in rules where name == nil || rule.name == name {
      guard let clear = rule.clear else { continue }
      let breached = try Replay.elements(rule.expression.instant(over: turn.head, at: now))
      guard !breached.isEmpty else { continue }
      let cleared = try Replay.elements(clear.instant(over: turn.head, at: now))
      for one in breached {
        if cleared.contains(where: { Replay.agree($0, one) }) {
          contradictions.append("\(rule.name) \(one) at \(elapsed)")
        }
      }
    }
  }

  private static func elements(_ result: QueryResult) -> [Labels] {
    guard case .vector(let elements) = result.value else { return [] }
    return elements.map(\.labels)
  }

  private static func agree(_ left: Labels, _ right: Labels) -> Bool {
    left.allSatisfy { label in
      label.name == Labels.metricName || right[label.name] == nil
        || right[label.name] == label.value
    }
  }

  mutating func play(_ recording: Recording) throws {
    for column in 0..<recording.columns {
      var values: [Labels: Double] = [:]
      for series in recording.series { values[series.labels] = series.values[column] }
      let elapsed = Replay.step * column
      try take(values, at: elapsed)
      try checkClear(at: elapsed)
    }
  }
}

/// The pack as the loader reads it.
enum DefaultRules {
  struct Unusable: Error {
    var problems: [String]
  }

  static func load() -> (pack: RulePack?, problems: [ConfigurationProblem]) {
    let files = FileAccess(
      workingDirectory: "/", read: { _, _ in .failure(FileFailure("there are no files here")) },
      status: { _ in nil }, list: { _ in [] })
    let loader = ConfigurationLoader(files: files, environment: { _ in nil }, user: 0)
    return loader.loadDefaultPack(text: DefaultPack.text)
  }

  static func pack() throws -> RulePack {
    let (pack, problems) = load()
    guard let pack else { throw Unusable(problems: problems.map { "\($0)" }) }
    return pack
  }

  static func alerts(of pack: RulePack) -> [AlertRule] {
    pack.groups.flatMap(\.rules).compactMap { rule in
      if case .alert(let alert) = rule { alert } else { nil }
    }
  }
}
