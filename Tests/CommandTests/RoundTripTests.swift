import Glibc
import LifeguardCore
import TestSupport
import Testing

@testable import lifeguard

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

  /// A terminal of 80 columns, made by script(1); what the command wrote, line by line.
  private static func onTerminal(
    _ agent: RunningAgent, _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> [Substring] {
    let words = [agent.lifeguard] + arguments + ["--data", agent.folder / "data"]
    // The words are the command's path, fixed words and a temporary folder's path.
    let command = "stty cols 80 rows 24; exec " + words.map { "'\($0)'" }.joined(separator: " ")
    // `swift test` sets NO_COLOR where its own output is no terminal; empty it means nothing.
    let result = try await ChildProgram.run(
      ["script", "-qec", command, "/dev/null"],
      environment: ["TERM": "xterm", "NO_COLOR": ""].merging(environment) { $1 })
    #expect(result.succeeded, "\(arguments): \(result)")
    return result.standardOutput.replacing("\r\n", with: "\n").split(separator: "\n")
  }

  @Test(
    .enabled(
      if: Requirement.program("script").isMet, "\(Requirement.program("script").reason)"))
  func `a terminal of 80 columns is coloured and never wraps`() async throws {
    let long = String(repeating: "a word ", count: 30) + String(repeating: "長い/", count: 60)
    let agent = try await RunningAgent(
      Self.quiet.replacing("on, and staying on", with: "on, \(long)"))
    #expect(
      await eventually {
        try await agent.json(["incidents"]).array?.isEmpty == false
      })
    // The path of what was collected, as long as it may be.
    let name = String(repeating: "e", count: 120)
    mkdir(agent.folder / "data/evidence", 0o700)
    try TextFile.write("x", to: agent.folder / "data/evidence/1-\(name).txt")
    for arguments in [["status"], ["incidents"], ["incidents", "1"], ["why", "AlwaysOn"]] {
      let lines = try await Self.onTerminal(agent, arguments)
      let widest = lines.max { Self.width($0) < Self.width($1) } ?? ""
      #expect(Self.width(widest) <= 80, "\(arguments): \(widest)")
      #expect(lines.contains { $0.contains("\u{1B}[") }, "\(arguments) has no colour")
      if arguments == ["incidents", "1"] {
        #expect(lines.contains { $0.contains("eeeee") }, "no evidence")
      }
      let plain = try await Self.onTerminal(agent, arguments, environment: ["NO_COLOR": "1"])
      #expect(!plain.contains { $0.contains("\u{1B}") }, "\(arguments) with NO_COLOR")
    }
    await agent.end()
  }

  /// Columns without the sequences that colour.
  private static func width(_ line: Substring) -> Int {
    DisplayWidth.of(String(line).replacing(/\u{1B}\[[0-9;]*m/, with: ""))
  }

  @Test func `what an agent left behind can be queried, counted, checked and taken elsewhere`()
    async throws
  {
    let agent = try await RunningAgent("default_rules: false\n")
    #expect(
      await eventually(within: .seconds(30)) {
        try await agent.command(["query", "count_over_time(node_load1[1m]) > 3"])
          .standardOutput.contains("} ")
      })
    await agent.program.terminate(grace: .seconds(20))
    let query = try await agent.command(["query", "node_load1"])
    #expect(query.succeeded && query.standardOutput.contains("node_load1{"), "\(query)")
    let range = try await agent.command(
      ["query", "count_over_time(node_load1[10s])", "--range", "1m", "--step", "5s", "--json"])
    #expect(range.succeeded, "\(range)")
    let stats = try await agent.json(["db", "stats"])
    #expect(stats.object?.members.isEmpty == false, "\(stats)")
    #expect(try await agent.command(["db", "verify"]).succeeded)
    let export = try await agent.command(["db", "export", "node_load1"])
    #expect(export.succeeded && export.standardOutput.contains("node_load1"), "\(export)")

    let other = try TemporaryFolder()
    defer { other.remove() }
    try TextFile.write(export.standardOutput, to: other / "samples.csv")
    let taken = try await ChildProgram.run(
      [agent.lifeguard, "db", "import", other / "samples.csv", "--data", other / "data"])
    #expect(taken.succeeded, "\(taken)")
    let there = try await ChildProgram.run(
      [agent.lifeguard, "query", "node_load1", "--data", other / "data"])
    #expect(there.standardOutput == query.standardOutput, "\(there)")
    try TextFile.write("series,timestamp,value\nnode_load1,yesterday,1\n", to: other / "bad.csv")
    let refused = try await ChildProgram.run(
      [agent.lifeguard, "db", "import", other / "bad.csv", "--data", other / "data"])
    #expect(!refused.succeeded && refused.standardError.contains("bad.csv:2:"), "\(refused)")
    await agent.end()
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
      (["incidents", "9223372036854775807"], "no incident 9223372036854775807"),
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
    #expect(
      status["alerts"]?.array?.contains { $0["name"] == "LifeguardConfigurationBroken" } == true)
    let metrics = try HTTPExchange.send("GET", "/metrics", port: agent.port).body
    #expect(metrics.contains("\nlifeguard_config_last_reload_successful 0\n"))

    try TextFile.write("mode: observe\ndefault_rules: false\n", to: agent.folder / "lifeguard.yaml")
    agent.program.signal(SIGHUP)
    #expect(
      await eventually {
        let status = try await agent.json(["status"])
        return status["mode"] == "observe" && status["alerts"]?.array?.isEmpty == true
      })
    await agent.end()
  }

  @Test func `a reload says what waits for the next start, where it is written`() async throws {
    let agent = try await RunningAgent("mode: observe\ndefault_rules: false\n")
    try TextFile.write(
      """
      mode: shadow
      default_rules: false
      interval: 2s
      listen: 127.0.0.1:1
      external_labels: {region: here}
      http: {query: {concurrency: 2}, cors: ['https://grafana.example.com']}
      collect: {memory_retention: 30m, series_max: 1000}

      """, to: agent.folder / "lifeguard.yaml")
    agent.program.signal(SIGHUP)
    #expect(await eventually { try await agent.json(["status"])["mode"] == "shadow" })
    let problems = try await agent.json(["status"])["configurationProblems"]?.array ?? []
    let file = agent.folder / "lifeguard.yaml"
    let places = [
      ("3:11", "interval"), ("4:9", "listen"), ("5:18", "external_labels"),
      ("6:29", "http.query.concurrency"), ("7:46", "collect.series_max"),
    ]
    let expected = places.map { place, key in
      "\(file):\(place): warning: \"\(key)\" takes effect at the next start; until then the agent "
        + "goes on with what it was started with"
    }
    #expect(Set(problems.compactMap(\.string)) == Set(expected))
    #expect(agent.program.standardError.contains("\"listen\" takes effect at the next start"))
    #expect(try await agent.command(["status"]).standardOutput.contains("takes effect"))
    await agent.end()
  }

  @Test func `the receiver log writes whole messages at the default level`() async throws {
    let agent = try await RunningAgent(Self.quiet)
    #expect(
      await eventually {
        agent.program.standardError.contains("notice Announcement")
      })
    let line =
      agent.program.standardError.split(separator: "\n")
      .first { $0.contains("Announcement") } ?? ""
    for part in [
      "announcement.headline=\"FIRING AlwaysOn on ", "what_happened=\"on, and staying on\"",
      "announcement.since=\"", "value 1, threshold vector(1)", "announcement.tried=\"nothing yet\"",
      "announcement.next=\"nothing by itself", "to_stop_it=\"lifeguard freeze · lifeguard ack 1\"",
    ] {
      #expect(line.contains(part), "\(part) in \(line)")
    }
    await agent.end()
  }

  @Test func `a program can read what run says, one object a line`() async throws {
    let agent = try await RunningAgent(Self.quiet, arguments: ["--json"])
    #expect(
      await eventually { agent.program.standardOutput.contains("\"kind\":\"opened\"") })
    _ = try await agent.command(["status"])
    await agent.program.terminate(grace: .seconds(20))
    let lines = try agent.program.standardOutput.split(separator: "\n")
      .map { try JSON.parse(Array($0.utf8)) }
    #expect(lines.first?["type"] == "started")
    #expect(lines.first?["status"]?["mode"] == "auto")
    #expect(lines.contains { $0["entry"]?["sentence"] == "on, and staying on" })
    #expect(lines.last?["type"] == "note" && lines.last?["text"] == "stopped")
    await agent.end()
  }
}
