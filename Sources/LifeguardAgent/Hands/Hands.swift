import LifeguardCore

/// What touches the host: starts, stops, signals, runs scripts, looks at processes.
///
/// Two of them exist. `LocalHands` acts in this process. Started as root, the agent splits: the
/// part that parses what the world sends runs without privileges and holds `RemoteHands`, which
/// ask a small root process; that one reads the configuration itself and takes nothing but the
/// name of a plan with its hash, a rung and a target.
public protocol Hands: Sendable {
  /// Watches services for as long as the task lives: re-adopts children that are still running,
  /// starts the others where that is allowed, and reports what it sees.
  func watch(
    children: [ChildRecord], startsMissing: Bool, report: @escaping @Sendable (HandsReport) -> Void
  ) async

  /// Carries one step out; never throws, the result says what happened.
  func perform(_ order: StepOrder) async -> StepResult

  /// Collects evidence and checks preconditions.
  func prepare(_ order: PreparationOrder) async -> PreparationReport

  func collectEvidence(_ request: EvidenceRequest) async -> EvidenceReport

  /// CPU time of all processes of a service; nil when it has none.
  func cpuTime(of service: String) async -> Duration?

  /// Whether children that do not run may be started: not while the agent is frozen (G26).
  func allowStarts(_ allowed: Bool) async

  /// Reads the configuration again; services that are gone are no longer watched.
  func reload() async
}

/// A supervised child as it is remembered over restarts of the agent.
public struct ChildRecord: Hashable, Sendable, Codable {
  public var service: String
  public var identity: ProcessIdentity

  public init(service: String, identity: ProcessIdentity) {
    self.service = service
    self.identity = identity
  }
}

/// What the hands tell without being asked.
public enum HandsReport: Sendable, Codable {
  case observed(ServiceObservation)
  /// A supervised child runs; to be remembered before anything else happens.
  case childStarted(ChildRecord)
  /// The processes of the watched groups, by pid, whenever they change.
  case members([String: [Int32]])
}
