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
    /// Instances that were heard of in the last hour.
    var instances: [String]
  }

  /// In the order in which a request meets them, before those of every host.
  static func guards(_ facts: Facts) -> [Guard] {
    [
      Guard(.executor) { _, request, _ in withoutTable(request, facts) },
      Guard(.unknownIsNotBad) { _, _, _ in afterLostClaim(facts) },
      Guard(.storm) { monitor, request, now in storm(monitor, request, facts, now) },
      Guard(.budget) { monitor, request, now in budget(monitor, request, facts, now) },
    ] + Guard.standard
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
    let limit = max(3, (facts.instances.count + 4) / 5)
    let bad = Set(
      monitor.state.tracker.firing.compactMap { alert -> String? in
        guard let since = alert.firingSince, now.elapsed(since: since) <= stormWindow else {
          return nil
        }
        return alert.key.labels["instance"]
      })
    guard bad.count >= limit else { return nil }
    return Refusal(
      .storm, code: "storm",
      "\(bad.count) servers went bad within \(stormWindow.text) (limit \(limit)): the cause is "
        + "likely shared")
  }

  /// G4: max(1, 5 %) disruptive actions on the fleet in 10 min. A script in this sandbox harms no
  /// server and is not counted.
  private static func budget(
    _ monitor: Monitor, _ request: ActionRequest, _ facts: Facts, _ now: Moment
  ) -> Refusal? {
    guard case .cloud = request.step, request.step.harm.isDisruptive else { return nil }
    let limit = max(1, facts.instances.count / 20)
    let used = facts.instances.reduce(0) { sum, instance in
      sum
        + monitor.state.budget.used(
          "target|\(Target(.instance, instance))", window: budgetWindow, at: now)
    }
    guard used >= limit else { return nil }
    return Refusal(
      .budget, code: "budget_fleet",
      "\(used) disruptive actions on the fleet in the last \(budgetWindow.text) (limit \(limit))",
      until: now.advanced(by: budgetWindow))
  }

  /// The windows of the guard rails' reference.
  private static let stormWindow: Duration = .seconds(60)
  private static let budgetWindow: Duration = .seconds(600)
}
