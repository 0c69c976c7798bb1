import AsyncHTTPClient
import Glibc
import LifeguardAWS
import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import LifeguardStore
import Logging
import NIOCore
import NIOPosix

/// Builds an agent from a configuration, runs it, and takes it down in reverse order.
public final class AgentRuntime: Sendable {
  /// Where things are and who acts.
  public struct Options: Sendable {
    public var dataDirectory: String
    public var configurationFile: String?
    public var version: String
    /// Shared with the hands, whose evidence shows the busiest processes.
    public var processes: ProcessWatch
    /// Reads the configuration again, as at the start.
    public var load: @Sendable () async -> LoadedConfiguration
    /// What acts.
    public var hands: any Hands
    /// What decides region and credentials of AWS; nil uses nothing of it.
    public var aws: AWSSettings?

    public init(
      dataDirectory: String, configurationFile: String?, version: String,
      processes: ProcessWatch = ProcessWatch(),
      hands: any Hands, aws: AWSSettings? = nil,
      load: @escaping @Sendable () async -> LoadedConfiguration
    ) {
      self.dataDirectory = dataDirectory
      self.configurationFile = configurationFile
      self.version = version
      self.processes = processes
      self.load = load
      self.hands = hands
      self.aws = aws
    }
  }

  public let agent: Agent
  public let dataDirectory: String
  private let schedule: CollectorSchedule
  private let ticks: AsyncStream<[CollectedBatch]>
  private let ticking: AsyncStream<[CollectedBatch]>.Continuation
  private let client: HTTPClient
  private let group: MultiThreadedEventLoopGroup

  /// Opens the data directory, restores the state and makes everything ready.
  ///
  /// - Throws: `StoreError` when the directory cannot be used, `SystemCallError` and
  ///   `CollectorError` when the process has no thread or descriptor left.
  public init(_ configuration: Configuration, _ options: Options, logger: Logger) throws {
    let clock = SystemClock()
    let now: @Sendable () -> Moment = { clock.now() }
    let directory = try DataDirectory(path: options.dataDirectory)
    let memory = try AgentMemory.open(directory, at: now().wall)
    let host = HostInfo()
    let processes = options.processes
    processes.groups = configuration.collect.processGroups.map(\.watched)
    let killSwitch = AgentRuntime.killSwitch(options.dataDirectory)
    let tools = try HandsTools()
    let data = options.dataDirectory
    let prober = try Prober(reactor: tools.reactor, runner: tools.runner)
    let samples = try SampleStore(
      in: directory, now: now().wall,
      settings: SampleStore.Settings(
        retention: Retention(
          raw: configuration.collect.diskRetention,
          minute: configuration.collect.minuteRetention,
          hour: configuration.collect.hourRetention,
          bytesMax: configuration.collect.diskBytesMax)))
    // Last, because it must be shut down before it may be forgotten.
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    client = HTTPClient(
      eventLoopGroup: group, configuration: NotifierFactory.clientConfiguration)
    let parts = AgentParts(
      host: host, clock: now, hands: options.hands,
      prober: LocalProber(
        prober: prober, client: client),
      facts: { AgentRuntime.facts(data, killSwitch: killSwitch) }, load: options.load,
      configurationFile: options.configurationFile, dataDirectory: data,
      version: options.version,
      samples: samples,
      history: SampleArchive(path: "\(data)/samples.db"),
      evidence: EvidenceFolder(path: "\(data)/evidence", threads: tools.threads),
      notifiers: NotifierFactory(
        client: client, group: group, logger: logger, aws: options.aws),
      top: { processes.top }, watchClosely: { processes.isPending = $0 },
      noteMembers: { processes.note(members: $0) },
      watchGroups: { processes.groups = $0.map(\.watched) })
    agent = Agent(
      configuration: configuration, parts: parts, thread: DedicatedThread(), memory: memory,
      logger: logger)
    dataDirectory = data
    // A turn that is late by more than this is better skipped than made up for.
    (ticks, ticking) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(8))
    let ticking = ticking
    schedule = try CollectorSchedule(
      AgentRuntime.settings(configuration, host: host, processes: processes), clock: now
    ) { ticking.yield($0) }
  }

  /// Runs until the task is cancelled; supervised children go on running.
  public func run() async throws {
    try schedule.start()
    await withTaskCancellationHandler {
      await agent.run(ticks: ticks)
    } onCancel: {
      ticking.finish()
      agent.stop()
    }
    schedule.stop()
    try await client.shutdown()
    try await group.shutdownGracefully()
  }

  /// Takes down what was made for an agent that will not run after all.
  ///
  /// - Throws: what the HTTP client or its threads report.
  public func discard() throws {
    try client.syncShutdown()
    try group.syncShutdownGracefully()
  }

  /// G26: this file stops everything that acts, without network and without a running agent.
  public static func killSwitch(_ dataDirectory: String) -> @Sendable () -> Bool {
    let paths = ["\(dataDirectory)/freeze", "/etc/lifeguard/freeze"]
    return { paths.contains { access($0, F_OK) == 0 } }
  }

  private static func facts(
    _ dataDirectory: String, killSwitch: @Sendable () -> Bool
  ) -> HostFacts {
    let pressure = Pressure.read() ?? Pressure(cpuSome: 0, memoryFull: 0, ioFull: 0)
    var room = statvfs()
    let isKnown = statvfs(dataDirectory, &room) == 0
    let free = isKnown ? Int64(clamping: UInt64(room.f_bavail) &* UInt64(room.f_frsize)) : .max
    return HostFacts(
      cpuPressureSome: pressure.cpuSome,
      pressureFull: max(pressure.memoryFull, pressure.ioFull), killSwitch: killSwitch(),
      freeBytes: free)
  }

  private static func settings(
    _ configuration: Configuration, host: HostInfo, processes: ProcessWatch
  ) -> CollectorSchedule.Settings {
    let collect = configuration.collect
    let registrations = CollectorRegistry.all(processes: processes).compactMap {
      registration -> CollectorRegistration? in
      guard !collect.disabled.contains(registration.name) else { return nil }
      guard registration.isDefault || collect.intervals[registration.name] != nil else {
        return nil
      }
      var registration = registration
      if let interval = collect.intervals[registration.name] { registration.interval = interval }
      return registration
    }
    return CollectorSchedule.Settings(
      registrations: registrations, tick: configuration.interval
    ) {
      CollectorContext(host: host, processes: processes)
    }
  }
}
