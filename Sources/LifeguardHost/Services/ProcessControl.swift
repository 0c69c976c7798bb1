import Glibc
import LifeguardCore
import Synchronization

/// Steers a process that is known by its executable and its user.
///
/// Both come from the kernel and cannot be forged, unlike a command line or a name. Where several
/// match, the oldest that is not a child of another match is the main process.
public final class ProcessControl: ServiceControl {
  private let executable: String
  private let user: String?
  private let steering: ProcessSteering
  private let threads: BlockingThreads
  /// The main process of the last search; a search reads every process.
  private let known = Mutex<ProcessIdentity?>(nil)

  public init(
    executable: String, user: String?, signals: ProcessSignals = ProcessSignals(),
    watcher: ProcessWatcher, reactor: Reactor, threads: BlockingThreads
  ) {
    self.executable = executable
    self.user = user
    self.threads = threads
    steering = ProcessSteering(signals: signals, watcher: watcher, reactor: reactor)
  }

  public func state() async -> ServiceState {
    if let identity = known.withLock({ $0 }),
      let status = ProcessStatus.read(pid: identity.pid), status.identity == identity
    {
      return ServiceState.of(status)
    }
    var userID: UInt32?
    if let user {
      guard let account = UserAccount.find(user) else {
        return .unknown("there is no user \(user)")
      }
      userID = account.userID
    }
    let wanted = userID
    guard let found = await threads.run({ self.search(userID: wanted) }) else {
      return .unknown("too busy to look through the processes")
    }
    guard let status = found else {
      known.withLock { $0 = nil }
      return .dead(reason: "no process runs \(executable)" + (user.map { " as \($0)" } ?? ""))
    }
    known.withLock { $0 = status.identity }
    return ServiceState.of(status)
  }

  public func perform(_ verb: ServiceVerb, within limit: Duration) async -> ServiceOutcome {
    let state = await state()
    return await steering.perform(verb, state: state, name: executable, within: limit)
  }

  private func search(userID: UInt32?) -> ProcessStatus? {
    let path = realPath(executable)
    let matches = SmallFile.names(in: "/proc").compactMap { Int32($0) }
      .filter { isMatch(pid: $0, path: path, userID: userID) }
      .compactMap { ProcessStatus.read(pid: $0) }.filter { $0.state != .zombie }
    let pids = Set(matches.map(\.identity.pid))
    return matches.filter { !pids.contains($0.parent) }
      .min { $0.identity.startTicks < $1.identity.startTicks }
  }

  private func isMatch(pid: Int32, path: String, userID: UInt32?) -> Bool {
    // An upgrade replaces the file under a running process, which the kernel marks.
    let link = SmallFile.link("/proc/\(pid)/exe")
    guard link == path || link == path + " (deleted)" else { return false }
    guard let userID else { return true }
    var owner = stat()
    return stat("/proc/\(pid)", &owner) == 0 && owner.st_uid == userID
  }

  private func realPath(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
