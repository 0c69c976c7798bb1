import LifeguardCore

/// A group of rules as it is evaluated, for `/api/v1/rules`.
public struct RuleGroupReport: Sendable {
  public var name: String
  public var file: String
  public var interval: Duration
  /// 0 is none.
  public var limit: Int
  public var lastEvaluation: Timestamp?
  public var evaluationDuration: Duration
  public var rules: [RuleReport]
}

/// A rule, how it fares, and its alerts.
public struct RuleReport: Sendable {
  public var rule: RuleGroup.Rule
  /// `unknown` before the first evaluation, then `ok` or `err`.
  public var health: String
  public var lastError: String?
  public var lastEvaluation: Timestamp?
  public var evaluationDuration: Duration
  /// Pending and firing ones; none for a recording rule.
  public var alerts: [AlertStatus]

  public var name: String {
    switch rule {
    case .alert(let rule): rule.name
    case .recording(let rule): rule.name
    }
  }

  /// As they were written, templates included.
  public var labels: Labels {
    switch rule {
    case .alert(let rule):
      Labels(rule.labels.map { Label(name: $0.key, value: $0.value.text) })
    case .recording(let rule):
      Labels(rule.labels.map { Label(name: $0.key, value: $0.value) })
    }
  }

  /// In Prometheus' words: `alerting` or `recording`.
  public var kind: String {
    switch rule {
    case .alert: "alerting"
    case .recording: "recording"
    }
  }

  /// `firing`, `pending`, `inactive`, or `unknown` before the first evaluation.
  public var state: String {
    if alerts.contains(where: { $0.state == "firing" }) { return "firing" }
    if alerts.contains(where: { $0.state == "pending" }) { return "pending" }
    return health == "unknown" ? "unknown" : "inactive"
  }
}
