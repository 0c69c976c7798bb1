import ArgumentParser
import Glibc
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore
import LifeguardServer
import Logging

/// `lifeguard run`: the agent.
///
/// ```
///  configuration ─▶ AgentRuntime ─▶ APIServer listens ─▶ the agent runs ─▶ events on the terminal
///        └ all its problems, exit 1       └ address in use, exit 1: nothing was started
/// ```
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

  func validate() throws {
    guard Logger.Level(rawValue: logLevel) != nil else {
      throw ValidationError("--log-level is one of trace, debug, info, notice, warning, error")
    }
  }

  func run() throws {
    Signals.block()
    let level = Logger.Level(rawValue: logLevel) ?? .warning
    let logger = Logger(label: "lifeguard") { _ in LineLog(level) }
    let loader = Loading.loader
    let file = Loading.mainFile(config, loader)
    let loaded = loader.load(mainFile: file)
    Loading.report(loaded.problems)
    guard let configuration = loaded.configuration else { throw ExitCode.problem }

    let directory = (data ?? configuration.dataDirectory).map(Places.absolute)
      ?? Places.dataDirectory
    var http = configuration.http
    if let listen {
      http.host = listen.host
      http.port = listen.port
    }
    let session: AgentSession
    do {
      let runtime = try AgentRuntime(
        configuration,
        AgentRuntime.Options(
          dataDirectory: directory, configurationFile: file.map(Places.absolute),
          version: Version.text, load: { loader.load(mainFile: file) }, hands: nil),
        logger: logger)
      let socket = Places.socket(dataDirectory: directory)
      if socket == Places.rootSocket { mkdir("/run/lifeguard", 0o755) }
      let server = try APIServer(
        agent: runtime.agent,
        ServerSettings(http, socketPath: socket, dataDirectory: directory), logger: logger)
      session = AgentSession(runtime: runtime, server: server, configuration: configuration)
    } catch {
      StandardError.write("lifeguard: \(Printable.text("\(error)"))\n")
      throw ExitCode.problem
    }
    Task.detached { await session.run() }
    obeySignals(session)
  }

  /// The main thread has nothing else to do.
  private func obeySignals(_ session: AgentSession) -> Never {
    var stops = 0
    while true {
      // After an order to stop, the agent has this long; its state is durable at any moment.
      guard let number = Signals.next(withinSeconds: stops > 0 ? 15 : nil) else {
        StandardError.write("lifeguard: it did not stop within 15s and is ended\n")
        exit(1)
      }
      if number == SIGHUP {
        session.order(.reload)
        continue
      }
      stops += 1
      if stops > 1 { exit(128 + number) }
      session.order(.stop)
    }
  }
}
