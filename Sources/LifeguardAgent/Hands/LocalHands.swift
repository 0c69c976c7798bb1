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
  }

  let tools: HandsTools
  let supervisor: Supervisor
  let knowledge = Mutex(Knowledge())
  let current = Mutex<[String: ServiceCondition]>([:])
  let bells = Mutex<[String: Bell]>([:])
  let reloaded = Bell()
  let reports = Mutex<(@Sendable (HandsReport) -> Void)?>(nil)
  private let load: @Sendable () -> LoadedConfiguration
  let isStopped: @Sendable () -> Bool
  let topProcesses: @Sendable () -> String
  private let exits: ExitRelay

  /// - Parameters:
  ///   - load: reads the configuration; the hands trust no other source.
  ///   - childLogs: a folder for the output of supervised children, made when it is missing.
  ///   - isStopped: the kill switch file, looked at right before every step (G26).
  public init(
    tools: HandsTools, configuration: Configuration, childLogs: String,
    load: @escaping @Sendable () -> LoadedConfiguration,
    isStopped: @escaping @Sendable () -> Bool, topProcesses: @escaping @Sendable () -> String
  ) throws(SystemCallError) {
    if mkdir(childLogs, 0o700) != 0, errno != EEXIST {
      throw SystemCallError(call: "mkdir", subject: childLogs)
    }
    self.tools = tools
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
    // Whoever listens now has not heard anything yet.
    current.withLock { $0 = [:] }
    await bringUp(children, starts: startsMissing, report)
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
      if !Task.isCancelled { await bringUp([], starts: true, report) }
    }
  }

  public func reload() async {
    guard let configuration = load().configuration else { return }
    take(configuration)
  }

  /// Takes a configuration over that this process has read itself.
  func take(_ configuration: Configuration) {
    defer { reloaded.ring() }
    knowledge.withLock { knowledge in
      var controls: [String: any ServiceControl] = [:]
      for service in configuration.services {
        let isSame = knowledge.services[service.name]?.handle == service.handle
        controls[service.name] =
          (isSame ? knowledge.controls[service.name] : nil) ?? control(for: service)
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

  private func control(for service: Service) -> any ServiceControl {
    switch service.handle {
    case .unit(let unit): UnitControl(unit: unit, reader: tools.units, signals: tools.signals)
    case .pidFile(let path):
      PidFileControl(
        path: path, signals: tools.signals, watcher: tools.watcher, reactor: tools.reactor)
    case .process(let executable, let user):
      ProcessControl(
        executable: executable, user: user, signals: tools.signals, watcher: tools.watcher,
        reactor: tools.reactor, threads: tools.threads)
    case .command(let command):
      SupervisedControl(name: service.name, command: command, supervisor: supervisor)
    }
  }

  func control(of service: String) -> (any ServiceControl)? {
    knowledge.withLock { $0.controls[service] }
  }

  public func cpuTicks(of service: String) async -> UInt64? {
    guard let identity = current.withLock({ $0[service]?.identity }) else { return nil }
    let status = ProcessStatus.read(pid: identity.pid)
    return status?.identity == identity ? status?.cpuTicks : nil
  }
}
