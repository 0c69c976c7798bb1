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
  /// Rungs that were verified not to help, in this pass; the next one is the mildest that applies
  /// and is not among them (G9).
  public var failed: [Int] = []
  /// Times that the service's own supervisor was watched and did not bring it back.
  public var supervisorFailures = 0
  /// Dependants that were well when the current attempt was intended (G8).
  public var healthyNeighbours: [String] = []
  /// What the approval that was given was for, and how long it holds.
  public var approvedRung: Int?
  public var approvedUntil: Rest?
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

  /// Its incident is over: what was prepared, approved, refused or waited for is so no more.
  mutating func rest() {
    phase = .deciding
    current = nil
    lastRefusal = nil
    refusedRung = nil
    restUntil = nil
    preparedRung = nil
    approvedRung = nil
    approvedUntil = nil
    failed = []
    supervisorFailures = 0
    rung = 0
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
