import Glibc
import LifeguardCore
import Synchronization

/// Steers a process that is known by its executable and its user.
///
/// Both come from the kernel and cannot be forged, unlike a command line or a name. Where several
/// match, the oldest that is not a child of another match is the one that is watched; nothing is
/// done to any of them when there are more than one step may act on: which was meant, nobody can
/// tell (G14).
public final class ProcessControl: ServiceControl {
  private let executable: String
  private let user: String?
  private let targetsMax: Int
  private let steering: ProcessSteering
  private let threads: BlockingThreads
  /// The main process of the last search; a search reads every process.
  private let known = Mutex<ProcessIdentity?>(nil)

  /// - Parameter targetsMax: how many unrelated processes one step may act on.
  public init(
    executable: String, user: String?, targetsMax: Int = 1,
    signals: ProcessSignals = ProcessSignals(), watcher: ProcessWatcher, reactor: Reactor,
    threads: BlockingThreads
  ) {
    self.executable = executable
    self.user = user
    self.targetsMax = targetsMax
    self.threads = threads
    steering = ProcessSteering(signals: signals, watcher: watcher, reactor: reactor)
  }

  public func state() async -> ServiceState {
    if let identity = known.withLock({ $0 }),
      let status = ProcessStatus.read(pid: identity.pid), status.identity == identity
    {
      return ServiceState.of(status)
    }
    switch await roots() {
    case .failure(let doubt): return .unknown(doubt.reason)
    case .success(let found):
      known.withLock { $0 = found.first?.identity }
      return found.first.map(ServiceState.of)
        ?? .dead(reason: "no process runs \(executable)" + (user.map { " as \($0)" } ?? ""))
    }
  }

  public func perform(_ verb: ServiceVerb, within limit: Duration) async -> ServiceOutcome {
    let found: [ProcessStatus]
    switch await roots() {
    case .failure(let doubt): return ServiceOutcome(.failed, doubt.reason)
    case .success(let roots): found = roots
    }
    guard found.count <= targetsMax else {
      let pids = found.prefix(20).map { "\($0.identity.pid)" }.joined(separator: ", ")
      let message =
        "\(found.count) unrelated processes run \(executable): pids \(pids); one step acts on at "
        + "most \(targetsMax) (guard_rails.targets_max), so name the user, or a unit or pid file"
      return ServiceOutcome(
        .refused(SignalRefusal(reason: .tooManyTargets, message: message)), message)
    }
    // With several, as many as were allowed, all must do what was asked; the first that does not
    // ends it.
    var outcome = ServiceOutcome(.done, "")
    let states = found.isEmpty ? [ServiceState.dead(reason: "")] : found.map(ServiceState.of)
    for state in states where outcome.succeeded {
      outcome = await steering.perform(verb, state: state, name: executable, within: limit)
    }
    return outcome
  }

  /// Why it cannot be told which processes there are.
  private struct Doubt: Error {
    var reason: String
  }

  /// The processes that match and are no children of another match, the oldest first.
  private func roots() async -> Result<[ProcessStatus], Doubt> {
    var userID: UInt32?
    if let user {
      guard let account = UserAccount.find(user) else {
        return .failure(Doubt(reason: "there is no user \(user)"))
      }
      userID = account.userID
    }
    let wanted = userID
    guard let found = await threads.run({ self.search(userID: wanted) }) else {
      return .failure(Doubt(reason: "too busy to look through the processes"))
    }
    return .success(found)
  }

  private func search(userID: UInt32?) -> [ProcessStatus] {
    let path = realPath(executable)
    let matches = SmallFile.names(in: "/proc").compactMap { Int32($0) }
      .filter { isMatch(pid: $0, path: path, userID: userID) }
      .compactMap { ProcessStatus.read(pid: $0) }.filter { $0.state != .zombie }
    let pids = Set(matches.map(\.identity.pid))
    return matches.filter { !pids.contains($0.parent) }
      .sorted { $0.identity.startTicks < $1.identity.startTicks }
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
