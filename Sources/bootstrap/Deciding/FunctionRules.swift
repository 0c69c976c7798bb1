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
  /// Whether a step makes alarms that start the hypervisor's recovery.
  let recoversInstances: Bool

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
    recoversInstances = configuration.allPlans.values.contains { plan in
      plan.steps.contains { step in
        if case .cloud(.ec2(let action)) = step { action.verb == .recover } else { false }
      }
    }
    answersAlarms = !names.contains(AlarmEvent.metricName)
    metricNames = names.union([
      AlarmEvent.metricName, InstanceEvent.metricName, FleetGuards.stormMetric,
    ])
    wanted = WantedMetrics(names, takesAll: takesAll)
  }

  /// The policy for one invocation.
  ///
  /// - Parameters:
  ///   - reasons: why alarms are in their state, by name, for messages.
  ///   - servers: how many there are: what is allowed on a host is allowed on each of them.
  func policy(host: String, reasons: [String: String] = [:], servers: Int = 1) -> Policy {
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
    policy.guardRails.actionBudget.count *= max(servers, 1)
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
    let alarms = answersAlarms ? alarmRule(reasons) : nil
    return own + [alarms, Self.stormRule].compactMap { $0 }
  }

  /// Tells people of a storm; nothing acts on it.
  private static let stormRule: AlertRule? = {
    do {
      var rule = AlertRule(
        name: FleetGuards.stormName,
        expression: try Query(parsing: "\(FleetGuards.stormMetric) == 1"),
        recovery: RecoveryChoice.none, origin: .inline)
      rule.labels["severity"] = try Template(parsing: "critical")
      rule.annotations["summary"] = try Template(
        parsing: "many servers went bad within \(FleetGuards.stormWindow.text): the cause is likely"
          + " shared; nothing disruptive is done before it was calm for"
          + " \(FleetGuards.stormCalm.text)")
      return rule
    } catch {
      // Texts of our own, which a test reads.
      return nil
    }
  }()

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
