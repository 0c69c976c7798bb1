/// How to answer an alert: a ladder of steps, how to verify them, and how often they may be used.
public struct Plan: Sendable {
  public var name: String
  /// `kind:name`, with templates from the alert's labels; nil takes the alert's `service` label,
  /// else `host`, where only steps that are not disruptive are allowed.
  public var target: Template?
  /// Mildest first; the next rung is used only after a verified failure of the last.
  public var steps: [Step]
  public var verify: VerificationPolicy
  /// Counted uses of a target in any window (G4); nil takes the default of 3 in 15 min.
  public var limit: UsageLimit?
  /// G3's base; nil takes the default of 60 s.
  public var cooldown: Duration?
  public var mode: Mode?
  /// Whether series that were not collected on this host may start it (`accept_origin: remote`).
  public var acceptsRemoteOrigin: Bool
  /// Paths that must be mount points before a disruptive rung (G10).
  public var requiredMounts: [String]
  public var location: SourceLocation?

  public init(
    name: String, target: Template? = nil, steps: [Step],
    verify: VerificationPolicy = VerificationPolicy(), limit: UsageLimit? = nil,
    cooldown: Duration? = nil, mode: Mode? = nil, acceptsRemoteOrigin: Bool = false,
    requiredMounts: [String] = [], location: SourceLocation? = nil
  ) {
    self.name = name
    self.target = target
    self.steps = steps
    self.verify = verify
    self.limit = limit
    self.cooldown = cooldown
    self.mode = mode
    self.acceptsRemoteOrigin = acceptsRemoteOrigin
    self.requiredMounts = requiredMounts
    self.location = location
  }
}

/// When an attempt counts as recovered (G8).
public struct VerificationPolicy: Sendable {
  /// Must return something, or a scalar other than 0; nil means that the alert's own condition
  /// must be false (or its `clear` true).
  public var expression: Query?
  /// Samples up to this long after the action's end are not looked at.
  public var settle: Duration
  /// How long the symptom must stay away.
  public var hold: Duration
  /// Measured from the action's end; what is not recovered by then is not.
  public var deadline: Duration

  public init(
    expression: Query? = nil, settle: Duration = .seconds(5), hold: Duration = .seconds(20),
    deadline: Duration = .seconds(120)
  ) {
    self.expression = expression
    self.settle = settle
    self.hold = hold
    self.deadline = deadline
  }
}

/// `3 per 15m`: at most `count` in any window of this length.
public struct UsageLimit: Hashable, Sendable, Codable {
  public var count: Int
  public var window: Duration

  public init(count: Int, per window: Duration) {
    self.count = count
    self.window = window
  }
}

/// One entry of `recoveries:`: alerts that match every matcher are answered by `plan`.
public struct RecoveryEntry: Sendable {
  public var matchers: [Matcher]
  /// nil for `plan: none`.
  public var plan: String?
  public var location: SourceLocation?

  public init(matchers: [Matcher], plan: String?, location: SourceLocation? = nil) {
    self.matchers = matchers
    self.plan = plan
    self.location = location
  }
}
