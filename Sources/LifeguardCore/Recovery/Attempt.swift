/// One use of one rung: intended, carried out, verified.
public struct Attempt: Hashable, Sendable, Codable {
  /// How an attempt ended (DESIGN: "evidence newer than the action").
  public enum Outcome: String, Hashable, Sendable, Codable {
    case recovered
    case notRecovered = "not_recovered"
    /// A neighbour that was well broke.
    case worse
    /// Nobody can tell: too few samples, or no result.
    case inconclusive
  }

  /// The idempotency key: incident, rung and attempt (G17).
  public var id: String
  public var plan: String
  /// Index into the plan's steps.
  public var rung: Int
  public var step: String
  public var target: Target
  /// Grows with every attempt on this host; a holder with a smaller one has lost its lock (G2).
  public var fence: Int
  public var intendedAt: Moment
  public var endedAt: Moment?
  /// What the step itself said: `exited 0`, `timed out after 60s`.
  public var result: String?
  /// Whether the step did what it was asked; no proof of recovery. nil also when nobody knows.
  public var succeeded: Bool?
  /// Nobody knows whether it was carried out, or still is: what is wrong afterwards does not show
  /// that it failed (G19). nil in a state written before this was noted.
  public var isUnknown: Bool?
  /// The agent ended between intent and outcome: verified, never run again (G17).
  public var wasInterrupted = false
  /// Carried out by somebody else, such as systemd's `Restart=`; watched, not done.
  public var isObserved = false
  /// Shadow: decided, not done.
  public var isShadow = false
  public var outcome: Outcome?
  public var outcomeAt: Moment?
  public var outcomeReason: String?

  init(
    id: String, plan: String, rung: Int, step: String, target: Target, fence: Int,
    at moment: Moment
  ) {
    self.id = id
    self.plan = plan
    self.rung = rung
    self.step = step
    self.target = target
    self.fence = fence
    intendedAt = moment
  }
}
