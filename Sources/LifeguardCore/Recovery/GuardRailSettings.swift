/// The numbers behind the guard rails; the defaults are those of the guard rails' reference.
public struct GuardRailSettings: Hashable, Sendable {
  /// G3: base and cap of the cool-down of a rung, and how long health takes to halve it.
  public var cooldown: Duration = .seconds(60)
  public var cooldownCap: Duration = .seconds(3600)
  public var cooldownHalving: Duration = .seconds(1800)
  /// G4: counted uses of one target, of one kind of action on this host.
  public var targetBudget = UsageLimit(count: 3, per: .seconds(900))
  public var actionBudget = UsageLimit(count: 6, per: .seconds(3600))
  /// G4: reboots, and what is worse for a machine, of one host; both limits hold.
  public var rebootBudget = UsageLimit(count: 1, per: .seconds(6 * 3600))
  public var rebootDayBudget = UsageLimit(count: 2, per: .seconds(86_400))
  /// G7: completed passes of a ladder without recovery that open the breaker, for how long, and
  /// the longest it stays open.
  public var breakerPasses = 3
  public var breakerOpen: Duration = .seconds(1800)
  public var breakerOpenCap: Duration = .seconds(21600)
  /// G9: how long a ladder's position is kept after its incident was recovered.
  public var positionKept: Duration = .seconds(3600)
  /// G10: time since boot before anything disruptive.
  public var minimumUptime: Duration = .seconds(120)
  /// G10: room that must be left on the data directory's file system.
  public var minimumFreeBytes: Int64 = 1 << 20
  /// G14: the most targets that one step may resolve to on this host.
  public var targetsMax = 1
  /// G20: pressure (`/proc/pressure`, avg10, percent) from which slow is not dead, and by how much
  /// probe timeouts widen.
  public var pressureSome = 40.0
  public var pressureFull = 10.0
  public var pressureTimeoutFactor = 3
  /// G25: how long an approval can be given.
  public var approvalExpiry: Duration = .seconds(900)
  /// G27: evaluations after start that only observe.
  public var startupEvaluations = 3

  public init() {}
}
