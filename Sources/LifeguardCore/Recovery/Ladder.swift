/// Where an incident stands on its plan's ladder.
public struct Ladder: Hashable, Sendable, Codable {
  public enum Phase: Hashable, Sendable, Codable {
    /// Looks at every turn whether the next rung may be used.
    case deciding
    /// Collects evidence and checks preconditions; nothing was done yet.
    case preparing(since: Moment)
    case awaitingApproval(Approval)
    /// The intent is written; the step runs.
    case running
    case verifying(Verification)
  }

  public struct Rest: Hashable, Sendable, Codable {
    public var since: Moment
    public var length: Duration
  }

  /// The plan's name; a service's own plan is `service:NAME`.
  public var plan: String
  /// The alert that started it; another of the incident's alerts takes over when it ends.
  public var alert: Alert.Key
  public var target: Target
  /// The rung to use next, or the one in use.
  public var rung: Int
  /// Completed passes, for the ladder's record.
  public var pass = 0
  /// Attempts so far, over all passes.
  public var attempts = 0
  public var phase: Phase = .deciding
  /// The attempt being prepared, run or verified.
  public var current: Attempt?
  /// Why the last decision was not to act, so that one reason is told once.
  public var lastRefusal: Refusal?
  /// The rung that `lastRefusal` was about.
  public var refusedRung: Int?
  /// No next use before this is over.
  public var restUntil: Rest?
  /// What the approval that was given was for.
  public var approvedRung: Int?
  /// Prepared, so that the decision after it does not prepare again.
  public var preparedRung: Int?
  /// Stopped for good for this incident: it became worse, or a person took over.
  public var isStopped = false

  init(plan: String, alert: Alert.Key, target: Target, rung: Int) {
    self.plan = plan
    self.alert = alert
    self.target = target
    self.rung = rung
  }

  /// Whether it holds its target's lock (G2).
  public var holdsLock: Bool {
    switch phase {
    case .preparing, .running, .verifying: true
    case .deciding, .awaitingApproval: false
    }
  }
}

/// An action that waits for a person (mode approve).
public struct Approval: Hashable, Sendable, Codable {
  /// What `lifeguard approve` takes.
  public var id: String
  public var rung: Int
  public var askedAt: Moment
}
