/// What became of a rule's last evaluation, as `/api/v1/rules` shows it.
public struct RuleStatus: Sendable {
  /// Prometheus' words for it.
  public enum Health: String, Hashable, Sendable {
    /// Not evaluated yet.
    case unknown
    case ok
    case bad = "err"
  }

  public var rule: RuleGroup.Rule
  public var health = Health.unknown
  /// Why the last evaluation failed; nil when it did not.
  public var lastError: String?
  public var lastEvaluation: Timestamp?
  /// How long the last evaluation took; zero when nobody measures (`Turn.stopwatch`).
  public var evaluationDuration: Duration = .zero

  public init(rule: RuleGroup.Rule) {
    self.rule = rule
  }
}

/// A group of rules and what became of its last evaluation.
public struct RuleGroupStatus: Sendable {
  /// Empty for the rules written inline.
  public var name: String
  public var file: String
  public var interval: Duration
  public var limit: Int
  public var queryOffset: Duration
  public var lastEvaluation: Timestamp?
  /// Of all its rules together.
  public var evaluationDuration: Duration
  /// Evaluations that did not take place because the turn before came too late; they are not made
  /// up for, as in Prometheus.
  public var missedEvaluations: Int
  /// In the order of evaluation.
  public var rules: [RuleStatus]
}
