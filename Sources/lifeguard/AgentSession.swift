import Glibc
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore
import LifeguardServer

/// One life of the agent: listen, run, tell, stop.
final class AgentSession: Sendable {
  enum Order: Sendable {
    case reload
    case stop
  }

  private let runtime: AgentRuntime
  private let server: APIServer
  private let configuration: Configuration
  private let orders: AsyncStream<Order>
  private let ordering: AsyncStream<Order>.Continuation
  private let tellAlive: @Sendable () -> Void
  private let systemd = ServiceNotification()
  private let terminal = Terminal.standardOutput
  private let lines: EventLines

  /// - Parameters:
  ///   - printsJSON: what is said on standard output is for programs.
  ///   - tellAlive: called every two seconds while evaluation makes progress.
  init(
    runtime: AgentRuntime, server: APIServer, configuration: Configuration, printsJSON: Bool,
    tellAlive: @escaping @Sendable () -> Void
  ) {
    lines = EventLines(terminal: terminal, isJSON: printsJSON)
    self.tellAlive = tellAlive
    self.runtime = runtime
    self.server = server
    self.configuration = configuration
    (orders, ordering) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(16))
  }

  func order(_ order: Order) { ordering.yield(order) }

  /// Ends the process, with 1 when the agent could not run.
  func run() async -> Never {
    do {
      try await serve()
      lines.note("stopped")
      exit(0)
    } catch {
      StandardError.write("lifeguard: \(Printable.text("\(error)"))\n")
      exit(1)
    }
  }

  private func serve() async throws {
    let (started, starting) = AsyncStream.makeStream(of: APIServer.Listening.self)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        defer { starting.finish() }
        try await self.server.run { starting.yield($0) }
      }
      // Nothing is started before the address is ours.
      var first = started.makeAsyncIterator()
      guard let listening = await first.next() else {
        try await tasks.next()
        return
      }
      let entries = runtime.agent.feed.subscribe()
      tasks.addTask { try await self.runtime.run() }
      tasks.addTask {
        await self.introduce(listening)
        for await entry in entries { self.lines.print(entry) }
      }
      tasks.addTask { await self.signalLife() }
      await obeyOrders()
      await runtime.agent.sayLastWords()
      tasks.cancelAll()
      while !tasks.isEmpty {
        do { try await tasks.next() } catch is CancellationError { continue }
      }
    }
  }

  /// Returns when the agent is to stop.
  private func obeyOrders() async {
    for await order in orders {
      switch order {
      case .stop:
        systemd.stopping()
        let supervised = configuration.services.filter { $0.handle.isSupervised }.map(\.name)
        let note = supervised.isEmpty ? "" : "; left running: \(supervised.joined(separator: ", "))"
        lines.note("stopping\(note)")
        return
      case .reload:
        systemd.reloading()
        let problems = await runtime.agent.reload()
        do {
          try server.reloadCertificate()
        } catch {
          StandardError.write("lifeguard: \(Printable.text("\(error)"))\n")
        }
        let isRefused = problems.contains { $0.severity == .error }
        lines.note(
          isRefused
            ? "reload refused: the last good configuration stays in force"
            : "configuration reloaded" + (problems.isEmpty ? "" : ", with warnings"))
        systemd.ready(isRefused ? "the last reload was refused" : "watching")
      }
    }
  }

  /// At most ten lines, once the first turn has shown what there is.
  private func introduce(_ listening: APIServer.Listening) async {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(5)
    while !Task.isCancelled, clock.now < deadline, await !runtime.agent.isReady {
      // Cancellation ends the wait.
      try? await clock.sleep(for: .milliseconds(50))
    }
    let status = await runtime.agent.status(listening: listening.address)
    systemd.ready("watching \(status.host) with \(status.rules) rules, mode \(status.mode)")
    let services = status.services.map { "\($0.name) (\($0.state))" }.joined(separator: ", ")
    let mode =
      switch configuration.mode {
      case .observe: "observe: it only tells; set `mode: auto` to let it act"
      case .shadow: "shadow: it decides as if it acted, and does nothing"
      case .approve: "approve: it asks with `lifeguard approve` before it acts"
      case .auto: "auto: it acts; `lifeguard freeze` stops that at once"
      }
    var rows: [(String, String)] = [
      (
        "watches",
        "\(status.host) every \(configuration.interval.text): \(status.series) series, "
          + "\(status.rules) rules"
      ),
      ("services", services.isEmpty ? "none" : services),
      ("mode", mode),
      ("settings", status.configurationFile ?? "defaults; no lifeguard.yaml was found"),
      ("data", runtime.dataDirectory),
    ]
    // The link signs in; it belongs on a terminal and not into a log.
    let isTerminal = isatty(STDOUT_FILENO) == 1
    rows.append(("page", isTerminal ? listening.signInLink : "http://\(listening.address)/"))
    var text = terminal.paint("Lifeguard \(Version.text)", .bold) + "\n"
    for (name, value) in rows {
      let padding = String(repeating: " ", count: 10 - name.count)
      text += "\(terminal.paint(name, .dim))\(padding)\(Printable.text(value))\n"
    }
    lines.introduce(status, text)
  }

  /// Signs of life for the acting process and for systemd, only while evaluation makes progress.
  private func signalLife() async {
    let period = min(systemd.watchdogPeriod ?? .seconds(2), .seconds(2))
    while !Task.isCancelled {
      if runtime.agent.isHealthy {
        tellAlive()
        if systemd.watchdogPeriod != nil { systemd.alive() }
      }
      // Cancellation ends the loop.
      try? await Task.sleep(for: period)
    }
  }
}
