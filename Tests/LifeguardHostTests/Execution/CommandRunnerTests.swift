import Glibc
import LifeguardCore
import Testing

@testable import LifeguardHost

@Suite struct CommandRunnerTests {
  @Test func `a command's exit code, output and standard input are passed on`() async throws {
    let host = try Processes()
    defer { host.end() }
    let result = await host.shell("cat; echo oops >&2; exit 7", input: Array("hello".utf8))
    #expect(result.ending == .exited(code: 7))
    #expect(result.out == "hello")
    #expect(result.standardError.text == "oops\n")
    #expect(result.lastLine == "oops")
    #expect(result.survivors == 0)
  }

  @Test func `a command that kills itself is told apart from one that exits`() async throws {
    let host = try Processes()
    defer { host.end() }
    let result = await host.shell("kill -9 $$")
    #expect(result.ending == .signaled(signal: 9))
  }

  @Test func `a missing program and a missing directory are reported with their names`()
    async throws
  {
    let host = try Processes()
    defer { host.end() }
    let missing = await host.runner.run(Command(arguments: ["/usr/bin/no-such-program"]))
    #expect(
      missing.ending
        == .couldNotStart(reason: "/usr/bin/no-such-program: no such file or directory"))
    let nowhere = await host.runner.run(
      Command(arguments: ["true"], workingDirectory: "/no/such/folder"))
    #expect(
      nowhere.ending
        == .couldNotStart(
          reason: "working directory: chdir /no/such/folder: no such file or directory"))
    let unknown = await host.runner.run(Command(arguments: ["no-such-program"]))
    #expect(unknown.summary.contains("no-such-program is not in /usr/local/sbin"))
  }

  @Test func `exec's own failure is reported with its reason`() async throws {
    let host = try Processes()
    defer { host.end() }
    let garbage = host.file("garbage", "\u{1}\u{2}not a program")
    let result = await host.runner.run(Command(arguments: [garbage]))
    #expect(
      result.ending == .couldNotStart(reason: "exec: execve \(garbage): exec format error"))
  }

  @Test func `a command starts with a clean environment`() async throws {
    let host = try Processes()
    defer { host.end() }
    setenv("LIFEGUARD_TEST_SECRET", "do not leak", 1)
    let result = await host.runner.run(
      Command(arguments: ["env"], environment: ["GIVEN": "yes"]))
    let names = Set(result.out.split(separator: "\n").map { $0.split(separator: "=")[0] })
    let expected: Set<Substring> = ["PATH", "LANG", "HOME", "USER", "LOGNAME", "SHELL", "GIVEN"]
    #expect(names.subtracting(["LIFEGUARD_RUN"]) == expected)
  }

  @Test func `no descriptor above 2 reaches a command, not even one without close-on-exec`()
    async throws
  {
    let host = try Processes()
    defer { host.end() }
    let leaked = open("/dev/null", O_RDONLY)
    defer { close(leaked) }
    let result = await host.runner.run(Command(arguments: ["ls", "/proc/self/fd"]))
    // 3 is the directory that ls itself has opened.
    #expect(result.out == "0\n1\n2\n3\n")
  }

  @Test func `a command has a session of its own, default signals, umask 022 and no core dumps`()
    async throws
  {
    let host = try Processes()
    defer { host.end() }
    let result = await host.shell(
      """
      umask; ulimit -c; ulimit -n
      read -r line < <(cat /proc/$$/stat); set -- ${line##*) }; echo "$$ $4 $5"
      cat /proc/$$/oom_score_adj
      """)
    let lines = result.out.split(separator: "\n").map(String.init)
    try #require(lines.count == 5)
    #expect(lines[0] == "0022")
    #expect(lines[1] == "0")
    #expect(lines[2] == "1024")
    let words = lines[3].split(separator: " ")
    #expect(words[0] == words[1])
    #expect(words[2] == "0", "a controlling terminal")
    #expect(lines[4] == "0")
    let masks = await host.runner.run(
      Command(arguments: ["grep", "-E", "SigBlk|SigIgn", "/proc/self/status"]))
    #expect(masks.out == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n")
  }

  @Test(.enabled(if: Processes.isRoot, "needs root to change the user"))
  func `a command runs as the user that is named, with that user's groups`() async throws {
    let host = try Processes()
    defer { host.end() }
    let result = await host.shell("id -un; id -g; echo $HOME; exit 0", user: "daemon")
    let account = try #require(UserAccount.find("daemon"))
    #expect(result.out == "daemon\n\(account.groupID)\n\(account.home)\n")
    let unknown = await host.shell("true", user: "nobody-of-this-name")
    #expect(
      unknown.ending
        == .couldNotStart(reason: "there is no user nobody-of-this-name in /etc/passwd"))
  }

  @Test func `long output keeps its beginning and its end`() async throws {
    let host = try Processes()
    defer { host.end() }
    let result = await host.shell("echo first; head -c 1000000 /dev/zero; echo; echo last")
    #expect(result.standardOutput.head.count == 32 * 1024)
    #expect(result.standardOutput.tail.count == 32 * 1024)
    #expect(result.standardOutput.omittedBytes == 1_000_012 - 64 * 1024)
    #expect(result.out.hasPrefix("first\n"))
    #expect(result.out.hasSuffix("\nlast\n"))
    #expect(result.out.contains("\n… 934476 bytes left out …\n"))
  }

  @Test func `a daemon that holds the output open does not block, and lives on`() async throws {
    let host = try Processes()
    defer { host.end() }
    let result = await host.shell("setsid sleep 300 & echo $! > \(host.folder)/pid; echo done")
    #expect(result.ending == .exited(code: 0))
    #expect(result.out == "done\n")
    #expect(result.duration < .seconds(5))
    let daemon = try #require(host.pids(in: "pid").first)
    #expect(host.isAlive(daemon))
    kill(daemon, SIGKILL)
  }

  static let treeOfChildren = """
    trap '' TERM
    record() { echo $BASHPID >> "$1/pids"; }
    record "$1"
    ( record "$1"; trap '' TERM; sleep 301 ) &
    setsid bash -c 'echo $$ >> "$1/pids"; trap "" TERM HUP; sleep 302 & sleep 303' x "$1" &
    ( setsid bash -c '(echo $BASHPID >> "$1/pids"; exec env -i sleep 304) & ' x "$1" & )
    sleep 305
    """

  @Test(arguments: [true, false])
  func `at the timeout nothing survives, neither setsid nor double-forked children`(
    withControlGroup: Bool
  ) async throws {
    let host = try Processes(groups: withControlGroup ? .find() : nil)
    defer { host.end() }
    let script = host.script(
      "tree.sh",
      withControlGroup
        ? Self.treeOfChildren : Self.treeOfChildren.replacing("env -i ", with: ""))
    var options = CommandRunner.Options()
    options.grace = .milliseconds(200)
    let result = await host.runner.run(
      Command(arguments: [script, host.folder], timeout: .seconds(1)), options: options)
    #expect(result.ending == .timedOut)
    #expect(result.survivors == 0)
    #expect(result.duration < .seconds(4))
    let pids = host.pids(in: "pids")
    #expect(pids.count == 4)
    for pid in pids { #expect(!host.isAlive(pid), "pid \(pid) has survived") }
  }

  @Test func `a command that ends on TERM is not killed and its last words are kept`()
    async throws
  {
    let host = try Processes()
    defer { host.end() }
    let result = await host.shell(
      "trap 'echo goodbye; exit 0' TERM; echo hello; while :; do sleep 0.01; done",
      timeout: .milliseconds(500), grace: .seconds(10))
    #expect(result.ending == .timedOut)
    #expect(result.out == "hello\ngoodbye\n")
    #expect(result.duration < .seconds(8))
  }

  @Test func `cancelling the task ends the command`() async throws {
    let host = try Processes()
    defer { host.end() }
    let task = Task {
      await host.shell("echo $$ > \(host.folder)/pid; exec sleep 300", timeout: .seconds(300))
    }
    #expect(await host.eventually { !host.pids(in: "pid").isEmpty })
    task.cancel()
    let result = await task.value
    #expect(result.ending == .cancelled)
    #expect(!host.isAlive(try #require(host.pids(in: "pid").first)))
  }

  @Test func `many commands at once leave no descriptor and no control group behind`()
    async throws
  {
    let host = try Processes()
    defer { host.end() }
    await withTaskGroup(of: CommandResult.self) { group in
      for number in 0..<100 {
        group.addTask { await host.shell("echo \(number)") }
      }
      for await result in group { #expect(result.succeeded, "\(result.summary)") }
    }
    let marker = "lifeguard.run.\(getpid())."
    let left = host.launcher.groups?.groups(prefix: marker).filter(\.isEmpty) ?? []
    #expect(left.count < 20)
  }
}
