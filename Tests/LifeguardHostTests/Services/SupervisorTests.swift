import Glibc
import LifeguardCore
import Synchronization
import Testing

@testable import LifeguardHost

/// A supervisor with what it needs, and the exits that it has reported.
struct Supervision: Sendable {
  let host: Processes
  let supervisor: Supervisor
  private let box: Box

  private final class Box: Sendable {
    let exits = Mutex<[Supervisor.ChildExit]>([])
  }

  init(_ host: Processes, logLimitBytes: Int = 1 << 20) {
    let box = Box()
    self.host = host
    self.box = box
    supervisor = Supervisor(
      reactor: host.reactor, threads: host.threads, launcher: host.launcher,
      watcher: host.watcher, logFolder: host.folder, logLimitBytes: logLimitBytes
    ) { exit in box.exits.withLock { $0.append(exit) } }
  }

  func owns(_ group: ControlGroup) -> Bool { group.path.contains(supervisor.groupPrefix) }

  var exits: [Supervisor.ChildExit] { box.exits.withLock { $0 } }
}

@Suite struct SupervisorTests {
  private let sleeper = Command(arguments: ["sleep", "300"])

  @Test func `a killed child is reported with its signal and can be started again at once`()
    async throws
  {
    let host = try Processes()
    defer { host.end() }
    let world = Supervision(host)
    let first = try await world.supervisor.start("web", sleeper)
    #expect(world.supervisor.identity(of: "web") == first)
    kill(first.pid, SIGKILL)
    #expect(await host.eventually { !world.exits.isEmpty })
    let exit = try #require(world.exits.first)
    #expect(exit.name == "web")
    #expect(exit.exit.identity == first)
    #expect(exit.exit.status == .signaled(signal: SIGKILL, coreDumped: false))
    #expect(!exit.wasRequested)
    let second = try await world.supervisor.start("web", sleeper)
    #expect(second != first)
    #expect(await world.supervisor.stop("web"))
    #expect(world.exits.last?.wasRequested == true)
    #expect(!host.isAlive(second.pid))
  }

  @Test func `a child that runs is not started twice`() async throws {
    let host = try Processes()
    defer { host.end() }
    let world = Supervision(host)
    let first = try await world.supervisor.start("web", sleeper)
    await #expect(throws: SupervisorError.alreadyRunning(first)) {
      try await world.supervisor.start("web", sleeper)
    }
    await world.supervisor.stop("web")
  }

  @Test func `a child that cannot be started says why and can be started later`() async throws {
    let host = try Processes()
    defer { host.end() }
    let world = Supervision(host)
    let script = "\(host.folder)/server"
    let command = Command(arguments: [script])
    await #expect(throws: SupervisorError.self) { try await world.supervisor.start("web", command) }
    _ = host.script("server", "exec sleep 300")
    _ = try await world.supervisor.start("web", command)
    await world.supervisor.stop("web")
  }

  @Test func `what a dead child has left behind is ended before the next starts`() async throws {
    let host = try Processes()
    defer { host.end() }
    try #require(host.launcher.groups != nil)
    let world = Supervision(host)
    let script = host.script(
      "server", "setsid sleep 301 & echo $! >> \(host.folder)/pids; exec sleep 300")
    let first = try await world.supervisor.start("web", Command(arguments: [script]))
    #expect(await host.eventually { host.pids(in: "pids").count == 1 })
    let worker = try #require(host.pids(in: "pids").first)
    kill(first.pid, SIGKILL)
    #expect(await host.eventually { !world.exits.isEmpty })
    #expect(host.isAlive(worker))
    _ = try await world.supervisor.start("web", Command(arguments: [script]))
    #expect(!host.isAlive(worker))
    #expect(await host.eventually { host.pids(in: "pids").count == 2 }, "\(world.exits)")
    await world.supervisor.stop("web")
    for pid in host.pids(in: "pids") { #expect(!host.isAlive(pid)) }
    let groups = try #require(host.launcher.groups?.groups(prefix: "lifeguard.child."))
    #expect(groups.filter { world.owns($0) }.isEmpty, "a stopped child leaves no group behind")
  }

  @Test func `a child that ignores TERM is killed after the grace`() async throws {
    let host = try Processes()
    defer { host.end() }
    let world = Supervision(host)
    let script = host.script(
      "stubborn", "trap '' TERM; touch \(host.folder)/ready; while :; do sleep 0.05; done")
    let child = try await world.supervisor.start("web", Command(arguments: [script]))
    #expect(await host.eventually { access("\(host.folder)/ready", F_OK) == 0 })
    #expect(await world.supervisor.stop("web", grace: .milliseconds(100)))
    #expect(!host.isAlive(child.pid))
  }

  @Test func `a child outlives its agent, writes on, and is adopted by the next`() async throws {
    let host = try Processes()
    defer { host.end() }
    let first = Supervision(host)
    let script = host.script(
      "chatty", "while :; do echo line; echo err >&2; sleep 0.02; done")
    let child = try await first.supervisor.start("chatty", Command(arguments: [script]))
    first.supervisor.release("chatty")

    let second = Supervision(host)
    #expect(second.supervisor.adopt("chatty", child))
    #expect(second.supervisor.identity(of: "chatty") == child)
    let log = "\(host.folder)/chatty.log"
    let size = (SmallFile.textIfReadable(log) ?? "").utf8.count
    #expect(
      await host.eventually { (SmallFile.textIfReadable(log) ?? "").utf8.count > size + 20 })
    kill(child.pid, SIGKILL)
    #expect(await host.eventually { second.exits.count == 1 })
    #expect(first.exits.isEmpty)
    #expect(!second.supervisor.adopt("chatty", child))
    _ = try await second.supervisor.start("chatty", sleeper)
    await second.supervisor.stop("chatty")
  }

  @Test func `a child that nobody remembers is found in its control group`() async throws {
    let host = try Processes()
    defer { host.end() }
    let first = Supervision(host)
    // Its child is in the same group, and is not the one that is watched.
    let script = host.script("parent", "sleep 303 & wait")
    let web = try await first.supervisor.start("web", Command(arguments: [script]))
    first.supervisor.release("web")
    let next = Supervision(host)
    #expect(!next.supervisor.adoptForgotten("we"))
    #expect(!next.supervisor.adoptForgotten("db"))
    #expect(next.supervisor.adoptForgotten("web"))
    #expect(next.supervisor.identity(of: "web") == web)
    await next.supervisor.stop("web")
    #expect(!Supervision(host).supervisor.adoptForgotten("web"))
  }

  @Test func `a process that only has the number of an earlier child is not adopted`()
    async throws
  {
    let host = try Processes()
    defer { host.end() }
    let world = Supervision(host)
    let child = try await world.supervisor.start("web", sleeper)
    let other = ProcessIdentity(pid: child.pid, startTicks: child.startTicks + 1)
    #expect(!world.supervisor.adopt("other", other))
    await world.supervisor.stop("web")
  }

  @Test func `a process that was never a child of ours is not adopted, whoever says so`()
    async throws
  {
    let host = try Processes()
    defer { host.end() }
    let world = Supervision(host)
    let web = try await world.supervisor.start("web", sleeper)
    _ = await host.shell("setsid sleep 303 & echo $! > \(host.folder)/other.pid")
    let stranger = try #require(host.pids(in: "other.pid").first)
    let identity = try #require(ProcessIdentity.current(pid: stranger))
    let next = Supervision(host)
    #expect(!next.supervisor.adopt("db", identity))
    #expect(!next.supervisor.adopt("db", web), "it is another service's")
    for pid in [1, getpid(), getppid()] {
      guard let own = ProcessIdentity.current(pid: pid) else { continue }
      #expect(!next.supervisor.adopt("db", own))
    }
    #expect(!next.supervisor.signal(SIGKILL, to: "db"))
    #expect(next.supervisor.adopt("web", web))
    kill(stranger, SIGKILL)
    await next.supervisor.stop("web")
  }

  @Test func `without control groups a child is known by its marker`() async throws {
    let host = try Processes(groups: nil)
    defer { host.end() }
    let first = Supervision(host)
    let web = try await first.supervisor.start("web", sleeper)
    first.supervisor.release("web")
    let next = Supervision(host)
    #expect(!next.supervisor.adopt("db", web))
    #expect(next.supervisor.adopt("web", web))
    await next.supervisor.stop("web")
  }

  @Test func `the log of a child that floods stays small and keeps its end`() async throws {
    let host = try Processes()
    defer { host.end() }
    let world = Supervision(host, logLimitBytes: 10_000)
    let script = host.script(
      "flood", "head -c 100000 /dev/zero | tr '\\0' 'x'; echo END; exec sleep 300")
    _ = try await world.supervisor.start("flood", Command(arguments: [script]))
    let kept = "\(host.folder)/flood.log.1"
    #expect(
      await host.eventually { (SmallFile.textIfReadable(kept) ?? "").hasSuffix("xEND\n") })
    #expect((SmallFile.textIfReadable(kept) ?? "").utf8.count == 5000)
    #expect((SmallFile.textIfReadable("\(host.folder)/flood.log") ?? "x").isEmpty)
    await world.supervisor.stop("flood")
  }

  @Test func `a killed child is followed by the next one without a poll in between`() async throws {
    let host = try Processes()
    defer { host.end() }
    let world = Supervision(host)
    var times: [Duration] = []
    for round in 1...30 {
      let child = try await world.supervisor.start("web", sleeper)
      let killedAt = BootClock.now()
      kill(child.pid, SIGKILL)
      while world.exits.count < 2 * round - 1 { await Task.yield() }
      _ = try await world.supervisor.start("web", sleeper)
      times.append(BootClock.now() - killedAt)
      let running = try #require(world.supervisor.identity(of: "web"))
      world.supervisor.signal(SIGKILL, to: "web")
      while world.supervisor.identity(of: "web") == running { await Task.yield() }
      while world.exits.count < 2 * round { await Task.yield() }
    }
    times.sort()
    // The median on a quiet machine is under 2 ms; a poll or a timer would take its period.
    #expect(times[times.count / 2] < .milliseconds(500), "median \(times[times.count / 2])")
  }
}
