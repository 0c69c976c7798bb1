/// One condition of one label set, on its way from noticed to over.
public struct Alert: Hashable, Sendable, Codable {
  /// `pending`: the condition holds, but not yet for the rule's `for`. `firing`: it is acted on.
  public enum State: String, Hashable, Sendable, Codable {
    case pending
    case firing
  }

  /// Rule and labels together name an alert.
  public struct Key: Hashable, Comparable, Sendable, Codable {
    public var rule: String
    public var labels: Labels

    public init(rule: String, labels: Labels) {
      self.rule = rule
      self.labels = labels
    }

    public static func < (left: Key, right: Key) -> Bool {
      left.rule == right.rule ? left.labels < right.labels : left.rule < right.rule
    }

    /// Of a service's own rule, or a problem of the agent's own: no rule of the operator's is
    /// behind it.
    var isReserved: Bool {
      rule.hasPrefix("service/") || rule.hasPrefix(Monitor.problemPrefix)
    }
  }

  public var key: Key
  public var state: State
  /// When the condition began to hold without a break.
  public var activeSince: Moment
  public var firingSince: Moment?
  /// When it was last seen breached.
  public var lastBreach: Moment
  public var value: Double
  /// The labels of the element as the rule returned it, before the rule's own labels.
  public var element: Labels
  /// The last evaluations, newest in the lowest bit, 1 for breached (`samples: M of N`).
  public var history: UInt64
  /// Whether the last evaluation could not tell.
  public var hasNoData: Bool
  /// The newest sample behind the last verdict.
  public var newestInput: Timestamp?
  /// Where the samples behind the last breach came from; nil in a state written before this was
  /// noted, when all were collected here.
  public var origin: SeriesOrigin?
  /// How old that sample may be for an action (G1).
  public var freshness: Duration
  /// When the last verdict came, for the age of its evidence on a clock that does not jump.
  public var evaluatedAt: Moment
  /// When the condition ended while `keep_firing_for` still runs.
  public var endedSince: Moment?

  public var name: String { key.labels["alertname"] ?? "" }
  public var severity: String { key.labels["severity"] ?? "" }
  public var isCritical: Bool { severity == "critical" }

  init(key: Key, element: Labels, value: Double, at moment: Moment) {
    self.key = key
    self.element = element
    self.value = value
    state = .pending
    activeSince = moment
    lastBreach = moment
    history = 0
    hasNoData = false
    freshness = .seconds(5)
    evaluatedAt = moment
  }

  /// How old the evidence behind the last verdict is; nil without any.
  public func evidenceAge(at moment: Moment) -> Duration? {
    newestInput.map { moment.elapsed(since: evaluatedAt) + max(evaluatedAt.wall - $0, .zero) }
  }
}

/// How an alert ended.
public enum AlertEnd: String, Hashable, Sendable, Codable {
  /// Fresh samples showed that the condition is gone.
  case healthy
  /// The series behind it ended, or its rule was removed: nothing shows that it is well.
  case vanished
}
