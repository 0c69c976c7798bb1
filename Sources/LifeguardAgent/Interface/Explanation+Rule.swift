import LifeguardCore

extension Explanation {
  /// What a rule means on this host, now.
  init(_ rule: AlertRule, turn: Turn, at now: Moment) {
    let monitor = turn.monitor
    let firing = monitor.state.tracker.alerts.values.filter { $0.key.rule == rule.id }
    let example = firing.min { $0.key < $1.key }?.key ?? Explanation.key(of: rule, monitor)
    let plan = monitor.plan(for: example)
    var matches: [Element] = []
    var problem = turn.ruleProblems[rule.id]
    do throws(QueryError) {
      let result = try rule.expression.instant(over: turn.head, at: now.wall)
      switch result.value {
      case .vector(let elements):
        matches = elements.map { Element(labels: $0.labels, value: $0.value) }
      case .scalar(let value): matches = [Element(labels: Labels(), value: value)]
      case .string, .matrix: break
      }
      if result.newestInput == nil { problem = problem ?? "no series feeds this rule" }
    } catch {
      problem = error.description
    }
    let mode = min(monitor.policy.mode, rule.mode ?? .auto, plan?.mode ?? .auto)
    self.init(
      rule: rule.name, expression: rule.expression.text, clear: rule.clear?.text,
      forText: rule.hold.text,
      samples: rule.alarm?.text ?? rule.samples.map { "\($0.needed) of \($0.window)" },
      origin: rule.origin.rawValue, location: rule.location.map(\.description),
      labels: rule.labels.mapValues(\.text), annotations: rule.annotations.mapValues(\.text),
      matches: matches, problem: problem, mode: mode.name, plan: plan?.name,
      target: plan?.target?.text ?? (plan == nil ? nil : "the alert's service, else host"),
      steps: plan?.steps.map(\.summary) ?? [], verify: plan.map { Explanation.verify($0.verify) },
      guardRails: plan.map { Explanation.guardRails($0, monitor.policy.guardRails) } ?? [],
      refusals: firing.sorted { $0.key < $1.key }.compactMap {
        monitor.nextRefusal(for: $0, at: now)
      })
  }

  private static func key(of rule: AlertRule, _ monitor: Monitor) -> Alert.Key {
    var labels: Labels = ["alertname": rule.name, "instance": monitor.policy.host]
    for (name, template) in rule.labels { labels[name] = template.text }
    return Alert.Key(rule: rule.id, labels: labels)
  }

  private static func verify(_ policy: VerificationPolicy) -> String {
    let condition = policy.expression?.text ?? "the alert's condition is gone"
    return "\(condition), for \(policy.hold.text), looked at from \(policy.settle.text) after the "
      + "step, within \(policy.deadline.text)"
  }

  private static func reboots(_ settings: GuardRailSettings) -> String {
    [settings.rebootBudget, settings.rebootDayBudget]
      .map { ", \($0.count) in \($0.window.text)" }.joined() + " of reboots"
  }

  private static func guardRails(_ plan: Plan, _ settings: GuardRailSettings) -> [String] {
    let limit = plan.limit ?? settings.targetBudget
    let cooldown = plan.cooldown ?? settings.cooldown
    return [
      "G1 fresh evidence: not older than two intervals, and newer than the last action",
      "G2 one in flight on a target",
      "G3 cool-down: \(cooldown.text), doubled with each failure up to "
        + settings.cooldownCap.text,
      "G4 budget: \(limit.count) in \(limit.window.text) on a target, "
        + "\(settings.actionBudget.count) in \(settings.actionBudget.window.text) of a kind"
        + (plan.steps.contains { $0.harm.isReboot } ? reboots(settings) : ""),
      "G7 breaker: \(settings.breakerPasses) passes in vain rest it for "
        + settings.breakerOpen.text,
      "G10 preconditions: configuration test, dependencies up, mounts, room on disk, "
        + "\(settings.minimumUptime.text) since boot",
      "G11 on a machine that is being taken away nothing but the answer to that",
      "G12 what an operator stopped stays stopped",
      "G20 slow is not dead: under pressure, time-outs alone restart nothing",
      "G22 evidence first",
      "G26 kill switch: `lifeguard freeze`, or the file `freeze` in the data directory",
      "G27 the first \(settings.startupEvaluations) looks after a start only observe",
    ]
  }
}

extension Step {
  /// The step in a few words.
  public var summary: String {
    switch self {
    case .run(let command): "run \(command.arguments.joined(separator: " "))"
    case .signal(let name): "signal \(name)"
    case .http(let action): "http \(action.method)"
    case .cloud(let action): action.summary
    case .page(let receiver): receiver.map { "page \($0)" } ?? "page"
    case .reload, .nudge, .start, .stop, .restart, .stopCleanStart: name
    }
  }
}
