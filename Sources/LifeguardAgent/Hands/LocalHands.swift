import Glibc
import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import Synchronization

/// Acts in this process, with whatever rights it has.
public final class LocalHands: Hands {
  /// What the hands know of the configuration, replaced as a whole by a reload.
  struct Knowledge: Sendable {
    var services: [String: Service] = [:]
    var plans: [String: Plan] = [:]
    var controls: [String: any ServiceControl] = [:]
    var externalLabels = Labels()
    var groups: [ProcessSearch.Wanted] = []
    /// G14: how many processes one step may act on.
    var targetsMax = 1
    /// G15: whether this host's own mail server carries the alerts.
    var alertsPass = false
    var signals = ProcessSignals()
  }

  let tools: HandsTools
  let supervisor: Supervisor
  let knowledge = Mutex(Knowledge())
  let current = Mutex<[String: ServiceCondition]>([:])
  let bells = Mutex<[String: Bell]>([:])
  let reloaded = Bell()
  let reports = Mutex<(@Sendable (HandsReport) -> Void)?>(nil)
  /// G2: the newest fencing number that each target has seen.
  let fences = Mutex<[Target: Int]>([:])
  /// Scripts that an agent before has left running, by being killed.
  let leftovers: [LeftoverRun]
  /// Where the acting side keeps what it must remember by itself.
  let folder: String
  /// What that folder is called where one process does everything: in the data directory.
  public static let folderName = "children"
  private let stops: StopRecords
  private let mayStart = Mutex(true)
  private let load: @Sendable () -> LoadedConfiguration
  let isStopped: @Sendable () -> Bool
  let topProcesses: @Sendable () -> String
  private let exits: ExitRelay

  /// - Parameters:
  ///   - load: reads the configuration; the hands trust no other source.
  ///   - childLogs: a folder for the output of supervised children and for what must be remembered
  ///     over the end of this process, made when it is missing.
  ///   - isStopped: the kill switch file, looked at right before every step (G26).
  public init(
    tools: HandsTools, configuration: Configuration, childLogs: String,
    load: @escaping @Sendable () -> LoadedConfiguration,
    isStopped: @escaping @Sendable () -> Bool, topProcesses: @escaping @Sendable () -> String
  ) throws(SystemCallError) {
    try LocalHands.makeOwn(childLogs)
    self.tools = tools
    folder = childLogs
    stops = StopRecords(folder: childLogs)
    leftovers = tools.runner.leftovers(in: childLogs)
    self.load = load
    self.isStopped = isStopped
    self.topProcesses = topProcesses
    let exits = ExitRelay()
    self.exits = exits
    supervisor = Supervisor(
      reactor: tools.reactor, threads: tools.threads, launcher: tools.launcher,
      watcher: tools.watcher, logFolder: childLogs, onExit: { exits.send($0) })
    take(configuration)
  }

  /// What lies there decides what is signalled and started, so nobody else may have made it.
  private static func makeOwn(_ path: String) throws(SystemCallError) {
    if mkdir(path, 0o700) == 0 { return }
    guard errno == EEXIST else { throw SystemCallError(call: "mkdir", subject: path) }
    var status = stat()
    guard lstat(path, &status) == 0 else { throw SystemCallError(call: "lstat", subject: path) }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw SystemCallError(call: "mkdir", subject: path, code: ENOTDIR)
    }
    guard status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
      throw SystemCallError(call: "open", subject: path, code: EPERM)
    }
  }

  /// A child's end goes two ways at once: into the reason of its death, and out as an observation.
  private final class ExitRelay: Sendable {
    let receiver = Mutex<(@Sendable (Supervisor.ChildExit) -> Void)?>(nil)

    func send(_ exit: Supervisor.ChildExit) { receiver.withLock { $0 }?(exit) }
  }

  public func watch(
    children: [ChildRecord], startsMissing: Bool,
    report: @escaping @Sendable (HandsReport) -> Void
  ) async {
    exits.receiver.withLock { receiver in
      receiver = { [weak self] exit in self?.childEnded(exit, report) }
    }
    reports.withLock { $0 = report }
    // Whoever listens now has not heard anything yet, and counts its own attempts.
    current.withLock { $0 = [:] }
    fences.withLock { $0 = [:] }
    await allowStarts(startsMissing)
    await bringUp(children, report)
    await withDiscardingTaskGroup { group in
      for run in leftovers { group.addTask { await run.watch(on: self.tools.reactor) } }
      await watchServices(report)
    }
  }

  private func watchServices(_ report: @escaping @Sendable (HandsReport) -> Void) async {
    while !Task.isCancelled {
      let services = knowledge.withLock { Array($0.services.values) }
      await withTaskGroup { group in
        for service in services { group.addTask { await self.watch(service, report) } }
        group.addTask { await self.watchGroups(report) }
        group.addTask { await self.reloaded.wait() }
        await group.next()
        // Without services only a reload ends the wait; with them a watch ends only when cancelled.
        group.cancelAll()
      }
      if !Task.isCancelled { await bringUp([], report) }
    }
  }

  public func allowStarts(_ allowed: Bool) async { mayStart.withLock { $0 = allowed } }

  /// Looked at right before each start (G26).
  var startsAreAllowed: Bool { mayStart.withLock { $0 } && !isStopped() }

  public func reload() async {
    guard let configuration = load().configuration else { return }
    take(configuration)
  }

  /// Takes a configuration over that this process has read itself.
  func take(_ configuration: Configuration) {
    defer { reloaded.ring() }
    knowledge.withLock { knowledge in
      let (targetsMax, alertsPass) = (
        configuration.guardRails.targetsMax, configuration.mailsThroughThisHost
      )
      let isBound = knowledge.targetsMax == targetsMax && knowledge.alertsPass == alertsPass
      knowledge.targetsMax = targetsMax
      knowledge.alertsPass = alertsPass
      if !isBound { knowledge.signals = ProcessSignals(protectsMailServers: alertsPass) }
      var controls: [String: any ServiceControl] = [:]
      for service in configuration.services {
        let isSame = isBound && knowledge.services[service.name]?.handle == service.handle
        controls[service.name] =
          (isSame ? knowledge.controls[service.name] : nil) ?? control(for: service, knowledge)
      }
      knowledge.services = Dictionary(
        configuration.services.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
      knowledge.plans = configuration.allPlans
      knowledge.controls = controls
      knowledge.groups = configuration.collect.processGroups.map(\.wanted)
      knowledge.externalLabels = Labels(
        configuration.externalLabels.map { Label(name: $0.key, value: $0.value) })
    }
  }

  private func control(
    for service: Service, _ knowledge: Knowledge
  ) -> any ServiceControl {
    switch service.handle {
    case .unit(let unit): unitControl(unit, knowledge.signals)
    case .pidFile(let path):
      PidFileControl(
        path: path, signals: knowledge.signals, watcher: tools.watcher, reactor: tools.reactor)
    case .process(let executable, let user):
      ProcessControl(
        executable: executable, user: user, targetsMax: knowledge.targetsMax,
        signals: knowledge.signals, watcher: tools.watcher, reactor: tools.reactor,
        threads: tools.threads)
    case .command(let command):
      SupervisedControl(name: service.name, command: command, supervisor: supervisor)
    }
  }

  func unitControl(_ unit: String, _ signals: ProcessSignals) -> UnitControl {
    UnitControl(unit: unit, reader: tools.units, signals: signals, stops: stops)
  }

  func control(of service: String) -> (any ServiceControl)? {
    knowledge.withLock { $0.controls[service] }
  }

  public func cpuTime(of service: String) async -> Duration? {
    guard let identity = current.withLock({ $0[service]?.identity }) else { return nil }
    return await tools.threads.run { ServiceActivity.cpuTime(of: identity) } ?? nil
  }
}
