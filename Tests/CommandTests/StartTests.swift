import Glibc
import LifeguardCore
import TestSupport
import Testing

@Suite(.enabled(if: Requirement.lifeguard.isMet, "\(Requirement.lifeguard.reason)"))
struct StartTests {
  private func lifeguard(
    _ arguments: [String], environment: [String: String] = [:]
  ) async throws -> ProgramResult {
    let program = try #require(Program.lifeguard)
    return try await ChildProgram.run([program] + arguments, environment: environment)
  }

  @Test func `the version is one line`() async throws {
    let result = try await lifeguard(["--version"])
    #expect(result.succeeded && result.standardOutput.hasPrefix("lifeguard "))
  }

  @Test(arguments: [
    "run", "check", "explain", "status", "incidents", "why", "top", "freeze", "thaw", "silence",
    "ack", "approve", "token", "query",
  ])
  func `every command explains itself with an example`(name: String) async throws {
    let result = try await lifeguard([name, "--help"])
    #expect(result.succeeded)
    #expect(result.standardOutput.contains("lifeguard \(name)"))
    #expect(result.standardOutput.contains("Example:"))
  }

  @Test(arguments: [
    ["nonsense"], ["status", "--nonsense"], ["why"], ["ack", "x"], ["silence", "a=b"],
    ["silence", "--for", "1h"], ["silence", "--end", "1", "--for", "1h"],
    ["run", "--listen", "everywhere"], ["run", "--listen", "127.0.0.1:99999"],
    ["incidents", "--limit", "0"],
  ])
  func `a wrong command line ends with status 64`(arguments: [String]) async throws {
    let result = try await lifeguard(arguments)
    #expect(result.end == .exited(64))
    #expect(result.standardError.contains("Usage:"))
  }

  @Test func `without an agent the status is 3 and the message says what to do`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    for arguments in [["status"], ["freeze"], ["why", "web"], ["top"], ["token", "--link"]] {
      let result = try await lifeguard(arguments + ["--data", folder.path])
      #expect(result.end == .exited(3), "\(arguments)")
      #expect(result.standardError.contains("\(folder.path)/sock"))
      #expect(result.standardError.contains("lifeguard run"))
    }
  }

  @Test func `all problems of a configuration are listed and nothing is started`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let file = folder / "lifeguard.yaml"
    try TextFile.write(
      "mode: sometimes\nintervall: 1s\nrules:\n  - {alert: A, expr: 'sum('}\n", to: file)
    for arguments in [["check", file], ["run", "--config", file, "--data", folder / "data"]] {
      let result = try await lifeguard(arguments)
      #expect(result.end == .exited(1), "\(arguments)")
      for place in ["lifeguard.yaml:1:7:", "lifeguard.yaml:2:1:", "lifeguard.yaml:4:"] {
        #expect(result.standardError.contains(place), "\(arguments): \(place)")
      }
    }
    #expect(access(folder / "data", F_OK) != 0)
    let json = try await lifeguard(["check", file, "--json"])
    #expect(json.end == .exited(1))
    #expect(try JSON.parse(Array(json.standardOutput.utf8))["problems"]?.array?.count ?? 0 >= 3)
  }

  @Test func `a sound configuration passes the check`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try TextFile.write("mode: observe\n", to: folder / "lifeguard.yaml")
    let result = try await lifeguard(["check", folder / "lifeguard.yaml"])
    #expect(result.succeeded && result.standardOutput.contains("fine"))
  }

  @Test func `a port in use, a data directory in use and one that is no directory are named`()
    async throws
  {
    let agent = try await RunningAgent("default_rules: false\n")
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try TextFile.write("default_rules: false\n", to: folder / "lifeguard.yaml")
    try TextFile.write("", to: folder / "file")
    let start = ["run", "--config", folder / "lifeguard.yaml"]
    let port = try agent.port

    let inUse = try await lifeguard(
      start + ["--data", folder / "data", "--listen", "127.0.0.1:\(port)"])
    #expect(inUse.end == .exited(1))
    #expect(inUse.standardError.contains("127.0.0.1:\(port) is in use"))
    #expect(inUse.standardError.contains("--listen"))

    let locked = try await lifeguard(
      start + ["--data", agent.folder / "data", "--listen", "127.0.0.1:0"])
    #expect(locked.end == .exited(1))
    #expect(locked.standardError.contains("in use by another agent"))

    let file = try await lifeguard(start + ["--data", folder / "file", "--listen", "127.0.0.1:0"])
    #expect(file.end == .exited(1))
    #expect(file.standardError.contains("not a directory"))

    let open = try await lifeguard(
      start + ["--data", folder / "data", "--listen", "0.0.0.0:0"])
    #expect(open.end == .exited(1))
    #expect(open.standardError.contains("TLS") || open.standardError.contains("tls"))
    #expect(try await agent.command(["status"]).succeeded)
    await agent.end()
  }

  @Test(arguments: [0o700, 0o755] as [mode_t])
  func `a directory that is not lifeguard's own is not taken over as its data directory`(
    _ mode: mode_t
  ) async throws {
    // As root, one that others can reach is given to another user, in two processes.
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    chmod(folder.path, mode)
    let file = folder / "lifeguard.yaml"
    try TextFile.write("default_rules: false\n", to: file)
    let precious = try folder.makeFolder("etc", mode: 0o755)
    try TextFile.write("root\n", to: precious + "/passwd", mode: 0o644)
    let shared = try folder.makeFolder("shared", mode: 0o1777)
    let start = ["run", "--config", file, "--listen", "127.0.0.1:0", "--data"]
    for (directory, said) in [(precious, "passwd"), (shared, "sticky"), (folder.path, "etc")] {
      var before = stat()
      stat(directory, &before)
      let result = try await lifeguard(start + [directory])
      #expect(result.end == .exited(1), "\(result)")
      #expect(
        result.standardError.contains("\(directory) is not lifeguard's own"), "\(result)")
      #expect(result.standardError.contains(said) && result.standardError.contains("--data"))
      var after = stat()
      stat(directory, &after)
      #expect(after.st_mode == before.st_mode && after.st_uid == before.st_uid)
    }
    #expect(access(precious + "/lock", F_OK) != 0 && access(precious + "/children", F_OK) != 0)
    #expect(access(precious + "-act", F_OK) != 0)
    let named = try await lifeguard(start + [file])
    #expect(named.end == .exited(1))
    #expect(named.standardError.contains("is not a directory: name another one"), "\(named)")
  }

  @Test func `a child of a start that fails is not started`() async throws {
    let agent = try await RunningAgent("default_rules: false\n")
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let mark = folder / "started"
    try TextFile.write(
      "default_rules: false\nservices: [{name: a, command: [/usr/bin/touch, '\(mark)']}]\n",
      to: folder / "lifeguard.yaml")
    let result = try await lifeguard([
      "run", "--config", folder / "lifeguard.yaml", "--data", folder / "data", "--listen",
      "127.0.0.1:\(try agent.port)",
    ])
    #expect(result.end == .exited(1))
    #expect(access(mark, F_OK) != 0)
    await agent.end()
  }

  @Test func `systemd hears when it is ready, alive and stopping`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let receiver = try DatagramReceiver(path: folder / "notify")
    try TextFile.write("default_rules: false\n", to: folder / "lifeguard.yaml")
    let program = try ChildProgram(
      [
        try #require(Program.lifeguard), "run", "--config", folder / "lifeguard.yaml", "--data",
        folder / "data", "--listen", "127.0.0.1:0",
      ],
      environment: ["NOTIFY_SOCKET": folder / "notify", "WATCHDOG_USEC": "200000"])
    var heard = ""
    #expect(
      await eventually(within: .seconds(30)) {
        heard += receiver.receive()
        return heard.contains("READY=1") && heard.contains("WATCHDOG=1")
      })
    await program.terminate(grace: .seconds(20))
    heard += receiver.receive()
    #expect(heard.contains("STOPPING=1"))
    #expect(program.hasEnded == .exited(0))
  }

  @Test func `the demonstration service answers`() async throws {
    let port = try FreePort.tcp()
    let program = try ChildProgram([
      try #require(Program.lifeguard), "demo-service", "--listen", "127.0.0.1:\(port)",
    ])
    #expect(await eventually(every: .milliseconds(1)) { FreePort.answers(port) })
    #expect(try HTTPExchange.send("GET", "/", port: port).status == 200)
    let second = try await lifeguard(["demo-service", "--listen", "127.0.0.1:\(port)"])
    #expect(second.end == .exited(1) && second.standardError.contains("cannot listen"))
    program.kill()
  }
}
