import LifeguardCore

/// Guard rails for what one host cannot know: storms, budgets of the whole fleet, and what a
/// function may do without a memory.
enum FleetGuards {
  /// What an invocation knows beside the monitor's state.
  struct Facts: Sendable {
    /// Whether there is a state table: without one nothing remote is done.
    var hasTable: Bool
    /// Whether an earlier delivery of this event claimed it and never said how it ended.
    var isTakeover: Bool
    /// How many names wrote something in the last hour, and how many of them are servers.
    var sources: Int
    var servers: Int
    /// What holds alarms back, by their names.
    var suppressed: [String: String]
    /// When servers last went bad in numbers.
    var stormAt: Timestamp?

    init(_ document: FleetDocument, hasTable: Bool, isTakeover: Bool) {
      self.hasTable = hasTable
      self.isTakeover = isTakeover
      sources = document.instances.count
      servers = document.servers.count
      suppressed = document.suppressed ?? [:]
      stormAt = document.stormAt.map { Timestamp(milliseconds: $0) }
    }

    /// G5: max(3, 20 %).
    var stormLimit: Int { max(3, (sources + 4) / 5) }
    /// G4: max(1, 5 %).
    var budget: Int { max(1, servers / 20) }
  }

  /// In the order in which a request meets them, before those of every host.
  static func guards(_ facts: Facts) -> [Guard] {
    [
      Guard(.executor) { _, request, _ in withoutTable(request, facts) },
      Guard(.intent) { _, request, _ in heldBack(request, facts) },
      Guard(.unknownIsNotBad) { _, _, _ in afterLostClaim(facts) },
      Guard(.storm) { monitor, request, now in storm(monitor, request, facts, now) },
      Guard(.budget) { monitor, request, now in budget(monitor, request, facts, now) },
    ] + Guard.standard
  }

  /// Whoever keeps an alarm's actions from running wants nothing done about it.
  private static func heldBack(_ request: ActionRequest, _ facts: Facts) -> Refusal? {
    guard let alarm = request.alert.key.labels["alarm"], let by = facts.suppressed[alarm] else {
      return nil
    }
    return Refusal(
      .intent, code: "alarm_suppressed",
      "the actions of the alarm \(TextEscape.line(alarm)) are held back: \(TextEscape.line(by))")
  }

  private static func withoutTable(_ request: ActionRequest, _ facts: Facts) -> Refusal? {
    guard !facts.hasTable else { return nil }
    if case .run = request.step { return nil }
    return Refusal(
      .executor, code: "no_state_table",
      "without a state table nothing remote is done; set LIFEGUARD_STATE_TABLE")
  }

  /// G17: what may have been done already is verified by newer events, never done again by this
  /// one.
  private static func afterLostClaim(_ facts: Facts) -> Refusal? {
    guard facts.isTakeover else { return nil }
    return Refusal(
      .unknownIsNotBad, code: "claim_without_outcome",
      "an earlier delivery of this event was claimed and never finished; newer data decides")
  }

  /// G5: a shared cause is not healed server by server.
  private static func storm(
    _ monitor: Monitor, _ request: ActionRequest, _ facts: Facts, _ now: Moment
  ) -> Refusal? {
    guard request.step.harm.isDisruptive else { return nil }
    let bad = newlyBad(monitor, now)
    if bad.count >= facts.stormLimit {
      return Refusal(
        .storm, code: "storm",
        "\(bad.count) servers went bad within \(stormWindow.text) (limit \(facts.stormLimit)): the "
          + "cause is likely shared")
    }
    guard let last = facts.stormAt else { return nil }
    let calm = now.wall - last
    guard calm < stormCalm else { return nil }
    return Refusal(
      .storm, code: "storm",
      "many servers went bad at once \(calm.text) ago; it has to be calm for \(stormCalm.text)",
      until: now.advanced(by: stormCalm - calm))
  }

  /// Servers of which something went bad just now.
  static func newlyBad(_ monitor: Monitor, _ now: Moment) -> Set<String> {
    Set(
      monitor.state.tracker.firing.compactMap { alert -> String? in
        guard let since = alert.firingSince, now.elapsed(since: since) <= stormWindow,
          alert.key.labels["alertname"] != stormName, let name = alert.key.labels["instance"],
          name != alert.key.labels["alarm"]
        else { return nil }
        return name
      })
  }

  /// G4: max(1, 5 %) disruptive actions on the fleet in 10 min, on servers and on groups of them. A
  /// script in this sandbox harms no server and is not counted.
  private static func budget(
    _ monitor: Monitor, _ request: ActionRequest, _ facts: Facts, _ now: Moment
  ) -> Refusal? {
    guard case .cloud = request.step, request.step.harm.isDisruptive else { return nil }
    let used = monitor.state.budget.used(
      prefixes: [
        "target|\(Target.Kind.instance.rawValue):", "target|\(Target.Kind.asg.rawValue):",
      ],
      window: budgetWindow, at: now)
    guard used >= facts.budget else { return nil }
    return Refusal(
      .budget, code: "budget_fleet",
      "\(used) disruptive actions on the fleet in the last \(budgetWindow.text) (limit "
        + "\(facts.budget))", until: now.advanced(by: budgetWindow))
  }

  /// What the trouble is called that a storm is, and the series that says so.
  static let stormName = "LifeguardStorm"
  static let stormMetric = "lifeguard_storm"
  /// The windows of the guard rails' reference.
  static let stormWindow: Duration = .seconds(60)
  static let stormCalm: Duration = .seconds(300)
  private static let budgetWindow: Duration = .seconds(600)
}
