import Glibc
import LifeguardCore
import TestSupport
import Testing

@Suite(.enabled(if: Requirement.lifeguard.isMet, "\(Requirement.lifeguard.reason)"))
struct RoundTripTests {
  static let quiet = """
    mode: auto
    default_rules: false
    rules:
      - alert: AlwaysOn
        expr: vector(1)
        labels: {severity: warning, service: web}
        annotations: {summary: 'on, and staying on'}
    """

  @Test func `an operator looks, takes over, silences and freezes`() async throws {
    let agent = try await RunningAgent(Self.quiet)
    #expect(
      await eventually {
        try await agent.json(["incidents"]).array?.isEmpty == false
      })
    let status = try await agent.command(["status"])
    #expect(status.succeeded)
    #expect(status.standardOutput.contains("#1 AlwaysOn"))
    #expect(status.standardOutput.contains("mode auto"))
    #expect(!status.standardOutput.contains("\u{1B}"))

    let list = try await agent.command(["incidents"])
    #expect(list.standardOutput.hasPrefix("ID  STATE"))
    let one = try await agent.command(["incidents", "1"])
    #expect(one.succeeded && one.standardOutput.contains("on, and staying on"))
    let why = try await agent.command(["why", "AlwaysOn"])
    #expect(why.succeeded && why.standardOutput.contains("opened"))
    #expect(try await agent.command(["why", "stranger"]).standardOutput.contains("Nothing"))
    let rule = try await agent.command(["explain", "AlwaysOn"])
    #expect(rule.succeeded && rule.standardOutput.contains("vector(1)"))
    let query = try await agent.command(["query", "vector(3)"])
    #expect(query.standardOutput == "{} 3\n")

    #expect(try await agent.command(["ack", "1"]).succeeded)
    #expect(try await agent.json(["incidents", "1"])["incident"]?["acknowledgedBy"]?.string != nil)
    let silenced = try await agent.command(
      ["silence", #"service="web""#, "--for", "1h", "--comment", "deploying"])
    #expect(silenced.succeeded && silenced.standardOutput.contains("silence 1 for 1h"))
    #expect(try await agent.json(["status"])["silences"]?[0]?["comment"] == "deploying")
    #expect(try await agent.command(["silence", "--end", "1"]).succeeded)
    #expect(try await agent.command(["freeze", "--reason", "moving"]).succeeded)
    #expect(try await agent.command(["status"]).standardOutput.contains("FROZEN"))
    #expect(try await agent.command(["thaw"]).succeeded)
    #expect(try await agent.json(["status"])["frozen"]?.string == nil)
    await agent.end()
    #expect(agent.program.hasEnded == .exited(0))
  }

  @Test func `everything that shows something shows JSON too`() async throws {
    let agent = try await RunningAgent(Self.quiet)
    for arguments in [
      ["status"], ["incidents"], ["why", "host"], ["explain", "AlwaysOn"], ["top"],
      ["query", "vector(1)"], ["freeze"], ["thaw"], ["token"], ["token", "--link"],
    ] {
      let result = try await agent.command(arguments + ["--json"])
      #expect(result.succeeded, "\(arguments): \(result)")
      #expect(throws: Never.self, "\(arguments): \(result)") {
        try JSON.parse(Array(result.standardOutput.utf8))
      }
    }
    await agent.end()
  }

  @Test func `what the agent refuses ends with status 1 and its reason`() async throws {
    let agent = try await RunningAgent(Self.quiet)
    for (arguments, words) in [
      (["ack", "99"], "no open incident 99"), (["approve", "99"], "nothing waits"),
      (["silence", "--end", "9"], "no silence 9"), (["incidents", "99"], "no incident 99"),
      (["explain", "Stranger"], "no rule Stranger"), (["query", "sum("], "query"),
      (["silence", "web", "--for", "1h"], "invalid matcher"),
      (["silence", "a=b", "--for", "soon"], "not a duration"),
    ] {
      let result = try await agent.command(arguments)
      #expect(result.end == .exited(1), "\(arguments): \(result)")
      #expect(result.standardError.contains(words), "\(arguments): \(result)")
    }
    await agent.end()
  }

  @Test func `an approval lets a step go ahead`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let mark = folder / "done"
    let agent = try await RunningAgent(
      """
      mode: approve
      default_rules: false
      rules:
        - alert: AlwaysOn
          expr: node_memory_MemTotal_bytes > 0
          recover: mark
      plans:
        mark:
          target: host
          steps: [{run: {command: [/usr/bin/touch, '\(mark)'], disruptive: false}}]
      """)
    #expect(
      await eventually(within: .seconds(40)) {
        try await agent.json(["status"])["approvals"]?.array?.isEmpty == false
      })
    #expect(access(mark, F_OK) != 0)
    #expect(try await agent.command(["approve", "1"]).succeeded)
    #expect(await eventually(within: .seconds(30)) { access(mark, F_OK) == 0 })
    await agent.end()
  }

  @Test func `a killed demonstration service answers again`() async throws {
    let port = try FreePort.tcp()
    let agent = try await RunningAgent(
      """
      mode: auto
      default_rules: false
      services:
        - name: demo
          command: [lifeguard, demo-service, --listen, '127.0.0.1:\(port)']
          probe: {http: 'http://127.0.0.1:\(port)/'}
      """)
    func pid() async throws -> Int64? {
      let service = try await agent.json(["status"])["services"]?[0]
      return service?["state"] == "up" ? service?["pid"]?.integer : nil
    }
    #expect(await eventually { try await pid() != nil })
    let first = try #require(try await pid())
    #expect(kill(pid_t(first), SIGKILL) == 0)
    #expect(
      await eventually(within: .seconds(30)) {
        guard let fresh = try await pid() else { return false }
        return fresh != first
      })
    #expect(try HTTPExchange.send("GET", "/", port: port).body == "ok\n")
    #expect(agent.program.standardOutput.contains("killed by signal 9"))
    let last = try await pid()
    await agent.program.terminate(grace: .seconds(20))
    // What it supervises outlives it.
    #expect(last.map { kill(pid_t($0), 0) } == 0)
    if let last { kill(pid_t(last), SIGKILL) }
  }

  @Test func `SIGHUP reads the configuration again and keeps the old one when it is broken`()
    async throws
  {
    let agent = try await RunningAgent("mode: observe\ndefault_rules: false\n")
    try TextFile.write("mode: shadow\ndefault_rules: false\n", to: agent.folder / "lifeguard.yaml")
    agent.program.signal(SIGHUP)
    #expect(await eventually { try await agent.json(["status"])["mode"] == "shadow" })
    try TextFile.write("mode: never\n", to: agent.folder / "lifeguard.yaml")
    agent.program.signal(SIGHUP)
    #expect(await eventually { agent.program.standardOutput.contains("reload refused") })
    #expect(agent.program.standardError.contains("lifeguard.yaml:1:7"))
    let status = try await agent.json(["status"])
    #expect(status["mode"] == "shadow")
    #expect(status["configurationProblems"]?.array?.count == 1)
    await agent.end()
  }
}
