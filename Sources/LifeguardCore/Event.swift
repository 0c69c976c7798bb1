/// Everything that can happen to a `Monitor`.
public enum Event: Sendable {
  /// The agent has started, with the state of before or without.
  case started(StartReport)
  /// A rule was evaluated.
  case evaluated(Evaluation)
  /// A verification's own condition was evaluated over samples newer than the action.
  case verified(attempt: String, Evaluation.Verdict)
  /// Somebody looked at a service.
  case observed(ServiceObservation)
  case probed(ProbeResult)
  /// What the host is like: pressure, kill switch, room on disk.
  case host(HostFacts)
  /// Evidence was collected and the preconditions were checked.
  case prepared(attempt: String, Preparation)
  case stepFinished(attempt: String, StepResult)
  case evidenceCollected(incident: Int, summary: String)
  /// A problem of Lifeguard's own, such as a stuck collector, began or ended.
  case problem(Problem)
  case command(OperatorCommand)
  /// Time has passed; sent once a turn, after everything else of that turn.
  case tick
}

/// How the agent came up.
public struct StartReport: Hashable, Sendable {
  /// The state of before was lost or set aside: act only when an operator says so, and count every
  /// budget as spent.
  public var stateWasLost: Bool
  public var reason: String
  /// Attempts that somebody else, who shares the state, is still at work on: left to them.
  public var attemptsElsewhere: Set<String>

  public init(
    stateWasLost: Bool = false, reason: String = "", attemptsElsewhere: Set<String> = []
  ) {
    self.stateWasLost = stateWasLost
    self.reason = reason
    self.attemptsElsewhere = attemptsElsewhere
  }
}

/// What recovery must know of the host as a whole.
public struct HostFacts: Hashable, Sendable {
  /// `/proc/pressure/cpu`, `some avg10`, percent.
  public var cpuPressureSome: Double
  /// The larger `full avg10` of `/proc/pressure/memory` and `io`, percent.
  public var pressureFull: Double
  /// Whether the kill switch file exists (G26).
  public var killSwitch: Bool
  /// Free bytes on the data directory's file system.
  public var freeBytes: Int64
  /// Why this machine is about to be taken away, in words; nil while nobody plans to.
  public var termination: String?

  public init(
    cpuPressureSome: Double = 0, pressureFull: Double = 0, killSwitch: Bool = false,
    freeBytes: Int64 = .max, termination: String? = nil
  ) {
    self.cpuPressureSome = cpuPressureSome
    self.pressureFull = pressureFull
    self.killSwitch = killSwitch
    self.freeBytes = freeBytes
    self.termination = termination
  }
}

/// What was found before an action.
public struct Preparation: Hashable, Sendable {
  /// Preconditions that failed; empty lets the action go ahead.
  public var refusals: [Refusal]
  /// What the evidence shows, in a few words.
  public var evidence: String

  public init(refusals: [Refusal] = [], evidence: String = "") {
    self.refusals = refusals
    self.evidence = evidence
  }
}

/// What a step itself said.
public struct StepResult: Hashable, Sendable, Codable {
  public enum Status: Hashable, Sendable, Codable {
    case succeeded
    case failed
    /// Not carried out, for this reason.
    case refused(Refusal)
    /// Nobody knows whether it was carried out (G19).
    case unknown
  }

  public var status: Status
  /// `exited 0 after 59ms`.
  public var summary: String

  public init(status: Status, summary: String) {
    self.status = status
    self.summary = summary
  }
}

/// A problem of Lifeguard's own, raised and ended as an alert of its own.
public struct Problem: Hashable, Sendable {
  /// The alert's name, such as `LifeguardCollectorStuck`.
  public var name: String
  public var labels: Labels
  public var summary: String
  public var isActive: Bool

  public init(name: String, labels: Labels = Labels(), summary: String, isActive: Bool) {
    self.name = name
    self.labels = labels
    self.summary = summary
    self.isActive = isActive
  }
}

/// An operator's hand on the brake.
public enum OperatorCommand: Sendable {
  case freeze(by: String, reason: String)
  case thaw(by: String)
  case silence(Silence)
  case unsilence(id: String)
  case acknowledge(incident: Int, by: String)
  case approve(id: String, by: String)
}
