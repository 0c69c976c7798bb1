import Glibc
import LifeguardCore
import Synchronization
import TestSupport
import Testing

@testable import LifeguardHost

@Suite struct ProcessServiceTests {
  /// A daemon that is nobody's child of ours, with its pid in a file.
  private func daemon(_ host: Processes, _ program: String = "sleep 300") async throws -> Int32 {
    _ = await host.shell("umask 022; setsid \(program) & echo $! > \(host.folder)/web.pid")
    return try #require(host.pids(in: "web.pid").first)
  }

  private func control(_ host: Processes) -> PidFileControl {
    PidFileControl(
      path: "\(host.folder)/web.pid", watcher: host.watcher, reactor: host.reactor)
  }

  @Test func `a stopped daemon is seen in state T and continued, not killed`() async throws {
    let host = try Processes()
    defer { host.end() }
    let pid = try await daemon(host)
    let control = control(host)
    let identity = try #require(ProcessIdentity.current(pid: pid))
    #expect(await control.state() == .running(identity))
    kill(pid, SIGSTOP)
    #expect(await host.eventually { ProcessStatus.read(pid: pid)?.state == .stopped })
    #expect(await control.state() == .stopped(identity, traced: false))
    #expect(await control.perform(.nudge, within: .seconds(1)).succeeded)
    #expect(await host.eventually { ProcessStatus.read(pid: pid)?.state == .sleeping })
    #expect(await control.perform(.stop, within: .seconds(5)).succeeded)
    #expect(!host.isAlive(pid))
    if case .dead = await control.state() {} else { Issue.record("it should be dead") }
  }

  @Test func `a daemon that ignores TERM is killed when the time is up`() async throws {
    let host = try Processes()
    defer { host.end() }
    let script = host.script(
      "stubborn", "trap '' TERM; touch \(host.folder)/ready; while :; do sleep 0.05; done")
    let pid = try await daemon(host, script)
    #expect(await host.eventually { access("\(host.folder)/ready", F_OK) == 0 })
    let outcome = await control(host).performTimed(.stop, within: .milliseconds(200))
    #expect(outcome.succeeded, "\(outcome.message)")
    #expect(outcome.duration >= .milliseconds(200))
    #expect(!host.isAlive(pid))
  }

  @Test func `a pid file that others can write to, or with nonsense in it, is not trusted`()
    async throws
  {
    let host = try Processes()
    defer { host.end() }
    let file = host.file("web.pid", "\(getpid())\n", mode: 0o666)
    guard case .notTrusted(let reason) = PidFile(path: file).read() else {
      Issue.record("a file for everybody was trusted")
      return
    }
    #expect(reason == "\(file) can be written by others; chmod go-w \(file)")
    for nonsense in ["", "0", "-1", "1", "x", "99999999999999"] {
      host.file("web.pid", nonsense, mode: 0o644)
      if case .running = PidFile(path: file).read() { Issue.record("trusted \"\(nonsense)\"") }
    }
    unlink(file)
    #expect(PidFile(path: file).read() == .notRunning(reason: "\(file) does not exist"))
    symlink("/etc/passwd", file)
    if case .notTrusted = PidFile(path: file).read() {} else { Issue.record("followed a link") }
  }

  @Test(.enabled(if: Requirement.root.isMet, "\(Requirement.root.reason)"))
  func `a pid file of one user does not name a process of another`() async throws {
    let host = try Processes()
    defer { host.end() }
    let pid = try await daemon(host)
    chown("\(host.folder)/web.pid", 1, 1)
    if case .notTrusted = PidFile(path: "\(host.folder)/web.pid").read() {
    } else {
      Issue.record("daemon's file named root's process")
    }
    kill(pid, SIGKILL)
  }

  @Test func `a pid file that is older than its process is stale`() async throws {
    let host = try Processes()
    defer { host.end() }
    let pid = try await daemon(host)
    var times = [timespec(), timespec()]
    clock_gettime(CLOCK_REALTIME, &times[0])
    times[0].tv_sec -= 3600
    times[1] = times[0]
    utimensat(AT_FDCWD, "\(host.folder)/web.pid", times, 0)
    if case .notRunning(let reason) = PidFile(path: "\(host.folder)/web.pid").read() {
      #expect(reason.contains("stale"))
    } else {
      Issue.record("a stale file was believed")
    }
    kill(pid, SIGKILL)
  }

  @Test func `lifeguard itself is never stopped, whatever a pid file says`() async throws {
    let host = try Processes()
    defer { host.end() }
    host.file("web.pid", "\(getpid())\n", mode: 0o644)
    let outcome = await control(host).perform(.stop, within: .seconds(1))
    guard case .refused(let refusal) = outcome.result else {
      Issue.record("\(outcome)")
      return
    }
    #expect(refusal.reason == .ownProcess)
    #expect(await control(host).perform(.restart, within: .seconds(1)).result == .unsupported)
  }

  @Test func `a process is found by its executable and user, not by its name`() async throws {
    let host = try Processes()
    defer { host.end() }
    let program = "\(host.folder)/own-sleep"
    _ = await host.shell("cp /bin/sleep \(program)")
    let control = ProcessControl(
      executable: program, user: nil, watcher: host.watcher, reactor: host.reactor,
      threads: host.threads)
    #expect(await control.state() == .dead(reason: "no process runs \(program)"))
    let pid = try await daemon(host, "\(program) 300")
    #expect(await host.eventually { SmallFile.link("/proc/\(pid)/exe") == program })
    #expect(await control.state().identity?.pid == pid)
    let other = ProcessControl(
      executable: program, user: "daemon", watcher: host.watcher, reactor: host.reactor,
      threads: host.threads)
    #expect(await other.state() == .dead(reason: "no process runs \(program) as daemon"))
    // An upgrade replaces the file; the old process is still the service.
    unlink(program)
    #expect(await control.state().identity?.pid == pid)
    #expect(await control.perform(.signal(SIGKILL), within: .seconds(1)).succeeded)
    #expect(await host.eventually { !host.isAlive(pid) })
  }

  @Test func `of several unrelated processes none is touched, and all are named`() async throws {
    let host = try Processes()
    defer { host.end() }
    let program = "\(host.folder)/own-sleep"
    _ = await host.shell("cp /bin/sleep \(program)")
    var pids: [Int32] = []
    for _ in 1...3 { pids.append(try await daemon(host, "\(program) 300")) }
    let found = pids
    #expect(
      await host.eventually { found.allSatisfy { SmallFile.link("/proc/\($0)/exe") == program } })
    func control(_ targetsMax: Int) -> ProcessControl {
      ProcessControl(
        executable: program, user: nil, targetsMax: targetsMax, watcher: host.watcher,
        reactor: host.reactor, threads: host.threads)
    }
    let outcome = await control(1).perform(.signal(SIGKILL), within: .seconds(1))
    guard case .refused(let refusal) = outcome.result else {
      Issue.record("\(outcome)")
      return
    }
    #expect(refusal.reason == .tooManyTargets)
    for pid in pids {
      #expect(refusal.message.contains("\(pid)"), "\(refusal.message)")
      #expect(host.isAlive(pid))
    }
    #expect(await control(3).perform(.stop, within: .seconds(5)).succeeded)
    for pid in pids { #expect(!host.isAlive(pid)) }
  }

  @Test func `a supervised child takes every verb`() async throws {
    let host = try Processes()
    defer { host.end() }
    let world = Supervision(host)
    let control = SupervisedControl(
      name: "web", command: Command(arguments: ["sleep", "300"]), supervisor: world.supervisor)
    let limit = Duration.seconds(5)
    #expect(await control.state() == .dead(reason: "not started yet"))
    #expect(await control.perform(.start, within: limit).succeeded)
    let first = try #require(await control.state().identity)
    #expect(await control.perform(.signal(SIGSTOP), within: limit).succeeded)
    #expect(await host.eventually { ProcessStatus.read(pid: first.pid)?.state == .stopped })
    #expect(await control.state() == .stopped(first, traced: false))
    #expect(await control.perform(.nudge, within: limit).succeeded)
    #expect(await control.perform(.restart, within: limit).succeeded)
    let second = try #require(await control.state().identity)
    #expect(second != first)
    #expect(await control.perform(.stop, within: limit).succeeded)
    #expect(await control.perform(.reload, within: limit).result == .failed)
    let exit = try #require(world.exits.last)
    control.note(exit)
    #expect(await control.state() == .dead(reason: "stopped by lifeguard"))
  }

  @Test func `a port that nobody accepts on has a full queue`() async throws {
    let host = try Processes()
    let server = try CannedServer(.neverAccept, backlog: 1)
    let prober = try Prober(reactor: host.reactor, runner: host.runner)
    defer {
      server.stop()
      prober.stop()
      host.end()
    }
    @Sendable func queue() -> ListenQueue? { ListenQueue.all().first { $0.port == server.port } }
    #expect(try #require(queue()).limit == 1)
    #expect(try #require(queue()).isFull == false)
    // Connections stay in the queue after their client has gone.
    for _ in 0..<4 {
      _ = await prober.run(
        Probe(kind: .tcp(host: "127.0.0.1", port: server.port)), timeout: .milliseconds(100))
    }
    #expect(await host.eventually { queue()?.isFull == true })
  }

  @Test func `pressure is read, and only high pressure counts`() throws {
    let some = "some avg10=41.20 avg60=0 avg300=0 total=1\nfull avg10=3.00 avg60=0 avg300=0 total=1"
    #expect(Pressure.average("some", Array(some.utf8)) == 41.2)
    #expect(Pressure.average("full", Array(some.utf8)) == 3)
    #expect(Pressure.average("full", []) == nil)
    let calm = Pressure(cpuSome: 40, memoryFull: 10, ioFull: 10)
    #expect(!calm.isHigh(some: 40, full: 10))
    #expect(Pressure(cpuSome: 0, memoryFull: 0, ioFull: 10.1).isHigh(some: 40, full: 10))
    #expect(Pressure.read(folder: "/no/such") == nil)
  }
}
