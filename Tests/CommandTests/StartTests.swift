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
    "ack", "approve", "token", "query", "backtest",
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

  @Test func `everything that stands in the way of a start is told at once, where it is written`()
    async throws
  {
    let agent = try await RunningAgent("default_rules: false\n")
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let file = folder / "lifeguard.yaml"
    try TextFile.write("", to: folder / "file")
    func run(_ text: String, _ options: [String] = []) async throws -> [Substring] {
      try TextFile.write(text, to: file)
      let result = try await lifeguard(["run", "--config", file] + options)
      #expect(result.end == .exited(1), "\(text): \(result)")
      #expect(result.standardOutput.isEmpty, "\(text): \(result)")
      return result.standardError.split(separator: "\n")
    }
    let port = try agent.port
    let written = try await run(
      "mode: sometimes\nlisten: 127.0.0.1:\(port)\ndata_dir: \(folder / "file")\nmod: auto\n")
    #expect(written.count == 4, "\(written)")
    for (line, words) in [
      (0, ":1:7: unknown mode \"sometimes\""), (1, ":4:1: unknown key \"mod\""),
      (2, ":2:9: 127.0.0.1:\(port) is in use by another program"),
      (3, ":3:11: the data directory \(folder / "file") is not a directory"),
    ] where written.indices.contains(line) {
      #expect(written[line].hasPrefix(file + words), "\(written[line])")
    }

    let options = try await run(
      "default_rules: false\n",
      ["--listen", "127.0.0.1:\(port)", "--data", agent.folder / "data"])
    #expect(options.count == 2, "\(options)")
    #expect(options.first?.hasPrefix("--listen: 127.0.0.1:\(port) is in use") == true)
    #expect(options.last?.contains("--data: the data directory") == true)
    #expect(options.last?.contains("in use by another agent") == true)

    let open = try await run(
      "default_rules: false\n", ["--listen", "0.0.0.0:0", "--data", folder / "data"])
    #expect(open.count == 1 && open.first?.contains("--listen: listening on 0.0.0.0:0") == true)

    // What nobody wrote is told at the beginning of the file.
    let known = try await run(
      "mode: sometimes\nlisten: 'no:where:at:all'\n", ["--data", folder / "file/below"])
    #expect(known.count == 3, "\(known)")
    #expect(known.last?.contains("--data: the data directory") == true)
    #expect(access(folder / "data", F_OK) != 0)
    await agent.end()
  }

  @Test(
    .enabled(
      if: Requirement.program("python3").isMet, "\(Requirement.program("python3").reason)"),
    arguments: ["state.db", "samples.db"])
  func `a data directory of a newer version is refused where it is named`(name: String)
    async throws
  {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let data = try folder.makeFolder("data", mode: 0o700)
    let made = try await ChildProgram.run([
      "python3", "-c",
      "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA user_version=99')",
      "\(data)/\(name)",
    ])
    try #require(made.succeeded, "\(made)")
    let file = folder / "lifeguard.yaml"
    try TextFile.write("data_dir: data\nlisten: 127.0.0.1:0\nmod: auto\n", to: file)
    let result = try await lifeguard(["run", "--config", file])
    #expect(result.end == .exited(1))
    #expect(
      result.standardError.contains("\(file):1:11: \(name) was written by a newer version (99;"),
      "\(result)")
    #expect(result.standardError.contains(":3:1: unknown key"), "\(result)")
  }

  @Test(
    .enabled(if: Requirement.root.isMet, "\(Requirement.root.reason)"))
  func `a data directory that cannot be written is refused where it is named`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let data = try folder.makeFolder("data", mode: 0o700)
    let file = folder / "lifeguard.yaml"
    try TextFile.write("data_dir: data/below\nlisten: 127.0.0.1:0\n", to: file)
    // Root may write anywhere but on a file system that takes nothing.
    let result = try await ChildProgram.run([
      "unshare", "-m", "sh", "-c", "mount -t tmpfs -o ro none \"$1\" && shift && exec \"$@\"", "sh",
      data, try #require(Program.lifeguard), "run", "--config", file,
    ])
    #expect(result.end == .exited(1))
    #expect(
      result.standardError.contains(
        "\(file):1:11: the data directory \(data)/below cannot be written (Read-only"), "\(result)")
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `completions know every command`(shell: String) async throws {
    let result = try await lifeguard(["--generate-completion-script", shell])
    #expect(result.succeeded)
    for name in ["run", "check", "incidents", "silence", "token", "export"] {
      #expect(result.standardOutput.contains(name), "\(shell): \(name)")
    }
    guard let path = Requirement.locate(shell) else { return }
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try TextFile.write(result.standardOutput, to: folder / "completion")
    let checked = try await ChildProgram.run([path, "-n", folder / "completion"])
    #expect(checked.succeeded, "\(checked)")
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
