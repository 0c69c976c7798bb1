import LifeguardConfiguration
import LifeguardCore

/// A configuration as the function works by it: rules, what they read, and how far back.
struct FunctionRules: Sendable {
  let configuration: Configuration
  /// Events older than this never cause an action.
  let ageMax: Duration
  let wanted: WantedMetrics
  /// How long samples are kept for rules that read ranges; zero keeps only the newest ones.
  let window: Duration
  /// One for each rule, in their order; nil for rules of any other form.
  let tests: [(rule: AlertRule, test: ThresholdTest?)]
  private let metricNames: Set<String>
  private let answersAlarms: Bool

  /// Windows are part of the state, which has a limit.
  static let windowMax: Duration = .seconds(3600)
  private static let alarmRuleName = "CloudWatchAlarm"

  init(_ configuration: Configuration, ageMax: Duration) {
    self.configuration = configuration
    self.ageMax = ageMax
    var names: Set<String> = []
    var takesAll = false
    var window = Duration.zero
    let grouped = configuration.ruleGroups.flatMap(\.rules)
    var alerts = configuration.rules
    var queries = configuration.rules.flatMap { [$0.expression] + ($0.clear.map { [$0] } ?? []) }
    for case .alert(let rule) in grouped {
      alerts.append(rule)
      queries.append(rule.expression)
    }
    for case .recording(let rule) in grouped { queries.append(rule.expression) }
    queries += configuration.allPlans.values.compactMap(\.verify.expression)
    for query in queries {
      if let found = query.metricNames { names.formUnion(found) } else { takesAll = true }
      guard query.readsRanges else { continue }
      window = max(window, min(query.longestLookback ?? Self.windowMax, Self.windowMax))
    }
    self.window = window
    tests = alerts.map { ($0, ThresholdTest($0.expression)) }
    answersAlarms = !names.contains(AlarmEvent.metricName)
    metricNames = names.union([AlarmEvent.metricName, InstanceEvent.metricName])
    wanted = WantedMetrics(names, takesAll: takesAll)
  }

  /// The policy for one invocation.
  ///
  /// - Parameter reasons: why alarms are in their state, by name, for messages.
  func policy(host: String, reasons: [String: String] = [:]) -> Policy {
    var policy = Policy(
      host: host, mode: configuration.mode, plans: configuration.allPlans,
      recoveries: configuration.recoveries, routes: configuration.routes,
      receivers: configuration.receivers,
      externalLabels: Labels(
        configuration.externalLabels.map { Label(name: $0.key, value: $0.value) }),
      guardRails: configuration.guardRails)
    // Every invocation is a start, and each event is one look: G27's looks after a start are
    // replaced by the age limit and the claim.
    policy.guardRails.startupEvaluations = 0
    for rule in rules(reasons: reasons) { policy.rules[rule.id] = rule }
    return policy
  }

  /// The rules that a turn evaluates each time.
  func inlineRules(reasons: [String: String] = [:]) -> [AlertRule] {
    let own = configuration.rules.map { rule in
      var rule = rule
      // Looks come whenever some event does: only new samples are counted.
      rule.samples?.countsSamples = true
      return rule
    }
    return own + (answersAlarms ? alarmRule(reasons).map { [$0] } ?? [] : [])
  }

  private func rules(reasons: [String: String]) -> [AlertRule] {
    let grouped = configuration.ruleGroups.flatMap(\.rules).compactMap { rule -> AlertRule? in
      if case .alert(let rule) = rule { rule } else { nil }
    }
    return inlineRules(reasons: reasons) + grouped
  }

  /// How often metrics come, as far as freshness goes: what is younger than the age limit counts.
  var sourceIntervals: [String: Duration] {
    let interval = ageMax / 2
    var intervals: [String: Duration] = [:]
    for name in metricNames { intervals[name] = interval }
    return intervals
  }

  /// Answers alarms that no rule of the operator's reads.
  private func alarmRule(_ reasons: [String: String]) -> AlertRule? {
    var text = "alarm {{ $labels.alarm }} is in ALARM"
    for (name, reason) in reasons.sorted(by: { $0.key < $1.key }) {
      // JSON's quotes are those of the template language, so that nothing in a reason is run.
      let quoted = [name, reason].map { JSON.string(TextEscape.line($0)).text() }
      text += "{{ if eq $labels.alarm \(quoted[0]) }}: {{ \(quoted[1]) }}{{ end }}"
    }
    do {
      var rule = AlertRule(
        name: Self.alarmRuleName,
        expression: try Query(parsing: "\(AlarmEvent.metricName) == 1"), origin: .inline)
      rule.labels["severity"] = try Template(parsing: "warning")
      rule.annotations["summary"] = try Template(parsing: text)
      if configuration.plans[ZeroFile.planName] != nil {
        rule.recovery = .plan(ZeroFile.planName)
      }
      return rule
    } catch {
      return reasons.isEmpty ? nil : alarmRule([:])
    }
  }
}
