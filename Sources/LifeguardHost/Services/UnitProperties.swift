/// The properties of a systemd unit that decisions need (org.freedesktop.systemd1(5)).
public struct UnitProperties: Hashable, Sendable {
  public var loadState: String
  /// active, reloading, inactive, failed, activating, deactivating, maintenance.
  public var activeState: String
  /// Such as running, exited, dead, auto-restart.
  public var subState: String
  /// `success` after a clean end; past the start limit it may still be `signal`.
  public var result: String
  /// 0 when there is no main process, as in a failed unit: never to be signalled.
  public var mainPID: Int32
  /// How often systemd itself has restarted it.
  public var restarts: Int
  /// enabled, disabled, static, masked, …; empty for transient units.
  public var unitFileState: String
  public var exitStatus: Int
  /// systemd's own restart policy.
  public var restart: String
  public var invocationID: String
  /// A job of somebody's is queued for it.
  public var hasJob: Bool
  public var canReload: Bool
  /// Whether it has been active since boot, as far as systemd remembers.
  public var wasActive: Bool
  public var controlGroup: String

  static let names = [
    "Id", "LoadState", "ActiveState", "SubState", "Result", "MainPID", "NRestarts",
    "UnitFileState", "ExecMainStatus", "Restart", "InvocationID", "Job", "CanReload",
    "ActiveEnterTimestampMonotonic", "ControlGroup",
  ]

  /// Reads one block of `systemctl show`'s `Name=value` lines.
  init(_ block: some Sequence<Substring>) {
    var values: [Substring: String] = [:]
    for line in block {
      guard let equals = line.firstIndex(of: "=") else { continue }
      values[line[..<equals]] = String(line[line.index(after: equals)...])
    }
    func text(_ name: Substring) -> String { values[name] ?? "" }
    loadState = text("LoadState")
    activeState = text("ActiveState")
    subState = text("SubState")
    result = text("Result")
    mainPID = Int32(text("MainPID")) ?? 0
    restarts = Int(text("NRestarts")) ?? 0
    unitFileState = text("UnitFileState")
    exitStatus = Int(text("ExecMainStatus")) ?? 0
    restart = text("Restart")
    invocationID = text("InvocationID")
    // Shown as a job number, or left empty or 0 without one.
    hasJob = !(text("Job").isEmpty || text("Job").hasPrefix("0"))
    canReload = text("CanReload") == "yes"
    wasActive = (UInt64(text("ActiveEnterTimestampMonotonic")) ?? 0) > 0
    controlGroup = text("ControlGroup")
  }

  /// What the unit is doing, without a look at its process.
  ///
  /// - Parameter askedToStop: whether Lifeguard itself has stopped it last: then its being down is
  ///   not an operator's wish.
  func state(askedToStop: Bool) -> ServiceState {
    if loadState == "masked" || unitFileState == "masked" {
      return .deliberatelyStopped(reason: "the unit is masked")
    }
    if loadState == "not-found" { return .unknown("there is no such unit") }
    if loadState != "loaded" && activeState == "inactive" {
      return .unknown("the unit file cannot be loaded: \(loadState)")
    }
    switch activeState {
    case "active", "reloading": return .running(nil)
    case "activating", "deactivating": return .activating(subState)
    case "failed":
      return hasJob ? .activating("a job is queued") : .dead(reason: deathReason)
    case "inactive": return inactiveState(askedToStop: askedToStop)
    default: return .unknown("systemd says \(activeState.isEmpty ? "nothing" : activeState)")
    }
  }

  private func inactiveState(askedToStop: Bool) -> ServiceState {
    if hasJob { return .activating("a job is queued") }
    if askedToStop { return .dead(reason: "stopped by lifeguard") }
    if result != "success" && !result.isEmpty { return .dead(reason: deathReason) }
    if unitFileState == "disabled" {
      return .deliberatelyStopped(reason: "the unit is disabled and not running")
    }
    // systemd forgets a unit that nothing refers to, so this cannot tell "never" from "long ago".
    if !wasActive {
      return .deliberatelyStopped(reason: "not running, and nothing has failed")
    }
    return .deliberatelyStopped(reason: "stopped cleanly by somebody else")
  }

  private var deathReason: String {
    exitStatus == 0 ? "result \(result)" : "result \(result), status \(exitStatus)"
  }
}
