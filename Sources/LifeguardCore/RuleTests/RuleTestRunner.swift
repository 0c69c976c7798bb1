/// Runs rule tests as promtool does: the same agent code over series that were written down, one
/// evaluation after the other, and what came of them compared with what is expected.
public struct RuleTestRunner: Sendable {
  let file: RuleTestFile
  /// What would answer alerts, for `recoveries`; the tests' rules are added to its own.
  private let policy: Policy
  /// Rules beside those of the file, evaluated before them: the inline ones of a configuration.
  private let inlineRules: [AlertRule]

  public init(_ file: RuleTestFile, policy: Policy? = nil, inlineRules: [AlertRule] = []) {
    self.file = file
    self.policy = policy ?? Policy(host: "localhost")
    self.inlineRules = inlineRules
  }

  /// What did not come out as expected, in the order in which it was found; empty is success.
  public func run() -> [RuleTestFailure] {
    file.tests.flatMap { test -> [RuleTestFailure] in
      var run = Run(test, turn: turn(for: test), file: file)
      return run.failures()
    }
  }

  private func turn(for test: RuleTest) -> Turn {
    var policy = policy
    policy.externalLabels = test.externalLabels
    policy.externalURL = test.externalURL
    let groups = orderedGroups
    for case .alert(let rule) in groups.flatMap(\.rules) { policy.rules[rule.id] = rule }
    for rule in inlineRules { policy.rules[rule.id] = rule }
    var monitor = Monitor(policy: policy)
    monitor.state.tracker.capacity = .max
    var turn = Turn(head: Head(seriesMax: .max), monitor: monitor)
    turn.queryOptions.subqueryStep = file.evaluationInterval
    turn.setRules(inline: inlineRules, groups: groups, interval: file.evaluationInterval)
    return turn
  }

  /// Every group at the file's interval; groups without a place in the order come with the first,
  /// as in promtool.
  private var orderedGroups: [RuleGroup] {
    let places = Dictionary(
      file.groupOrder.enumerated().map { ($0.element, $0.offset) }
    ) { first, _ in first }
    return file.groups.enumerated()
      .sorted { left, right in
        let places = (places[left.element.name] ?? 0, places[right.element.name] ?? 0)
        return places.0 == places.1 ? left.offset < right.offset : places.0 < places.1
      }
      .map { entry in
        var group = entry.element
        group.interval = file.evaluationInterval
        return group
      }
  }
}

/// One test on its way through time.
struct Run {
  let test: RuleTest
  let file: RuleTestFile
  var turn: Turn
  private var failed: [RuleTestFailure] = []
  /// By time, and within a time in the order of loading.
  private let series: [(reference: SeriesReference, points: [Double?])]
  private var loadedPoints = 0
  private var loadFailure: String?

  init(_ test: RuleTest, turn: Turn, file: RuleTestFile) {
    self.test = test
    self.file = file
    self.turn = turn
    // Of two lines with the same labels the later one counts, as in promtool.
    var latest: [Labels: Int] = [:]
    for (index, one) in test.series.enumerated() { latest[one.labels] = index }
    var series: [(SeriesReference, [Double?])] = []
    for (index, one) in test.series.enumerated() where latest[one.labels] == index {
      do throws(HeadError) {
        series.append((try self.turn.head.reference(for: one.labels), one.points))
      } catch {
        loadFailure = error.description
      }
    }
    self.series = series
  }

  mutating func failures() -> [RuleTestFailure] {
    if let loadFailure { return [failure(.rule, "", .zero, "    \(loadFailure)")] }
    for item in test.alerts where item.alertName.isEmpty {
      let group = test.name.isEmpty ? "" : " (in TestGroup \(test.name))"
      let text =
        "an item under alert_rule_test misses required attribute alertname at eval_time"
        + " \(GoDuration.model(item.time))\(group)"
      return [failure(.alert, "", item.time, text)]
    }
    var checks = Set(test.alerts.map(\.time) + test.recoveries.map(\.time)).sorted()[...]
    let end = test.duration
    var elapsed = Duration.zero
    while elapsed <= end {
      guard load(through: elapsed), evaluate(at: elapsed) else { return failed }
      let next = elapsed + file.evaluationInterval
      while let time = checks.first, time < next {
        checks.removeFirst()
        for item in test.alerts where item.time == time { check(item) }
        for item in test.recoveries where item.time == time { check(item) }
      }
      elapsed = next
    }
    guard load(through: .seconds(Int64.max / 4000)) else { return failed }
    for item in test.expressions { check(item) }
    return failed
  }

  func failure(
    _ kind: RuleTestFailure.Kind, _ subject: String, _ time: Duration, _ text: String,
    expected: String = "", got: String = ""
  ) -> RuleTestFailure {
    RuleTestFailure(
      kind: kind, test: test.name, subject: subject, time: time, expected: expected, got: got,
      text: text)
  }

  mutating func fail(_ failure: RuleTestFailure) { failed.append(failure) }

  /// Appends what has been measured by then.
  private mutating func load(through elapsed: Duration) -> Bool {
    let longest = series.map(\.points.count).max() ?? 0
    while loadedPoints < longest, test.interval * loadedPoints <= elapsed {
      let time = test.start + test.interval * loadedPoints
      for one in series where loadedPoints < one.points.count {
        guard let value = one.points[loadedPoints] else { continue }
        do throws(HeadError) {
          try turn.head.append(one.reference, at: time, value)
        } catch {
          fail(failure(.rule, "", elapsed, "    \(error.description)"))
          return false
        }
      }
      loadedPoints += 1
    }
    return true
  }

  /// Evaluates every group; an error ends the test.
  private mutating func evaluate(at elapsed: Duration) -> Bool {
    let now = Moment(wall: test.start + elapsed, boottime: elapsed, bootID: "test")
    _ = turn.take(at: now)
    var isFine = true
    for group in turn.ruleGroups {
      for status in group.rules {
        guard let error = status.lastError else { continue }
        let name =
          switch status.rule {
          case .alert(let rule): rule.name
          case .recording(let rule): rule.name
          }
        let text = "    rule: \(name), time: \(GoDuration.text(elapsed)), err: \(error)"
        fail(failure(.rule, name, elapsed, text, got: error))
        isFine = false
      }
    }
    return isFine
  }
}
