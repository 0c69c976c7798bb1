/// A Prometheus alerting rule, and what Lifeguard adds to one written inline.
public struct AlertRule: Sendable {
  /// The value of the label `alertname`.
  public var name: String
  /// Breached for every element that it returns.
  public var expression: Query
  /// Hysteresis: once firing, the alert ends only when this holds, not merely when `expression`
  /// stops. Elements are matched on the labels that both results have in common.
  public var clear: Query?
  /// How long a condition must hold before its alert fires; zero fires at once (`for`).
  public var hold: Duration
  /// How long the alert stays firing after the condition ended (`keep_firing_for`).
  public var keepFiringFor: Duration
  /// M of N: breached when at least `needed` of the last `window` evaluations were.
  public var samples: SampleWindow?
  public var onNoData: NoDataPolicy
  public var labels: [String: Template]
  public var annotations: [String: Template]
  /// The rule's own ceiling; the effective mode is the lowest of global, plan and rule.
  public var mode: Mode?
  /// `recover:`; nil looks for an entry of `recoveries`.
  public var recovery: RecoveryChoice?
  public var origin: RuleOrigin
  public var location: SourceLocation?
  /// Judges the expression over periods, as a CloudWatch alarm would; nil looks at the newest
  /// samples.
  public var alarm: AlarmSettings?
  /// Announces what no step can undo: its ladder is passed once, each step is judged by its own
  /// result, and its incident is its own whatever else is wrong with the target.
  public var isNotice = false
  /// Names the rule in a state; rules of one name in one group are told apart by their place.
  public var id: String

  public init(
    name: String, expression: Query, clear: Query? = nil, hold: Duration = .zero,
    keepFiringFor: Duration = .zero, samples: SampleWindow? = nil,
    onNoData: NoDataPolicy = .keep, labels: [String: Template] = [:],
    annotations: [String: Template] = [:], mode: Mode? = nil, recovery: RecoveryChoice? = nil,
    origin: RuleOrigin = .inline, location: SourceLocation? = nil, id: String? = nil
  ) {
    self.id = id ?? "\(origin.rawValue)/\(name)"
    self.name = name
    self.expression = expression
    self.clear = clear
    self.hold = hold
    self.keepFiringFor = keepFiringFor
    self.samples = samples
    self.onNoData = onNoData
    self.labels = labels
    self.annotations = annotations
    self.mode = mode
    self.recovery = recovery
    self.origin = origin
    self.location = location
  }
}

/// `samples: 3 of 5`.
public struct SampleWindow: Hashable, Sendable, Codable {
  /// 1…`window`.
  public var needed: Int
  /// 1…64.
  public var window: Int
  /// Whether looking at the same sample again counts as nothing; an agent's looks come as often as
  /// its samples, a function's whenever some event does.
  public var countsSamples = false

  public init(needed: Int, window: Int) {
    precondition(1 <= needed && needed <= window && window <= 64)
    self.needed = needed
    self.window = window
  }
}

/// What an alert does while its rule has no data.
public enum NoDataPolicy: String, Hashable, Sendable, Codable, CaseIterable {
  /// Stays as it is: no data is neither health nor a fault.
  case keep
  /// Counts as a breach.
  case alert
  /// Counts as healthy, as in Prometheus; an incident never closes as recovered by it.
  case ok
}

/// Where a rule came from; it decides its defaults and its place in look-ups.
public enum RuleOrigin: String, Hashable, Sendable, Codable {
  case inline
  case ruleFile
  case defaultPack
  /// Made by a `services:` entry.
  case service
}

/// Which plan answers an alert.
public enum RecoveryChoice: Sendable {
  case plan(String)
  case inline(Plan)
  /// `plan: none`: tell people, run nothing, and look no further.
  case none
}

/// A Prometheus recording rule: writes the result of `expression` as the series `name`.
public struct RecordingRule: Sendable {
  public var name: String
  public var expression: Query
  public var labels: [String: String]
  public var location: SourceLocation?

  public init(
    name: String, expression: Query, labels: [String: String] = [:],
    location: SourceLocation? = nil
  ) {
    self.name = name
    self.expression = expression
    self.labels = labels
    self.location = location
  }
}

/// Rules that are evaluated together, in order, at one interval.
public struct RuleGroup: Sendable {
  /// An entry of the group: an alert or a recorded series.
  public enum Rule: Sendable {
    case alert(AlertRule)
    case recording(RecordingRule)
  }

  public var name: String
  public var file: String
  public var interval: Duration
  /// At most this many alerts or series; 0 means no limit (Prometheus' `limit`).
  public var limit: Int
  /// Evaluates this much in the past (Prometheus' `query_offset`).
  public var queryOffset: Duration
  public var rules: [Rule]

  public init(
    name: String, file: String = "", interval: Duration, limit: Int = 0,
    queryOffset: Duration = .zero, rules: [Rule]
  ) {
    self.name = name
    self.file = file
    self.interval = interval
    self.limit = limit
    self.queryOffset = queryOffset
    self.rules = rules
  }
}
