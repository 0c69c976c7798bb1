import Glibc
import LifeguardCore
import Synchronization
import Testing

@testable import LifeguardHost

@Suite struct ProcessWatcherTests {
  @Test func `the end of somebody else's process is noticed at once`() async throws {
    let host = try Processes()
    defer { host.end() }
    // A daemon of a shell that has ended: not our child.
    _ = await host.shell("setsid sleep 300 & echo $! > \(host.folder)/pid")
    let pid = try #require(host.pids(in: "pid").first)
    let identity = try #require(ProcessIdentity.current(pid: pid))
    let exits = try host.watcher.exits(of: identity)
    let killedAt = BootClock.now()
    #expect(ProcessSignals().send(SIGKILL, to: identity) == .sent)
    for await exit in exits {
      #expect(exit.identity == identity)
      #expect(exit.status == .unknown)
      #expect(exit.noticedAt - killedAt < .seconds(1))
    }
    #expect(ProcessSignals().send(SIGKILL, to: identity) == .gone)
  }

  @Test func `a process that has ended, or another with its number, is not watched`() throws {
    let host = try Processes()
    defer { host.end() }
    let own = try #require(ProcessIdentity.current(pid: getpid()))
    let earlier = ProcessIdentity(pid: own.pid, startTicks: own.startTicks - 1)
    #expect(throws: SystemCallError.self) { try host.watcher.watch(earlier) { _ in } }
  }

  @Test func `a cancelled watch is silent and leaves the process alone`() async throws {
    let host = try Processes()
    defer { host.end() }
    let seen = Mutex(0)
    let prepared = try host.launcher.prepare(Command(arguments: ["sleep", "300"]))
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(null) }
    let started = try host.launcher.start(
      prepared, input: null, output: null, error: null, group: nil)
    let watch = try host.watcher.watch(started.identity) { _ in seen.withLock { $0 += 1 } }
    host.watcher.cancel(watch)
    let exits = try host.watcher.exits(of: started.identity)
    #expect(ProcessSignals().send(SIGTERM, to: started.identity) == .sent)
    for await exit in exits {
      #expect(exit.status == .signaled(signal: SIGTERM, coreDumped: false))
    }
    close(started.pidfd)
    #expect(seen.withLock { $0 } == 0)
  }

  @Test func `processes that keep the host or the agent alive are never signalled`() throws {
    let signals = ProcessSignals()
    func reason(_ pid: Int32) -> SignalRefusal.Reason? {
      let identity =
        ProcessIdentity.current(pid: pid) ?? ProcessIdentity(pid: pid, startTicks: 0)
      guard case .refused(let refusal) = signals.send(0, to: identity) else { return nil }
      return refusal.reason
    }
    #expect(reason(0) == .initProcess)
    #expect(reason(-1) == .initProcess)
    #expect(reason(1) == .initProcess)
    #expect(reason(getpid()) == .ownProcess)
    #expect(reason(getppid()) == .ancestor)
    // kthreadd, where this pid namespace has it.
    if ProcessStatus.read(pid: 2)?.isKernelThread == true { #expect(reason(2) == .kernelThread) }
  }

  @Test func `a protected executable is recognised by its file, not by its name`() async throws {
    let host = try Processes()
    defer { host.end() }
    let sleep = SmallFile.link("/proc/self/exe") == nil ? "" : "/usr/bin/sleep"
    _ = await host.shell(
      "(exec -a sshd \(sleep) 300) & echo $! > \(host.folder)/pid; sleep 0.1; exit 0")
    let pid = try #require(host.pids(in: "pid").first)
    let identity = try #require(ProcessIdentity.current(pid: pid))
    #expect(ProcessSignals().refusal(for: identity) == nil)
    let signals = ProcessSignals()
    #expect(signals.isProtected("/usr/sbin/sshd"))
    #expect(signals.isProtected("/usr/sbin/sshd (deleted)"))
    #expect(signals.isProtected("/usr/lib/systemd/systemd-logind"))
    #expect(!signals.isProtected("/home/app/sshd"))
    // The mail server is protected while it carries the alerts.
    #expect(!signals.isProtected("/usr/lib/postfix/sbin/master"))
    let mailing = ProcessSignals(protectsMailServers: true)
    #expect(mailing.isProtected("/usr/lib/postfix/sbin/master"))
    #expect(mailing.isProtected("/usr/sbin/exim4") && !mailing.isProtected("/usr/sbin/nginx"))
    #expect(ProcessSignals().send(SIGKILL, to: identity) == .sent)
  }

  @Test func `a process name with spaces and parentheses does not shift the fields`() throws {
    let line =
      "77 (a) b (c) T 5 77 77 0 -1 4194560 1 0 0 0 30 12 0 0 20 0 1 0 4242 1 1 1 1 1"
    let status = try #require(ProcessStatus.parse(line))
    #expect(status.name == "a) b (c")
    #expect(status.state == .stopped)
    #expect(status.parent == 5)
    #expect(status.cpuTicks == 42)
    #expect(status.identity == ProcessIdentity(pid: 77, startTicks: 4242))
  }
}
