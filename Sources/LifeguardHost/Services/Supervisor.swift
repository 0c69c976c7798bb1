import CLinux
import Glibc
import LifeguardCore
import Synchronization

/// Starts children, tells at once when one has ended, and starts it again when asked to.
///
/// ```
/// start ─▶ thread: old group emptied, clone, exec ─▶ pidfd on the reactor ─▶ onExit
///                                                                │
///          adopt: a child of an earlier agent, by (pid, start time)
/// ```
///
/// It decides nothing: whether an ended child is started again is the caller's decision. A child
/// has a control group and a session of its own and outlives the agent; the caller keeps its
/// identity and gives it back to `adopt` when it starts again.
public final class Supervisor: Sendable {
  /// A child that has ended.
  public struct ChildExit: Hashable, Sendable {
    public var name: String
    public var exit: ProcessExit
    /// Whether `stop` had asked for it: then it is not a fault.
    public var wasRequested: Bool
  }

  private enum Phase {
    case starting
    case running(ProcessIdentity, ProcessWatcher.Watch?)
  }

  private struct Child {
    var phase: Phase
    var isStopping = false
  }

  private let reactor: Reactor
  private let threads: BlockingThreads
  private let launcher: Launcher
  private let watcher: ProcessWatcher
  private let logFolder: String
  private let logLimitBytes: Int
  private let onExit: @Sendable (ChildExit) -> Void
  /// Begins the names of this supervisor's control groups.
  let groupPrefix: String
  private let children = Mutex<[String: Child]>([:])
  private let logs = Mutex<[String: ChildLog]>([:])

  /// - Parameters:
  ///   - logFolder: holds `NAME.log` of each child; it must exist. It also tells this agent's
  ///     control groups from those of another agent on the same host.
  ///   - logLimitBytes: above this size a log is cut; its last half is kept as `NAME.log.1`.
  ///   - onExit: called on the reactor's thread; must not block.
  public init(
    reactor: Reactor, threads: BlockingThreads, launcher: Launcher, watcher: ProcessWatcher,
    logFolder: String, logLimitBytes: Int = 1 << 20,
    onExit: @escaping @Sendable (ChildExit) -> Void
  ) {
    self.reactor = reactor
    self.threads = threads
    self.launcher = launcher
    self.watcher = watcher
    self.logFolder = logFolder
    self.logLimitBytes = logLimitBytes
    self.onExit = onExit
    groupPrefix = "lifeguard.child.\(Self.fingerprint(logFolder))."
  }

  /// The running child of that name.
  public func identity(of name: String) -> ProcessIdentity? {
    children.withLock { children in
      guard case .running(let identity, _) = children[name]?.phase else { return nil }
      return identity
    }
  }

  /// Starts a child; what an earlier one of this name has left in its control group is killed
  /// first, because it would hold the port.
  public func start(
    _ name: String, _ command: Command
  ) async throws(SupervisorError) -> ProcessIdentity {
    let running: ProcessIdentity? = children.withLock { children in
      switch children[name]?.phase {
      case .running(let identity, _): return identity
      case .starting: return ProcessIdentity(pid: 0, startTicks: 0)
      case nil:
        children[name] = Child(phase: .starting)
        return nil
      }
    }
    if let running { throw .alreadyRunning(running) }
    let outcome = await threads.run { self.launch(name, command) }
    switch outcome {
    case .success(let identity): return identity
    case .failure(let error):
      forget(name)
      throw error
    case nil:
      forget(name)
      throw .launch(.tooBusy)
    }
  }

  /// Watches a child that an earlier agent has started; false when it has ended meanwhile, or was
  /// never a child of that name.
  ///
  /// Whoever says that it is one may have been taken over, and what is adopted is signalled with
  /// the rights of the agent. So the kernel is asked: a child is in the control group that was made
  /// for it, or carries its marker, and nobody can put another user's process there.
  public func adopt(_ name: String, _ identity: ProcessIdentity) -> Bool {
    guard ProcessIdentity.current(pid: identity.pid) == identity, isChild(name, identity.pid) else {
      return false
    }
    let isFree = children.withLock { children in
      guard children[name] == nil else { return false }
      children[name] = Child(phase: .running(identity, nil))
      return true
    }
    guard isFree else { return false }
    keepLog(of: name)
    do throws(SystemCallError) {
      let watch = try watcher.watch(identity) { [weak self] exit in self?.ended(name, exit) }
      setWatch(watch, of: name, identity)
      return true
    } catch {
      forget(name)
      return false
    }
  }

  /// Watches a child that an earlier agent has started and nobody remembers, because the state was
  /// lost: the oldest process in the control group of that name whose parent is not in it. False
  /// when there is none.
  public func adoptForgotten(_ name: String) -> Bool {
    let own = groupPrefix + name
    let group = launcher.groups?.groups(prefix: own).first { $0.path.hasSuffix("/\(own)") }
    let members = (group?.processes() ?? []).compactMap { ProcessStatus.read(pid: $0) }
    let pids = Set(members.map(\.identity.pid))
    let roots = members.filter { !pids.contains($0.parent) && $0.state != .zombie }
    guard
      let oldest = roots.min(by: { $0.identity.startTicks < $1.identity.startTicks })?.identity
    else { return false }
    return adopt(name, oldest)
  }

  private func isChild(_ name: String, _ pid: Int32) -> Bool {
    guard pid > 1, pid != getpid() else { return false }
    let own = groupPrefix + name
    let groups = SmallFile.textIfReadable("/proc/\(pid)/cgroup", limit: 65536) ?? ""
    if groups.split(separator: "\n").contains(where: { $0.hasSuffix("/\(own)") }) { return true }
    return DescendantSearch.carries(own, pid: pid)
  }

  /// Ends a child: SIGTERM to it, and after `grace` or when it has ended SIGKILL to all that is
  /// left in its control group. True when it has ended.
  @discardableResult
  public func stop(_ name: String, grace: Duration = .seconds(10)) async -> Bool {
    let identity: ProcessIdentity? = children.withLock { children in
      guard case .running(let identity, _) = children[name]?.phase else { return nil }
      children[name]?.isStopping = true
      return identity
    }
    guard let identity else { return self.identity(of: name) == nil }
    signal(SIGTERM, identity)
    signal(SIGCONT, identity)
    if await !waitForEnd(of: name, identity, within: grace) {
      signal(SIGKILL, identity)
      _ = await waitForEnd(of: name, identity, within: .seconds(2))
    }
    _ = await threads.run { self.endGroup(of: name, previous: identity) }
    return self.identity(of: name) != identity
  }

  /// Sends a signal to a running child; false when it has ended.
  @discardableResult
  public func signal(_ signal: Int32, to name: String) -> Bool {
    guard let identity = identity(of: name) else { return false }
    return self.signal(signal, identity)
  }

  /// Stops watching a child without touching it: it stays for the next agent.
  public func release(_ name: String) {
    let child = children.withLock { $0.removeValue(forKey: name) }
    if case .running(_, let watch?) = child?.phase { watcher.cancel(watch) }
  }

  // MARK: Steps, on a thread that may block

  private func launch(
    _ name: String, _ command: Command
  ) -> Result<ProcessIdentity, SupervisorError> {
    do throws(SupervisorError) {
      let group = nextGroup(of: name)
      let started = try startProcess(name, command, group: group)
      children.withLock { $0[name]?.phase = .running(started.identity, nil) }
      keepLog(of: name)
      do throws(SystemCallError) {
        let watch = try watcher.watch(started.identity, pidfd: started.pidfd) {
          [weak self] exit in self?.ended(name, exit)
        }
        setWatch(watch, of: name, started.identity)
      } catch {
        signal(SIGKILL, started.identity)
        throw .launch(.failed(error, doing: "watching it"))
      }
      return .success(started.identity)
    } catch {
      return .failure(error)
    }
  }

  private func startProcess(
    _ name: String, _ command: Command, group: ControlGroup?
  ) throws(SupervisorError) -> Launcher.Started {
    let variables =
      group == nil ? [DescendantSearch.markerName: groupPrefix + name] : [:]
    let prepared: Launcher.Prepared
    do throws(LaunchError) {
      prepared = try launcher.prepare(command, environment: variables)
    } catch {
      throw .launch(error)
    }
    let log: Int32
    do throws(SystemCallError) { log = try self.log(of: name).open() } catch { throw .log(error) }
    defer { close(log) }
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    guard null >= 0 else { throw .log(SystemCallError(call: "open", subject: "/dev/null")) }
    defer { close(null) }
    do throws(LaunchError) {
      return try launcher.start(prepared, input: null, output: log, error: log, group: group)
    } catch {
      throw .launch(error)
    }
  }

  /// Ends what is left of an earlier child and removes its group.
  private func endGroup(of name: String, previous: ProcessIdentity?) {
    let group = launcher.groups?.groups(prefix: groupPrefix + name)
      .first { $0.path.hasSuffix("/" + groupPrefix + name) }
    if group == nil && previous == nil { return }
    let leader = previous ?? ProcessIdentity(pid: 0, startTicks: 0)
    let containment = Containment(leader: leader, group: group, marker: groupPrefix + name)
    // 100 ms in all: what SIGKILL does not end waits in the kernel and holds no port for long.
    for _ in 0..<200 {
      if group == nil ? containment.survivors().isEmpty : containment.remove() { return }
      containment.kill()
      usleep(500)
    }
  }

  /// The group for the next child: new, unless something in the old one cannot be ended.
  private func nextGroup(of name: String) -> ControlGroup? {
    guard let group = launcher.groups?.group(named: groupPrefix + name) else { return nil }
    if group.mayCloneInto { return group }
    endGroup(of: name, previous: nil)
    return launcher.groups?.group(named: groupPrefix + name)
  }

  // MARK: Bookkeeping

  private func ended(_ name: String, _ exit: ProcessExit) {
    let wasRequested: Bool? = children.withLock { children in
      guard let child = children[name], case .running(exit.identity, _) = child.phase else {
        return nil
      }
      children[name] = nil
      return child.isStopping
    }
    guard let wasRequested else { return }
    onExit(ChildExit(name: name, exit: exit, wasRequested: wasRequested))
  }

  /// The child may have ended before its watch could be noted.
  private func setWatch(_ watch: ProcessWatcher.Watch, of name: String, _ identity: ProcessIdentity)
  {
    children.withLock { children in
      guard case .running(identity, _) = children[name]?.phase else { return }
      children[name]?.phase = .running(identity, watch)
    }
  }

  private func forget(_ name: String) {
    _ = children.withLock { $0.removeValue(forKey: name) }
  }

  private func waitForEnd(
    of name: String, _ identity: ProcessIdentity, within limit: Duration
  ) async -> Bool {
    let deadline = BootClock.now() + limit
    while self.identity(of: name) == identity {
      if BootClock.now() >= deadline || Task.isCancelled { return false }
      await reactor.sleep(for: .milliseconds(2))
    }
    return true
  }

  @discardableResult
  private func signal(_ signal: Int32, _ identity: ProcessIdentity) -> Bool {
    let pidfd = clinux_pidfd_open(identity.pid)
    guard pidfd >= 0 else { return false }
    defer { close(pidfd) }
    guard ProcessIdentity.current(pid: identity.pid) == identity else { return false }
    return clinux_pidfd_send_signal(pidfd, signal) == 0
  }

  // MARK: Logs

  private func log(of name: String) -> ChildLog {
    ChildLog(folder: logFolder, name: name, limitBytes: logLimitBytes)
  }

  private func keepLog(of name: String) {
    let log = log(of: name)
    let isFirst = logs.withLock { logs in
      defer { logs[name] = log }
      return logs.isEmpty
    }
    if isFirst { watchLogs() }
  }

  /// From the first child on, every second, so that a child that floods cannot fill the disk
  /// before it is noticed.
  private func watchLogs() {
    reactor.after(.seconds(1)) { [weak self] in
      guard let self else { return }
      let large = self.logs.withLock { Array($0.values) }.filter(\.isTooLarge)
      for log in large { _ = self.threads.submit { log.cut() } }
      self.watchLogs()
    }
  }

  /// FNV-1a, 32 bits: short, stable between starts, and enough to tell folders apart.
  private static func fingerprint(_ text: String) -> String {
    let hash = text.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    return String(hash, radix: 16)
  }
}
