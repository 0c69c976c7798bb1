import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import LifeguardStore

/// What an agent works with; everything from outside comes in here.
public struct AgentParts: Sendable {
  public var host: HostInfo
  public var clock: @Sendable () -> Moment
  public var hands: any Hands
  public var prober: any ServiceProber
  /// Pressure, kill switch, room on disk; read once a turn, without waiting.
  public var facts: @Sendable () -> HostFacts
  /// Reads the configuration again, with all its problems.
  public var load: @Sendable () async -> LoadedConfiguration
  public var configurationFile: String?
  public var dataDirectory: String
  public var version: String
  public var samples: SampleStore?
  public var history: SampleArchive
  public var evidence: EvidenceFolder
  public var notifiers: NotifierFactory
  /// The processes that use most, for `lifeguard top`.
  public var top: @Sendable () -> [TopProcess]
  /// Whether something is pending, so that processes are listed every second.
  public var watchClosely: @Sendable (Bool) -> Void
  /// Which processes belong to the watched groups, as the acting side sees them.
  public var noteMembers: @Sendable ([String: [Int32]]) -> Void
  /// Which groups of processes to watch, after a reload.
  public var watchGroups: @Sendable ([LifeguardConfiguration.ProcessGroup]) -> Void
  public let mailbell = Bell()

  public init(
    host: HostInfo, clock: @escaping @Sendable () -> Moment, hands: any Hands,
    prober: any ServiceProber, facts: @escaping @Sendable () -> HostFacts,
    load: @escaping @Sendable () async -> LoadedConfiguration, configurationFile: String?,
    dataDirectory: String, version: String, samples: SampleStore?,
    history: SampleArchive, evidence: EvidenceFolder,
    notifiers: NotifierFactory, top: @escaping @Sendable () -> [TopProcess],
    watchClosely: @escaping @Sendable (Bool) -> Void,
    noteMembers: @escaping @Sendable ([String: [Int32]]) -> Void,
    watchGroups: @escaping @Sendable ([LifeguardConfiguration.ProcessGroup]) -> Void
  ) {
    self.host = host
    self.clock = clock
    self.hands = hands
    self.prober = prober
    self.facts = facts
    self.load = load
    self.configurationFile = configurationFile
    self.dataDirectory = dataDirectory
    self.version = version
    self.samples = samples
    self.history = history
    self.evidence = evidence
    self.notifiers = notifiers
    self.top = top
    self.watchClosely = watchClosely
    self.noteMembers = noteMembers
    self.watchGroups = watchGroups
  }
}

/// Asks services whether they work.
public protocol ServiceProber: Sendable {
  func probe(
    _ probe: Probe, timeout: Duration
  ) async -> ProbeResult.Outcome
}
