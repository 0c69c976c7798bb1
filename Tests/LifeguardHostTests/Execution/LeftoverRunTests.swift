import Glibc
import LifeguardCore
import Testing

@testable import LifeguardHost

/// Scripts whose agent was killed: for the next one they are what the records say.
@Suite struct LeftoverRunTests {
  private func options(_ host: Processes) -> CommandRunner.Options {
    var options = CommandRunner.Options()
    options.recordFolder = host.folder
    options.subject = "service:web"
    options.grace = .milliseconds(200)
    return options
  }

  private func records(_ host: Processes) -> [RunRecord] { RunRecord.all(in: host.folder) }

  @Test(arguments: [true, false])
  func `a script is on record while it runs, and its next agent ends it with its children`(
    _ grouped: Bool
  ) async throws {
    let host = try Processes(groups: grouped ? .find() : nil)
    defer { host.end() }
    let script = host.script(
      "slow", "setsid sleep 301 & (echo $!; echo $$) >> \(host.folder)/pids; wait")
    let options = options(host)
    async let run = host.runner.run(
      Command(arguments: [script], timeout: .seconds(60)), options: options)
    #expect(await host.eventually { host.pids(in: "pids").count == 2 })
    #expect(await host.eventually { records(host).first?.leader != nil })
    let record = try #require(records(host).first)
    #expect(record.subject == "service:web")
    // What another agent finds when this one is gone.
    let next = CommandRunner(
      reactor: host.reactor, threads: host.threads, launcher: host.launcher)
    let left = try #require(next.leftovers(in: host.folder).first)
    #expect(left.subject == "service:web" && left.isRunning)
    await left.end(on: host.reactor, grace: .seconds(5))
    for pid in host.pids(in: "pids") { #expect(!host.isAlive(pid)) }
    #expect(records(host).isEmpty && !left.isRunning)
    #expect(await run.succeeded == false)
  }

  @Test func `a leftover may finish in its time, and no longer`() async throws {
    let host = try Processes()
    defer { host.end() }
    let options = options(host)
    async let run = host.runner.run(
      Command(arguments: ["sleep", "300"], timeout: .seconds(60)), options: options)
    #expect(await host.eventually { records(host).first?.leader != nil })
    var record = try #require(records(host).first)
    record.deadline = BootClock.now() + .milliseconds(300)
    record.write()
    let left = try #require(host.runner.leftovers(in: host.folder).first)
    await left.watch(on: host.reactor)
    #expect(BootClock.now() >= record.deadline)
    #expect(await run.ending == .signaled(signal: SIGTERM))
  }

  @Test func `a script that has ended leaves no record, and what it started is left alone`()
    async throws
  {
    let host = try Processes()
    defer { host.end() }
    let options = options(host)
    let script = host.script("daemon", "setsid sleep 302 & echo $! > \(host.folder)/pids")
    let result = await host.runner.run(Command(arguments: [script]), options: options)
    #expect(result.succeeded)
    #expect(records(host).isEmpty)
    // Its agent was killed just before: the leader is gone, its daemon is not.
    let ended = RunRecord(
      folder: host.folder, marker: "1.a.1", subject: "host",
      leader: ProcessIdentity(pid: 1 << 22, startTicks: 1), deadline: .seconds(1 << 40),
      bootID: host.runner.bootID)
    ended.write()
    #expect(host.runner.leftovers(in: host.folder).isEmpty && records(host).isEmpty)
    let daemon = try #require(host.pids(in: "pids").first)
    #expect(host.isAlive(daemon))
    kill(daemon, SIGKILL)
  }

  @Test func `a record of another boot, and one that is damaged, are removed`() throws {
    let host = try Processes()
    defer { host.end() }
    RunRecord(
      folder: host.folder, marker: "1.a.1", subject: "host",
      leader: ProcessIdentity.current(pid: getpid()), deadline: .seconds(1 << 40), bootID: "other"
    ).write()
    host.file("2.run", "{")
    #expect(host.runner.leftovers(in: host.folder).isEmpty)
    #expect(SmallFile.names(in: host.folder).isEmpty)
    #expect(host.isAlive(getpid()))
  }
}
