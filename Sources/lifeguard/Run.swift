import ArgumentParser
import Glibc
import LifeguardAWS
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import LifeguardServer
import LifeguardStore
import Logging

/// `lifeguard run`: the agent.
///
/// ```
///  configuration ─▶ AgentRuntime ─▶ APIServer listens ─▶ the agent runs ─▶ events on the terminal
///        └ all its problems, and those of the address and the data directory, exit 1: nothing
///          was started
/// ```
///
/// As root it is two processes: this one acts (`Run+Acting.swift`), and one that it starts, without
/// privileges, does everything else.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The agent: collects, evaluates, recovers, notifies, serves.",
    discussion: """
      Without a configuration it watches this host with the default rules and touches nothing. \
      SIGHUP reads the configuration again; SIGTERM and Ctrl-C end the agent, while the services \
      that it supervises go on running.

      Example: lifeguard run --config /etc/lifeguard/lifeguard.yaml
      """)

  @Option(help: ArgumentHelp("The configuration.", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("Where state is kept.", valueName: "directory"))
  var data: String?

  @Option(help: ArgumentHelp("Where the API listens; port 0 takes any.", valueName: "address:port"))
  var listen: ListenAddress?

  @Option(help: ArgumentHelp("trace, debug, info, notice, warning or error.", visibility: .hidden))
  var logLevel = "warning"

  @Flag(help: "Print state changes as JSON for programs, one object a line.")
  var json = false

  @Flag(help: "As root: do not split into a process that acts and one without privileges.")
  var singleProcess = false

  @Option(help: ArgumentHelp("Where the acting process is.", visibility: .hidden))
  var actDescriptor: Int32?

  func validate() throws {
    guard Logger.Level(rawValue: logLevel) != nil else {
      throw ValidationError("--log-level is one of trace, debug, info, notice, warning, error")
    }
  }

  func run() throws {
    Signals.block()
    if geteuid() == 0, actDescriptor == nil, !singleProcess, try runActing() { return }
    let setting: Setting
    do {
      setting = try actDescriptor == nil ? ownSetting() : unprivilegedSetting()
    } catch let error as ExitCode {
      throw error
    } catch {
      StandardError.write("lifeguard: \(Printable.text("\(error)"))\n")
      throw ExitCode.problem
    }
    let session: AgentSession
    do {
      session = try makeSession(setting)
    } catch {
      StandardError.write("lifeguard: \(Printable.text("\(error)"))\n")
      throw ExitCode.problem
    }
    setting.reload.order = { session.order(.reload) }
    Task.detached { await session.run() }  // why: main has no task to be a child of
    obeySignals(session)
  }

  /// What a session is made from, in one process or in two.
  struct Setting {
    var configuration: Configuration
    var file: String?
    var directory: String
    var hands: any Hands
    var processes: ProcessWatch
    var load: @Sendable () async -> LoadedConfiguration
    var reload = ReloadRelay()
    /// Says to whoever watches over this process that it makes progress.
    var tellAlive: @Sendable () -> Void = {}
  }

  /// One process that does everything with the rights of its user.
  private func ownSetting() throws -> Setting {
    let loader = Loading.loader
    let file = Loading.mainFile(config, loader)
    let configuration = try checked(loader.load(mainFile: file))
    let directory = dataDirectory(configuration)
    // The hands keep the children's output in it, and it must be known to be ours before that.
    try DataDirectory.create(directory)
    let processes = ProcessWatch()
    let hands = try LocalHands(
      tools: try HandsTools(), configuration: configuration,
      childLogs: "\(directory)/\(LocalHands.folderName)",
      load: { loader.load(mainFile: file) }, isStopped: AgentRuntime.killSwitch(directory),
      topProcesses: { processes.text })
    return Setting(
      configuration: configuration, file: file, directory: directory, hands: hands,
      processes: processes, load: { loader.load(mainFile: file) })
  }

  func dataDirectory(_ configuration: Configuration) -> String {
    Places.dataDirectory(data ?? configuration.dataDirectory)
  }

  /// Prints every problem that there is; the configuration when none of them is an error.
  ///
  /// - Parameter isQuiet: leaves warnings to the process that is started next.
  func checked(_ loaded: LoadedConfiguration, isQuiet: Bool = false) throws -> Configuration {
    let problems =
      loaded.problems + Preflight(listen: listen, data: data).problems(loaded)
    let isRefused = problems.contains { $0.severity == .error }
    if isRefused || !isQuiet { Loading.report(problems) }
    guard !isRefused, let configuration = loaded.configuration else { throw ExitCode.problem }
    return configuration
  }

  private func makeSession(_ setting: Setting) throws -> AgentSession {
    let level = Logger.Level(rawValue: logLevel) ?? .warning
    let logger = Logger(label: "lifeguard") { _ in LineLog(level) }
    var http = setting.configuration.http
    if let listen {
      http.host = listen.host
      http.port = listen.port
    }
    let runtime = try AgentRuntime(
      setting.configuration,
      AgentRuntime.Options(
        dataDirectory: setting.directory, configurationFile: setting.file.map(Places.absolute),
        version: Version.text, processes: setting.processes, hands: setting.hands,
        aws: AWSSettings(variable: Places.environment), load: setting.load), logger: logger)
    let socket = Places.socket(dataDirectory: setting.directory)
    if socket == Places.rootSocket { mkdir("/run/lifeguard", 0o755) }
    let server: APIServer
    do {
      server = try APIServer(
        agent: runtime.agent,
        ServerSettings(http, socketPath: socket, dataDirectory: setting.directory),
        logger: logger)
    } catch {
      // What stands in the way of a start is worth more than what stands in the way of its end.
      try? runtime.discard()
      throw error
    }
    return AgentSession(
      runtime: runtime, server: server, configuration: setting.configuration, printsJSON: json,
      tellAlive: setting.tellAlive)
  }

  /// The main thread has nothing else to do.
  private func obeySignals(_ session: AgentSession) -> Never {
    var stops = 0
    while true {
      // After an order to stop, the agent has this long; its state is durable at any moment.
      guard let number = Signals.next(withinSeconds: stops > 0 ? 15 : nil) else {
        StandardError.write("lifeguard: it did not stop within 15s and is ended\n")
        Glibc.exit(1)
      }
      if number == SIGHUP {
        session.order(.reload)
        continue
      }
      stops += 1
      if stops > 1 { Glibc.exit(128 + number) }
      session.order(.stop)
    }
  }
}
