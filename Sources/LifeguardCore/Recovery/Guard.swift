/// One guard rail: looks at a request and refuses it, or lets it pass.
public struct Guard: Sendable {
  public var rail: GuardRail
  public var check: @Sendable (Monitor, ActionRequest, Moment) -> Refusal?

  public init(
    _ rail: GuardRail, _ check: @escaping @Sendable (Monitor, ActionRequest, Moment) -> Refusal?
  ) {
    self.rail = rail
    self.check = check
  }

  /// The order in which a request meets them: what an operator said comes first, then what is
  /// known, then how often.
  public static let standard: [Guard] = [
    Guard(.killSwitch, Guard.killSwitch),
    Guard(.draining, Guard.draining),
    Guard(.startUp, Guard.startUp),
    Guard(.intent, Guard.intent),
    Guard(.unknownIsNotBad, Guard.unknownIsNotBad),
    Guard(.freshEvidence, Guard.freshEvidence),
    Guard(.slowIsNotDead, Guard.slowIsNotDead),
    Guard(.precondition, Guard.precondition),
    Guard(.targets, Guard.targets),
    Guard(.breaker, Guard.breaker),
    Guard(.oneInFlight, Guard.oneInFlight),
    Guard(.cooldown, Guard.cooldown),
    Guard(.budget, Guard.budget),
  ]

  /// G26: the file, the command, and what an operator must first look at.
  private static func killSwitch(
    _ monitor: Monitor, _ request: ActionRequest, _ now: Moment
  ) -> Refusal? {
    if monitor.facts.killSwitch {
      return Refusal(.killSwitch, code: "kill_switch_file", "the kill switch file exists")
    }
    if let freeze = monitor.state.freeze {
      return Refusal(
        .killSwitch, code: "frozen", "frozen by \(freeze.by): \(freeze.reason); `lifeguard thaw`")
    }
    if monitor.state.lostAt != nil, !request.isRespawn {
      return Refusal(
        .killSwitch, code: "state_lost",
        "the state of before was lost; look around, then `lifeguard thaw`")
    }
    return nil
  }

  /// G11: on a machine that is taken away only the answer to that very notice may act; a restart
  /// would bring back what is being emptied.
  private static func draining(
    _ monitor: Monitor, _ request: ActionRequest, _ now: Moment
  ) -> Refusal? {
    guard let why = monitor.facts.termination, !monitor.isNotice(request.alert.key) else {
      return nil
    }
    return Refusal(.draining, code: "instance_ends", "this machine is taken away: \(why)")
  }

  /// G27: first look, then act. A dead child of our own needs no second look.
  private static func startUp(
    _ monitor: Monitor, _ request: ActionRequest, _ now: Moment
  ) -> Refusal? {
    guard monitor.isStarted else {
      return Refusal(.startUp, code: "not_restored", "the state is not restored yet")
    }
    guard now.wall >= Guard.earliestSaneClock else {
      return Refusal(.startUp, code: "clock_insane", "the wall clock shows a time before 2024")
    }
    let needed = monitor.policy.guardRails.startupEvaluations
    if request.isRespawn { return nil }
    let seen = monitor.evaluations[request.alert.key.rule, default: 0]
    guard seen < needed else { return nil }
    return Refusal(
      .startUp, code: "starting_up", "only \(seen) of \(needed) looks since the start")
  }

  /// 2024-01-01T00:00:00Z: a clock that shows less was never set.
  private static let earliestSaneClock = Timestamp(milliseconds: 1_704_067_200_000)

  /// G12: what an operator stopped stays stopped; what its own supervisor brings back is watched.
  private static func intent(
    _ monitor: Monitor, _ request: ActionRequest, _ now: Moment
  ) -> Refusal? {
    guard let service = request.service else { return nil }
    switch monitor.health[service.name]?.condition {
    case .stoppedByOperator(let how):
      return Refusal(.intent, code: "stopped_by_operator", "\(service.name) was stopped: \(how)")
    case .changing(let how):
      return Refusal(.intent, code: "changing", "\(service.name) is \(how)")
    case .restarting(let how):
      return Refusal(.intent, code: "supervisor_restarts", how)
    case .running, .suspended, .dead, .unknown, nil:
      return nil
    }
  }

  /// G19.
  private static func unknownIsNotBad(
    _ monitor: Monitor, _ request: ActionRequest, _ now: Moment
  ) -> Refusal? {
    if request.alert.hasNoData {
      return Refusal(.unknownIsNotBad, code: "no_data", "\(request.alert.name) has no data")
    }
    guard let service = request.service else { return nil }
    switch monitor.health[service.name]?.condition {
    case .unknown(let why):
      return Refusal(
        .unknownIsNotBad, code: "state_unknown", "the state of \(service.name) is unknown: \(why)")
    case nil:
      return Refusal(
        .unknownIsNotBad, code: "state_unknown", "\(service.name) was not looked at yet")
    default:
      return nil
    }
  }

  /// G1: the newest sample is this host's own, fresh, and newer than the last action's effect.
  private static func freshEvidence(
    _ monitor: Monitor, _ request: ActionRequest, _ now: Moment
  ) -> Refusal? {
    if let foreign = foreignEvidence(request) { return foreign }
    guard let age = request.alert.evidenceAge(at: now) else {
      return Refusal(
        .freshEvidence, code: "no_evidence", "no sample says that \(request.alert.name) holds")
    }
    if let jump = monitor.state.setBackAt, monitor.service(raising: request.alert.key) == nil,
      now.elapsed(since: jump) < Guard.doubtAfterJump
    {
      return Refusal(
        .freshEvidence, code: "clock_set_back",
        "the wall clock was set back \(now.elapsed(since: jump).text) ago; samples of before look "
          + "newer than they are", until: jump.advanced(by: Guard.doubtAfterJump))
    }
    if request.alert.endedSince != nil {
      return Refusal(
        .freshEvidence, code: "subsiding",
        "the condition of \(request.alert.name) is over; it only keeps firing")
    }
    if age > request.alert.freshness {
      return Refusal(
        .freshEvidence, code: "stale_evidence",
        "the newest sample is \(age.text) old (limit \(request.alert.freshness.text))")
    }
    guard let end = monitor.state.lastActionEnd[request.target.description] else { return nil }
    let settle = request.plan.verify.settle
    // When the sample was taken, measured from the action's end on the clock that does not jump.
    let taken = now.elapsed(since: end) - age
    guard taken <= settle else { return nil }
    return Refusal(
      .freshEvidence, code: "not_settled",
      "the last action on \(request.target) ended \(now.elapsed(since: end).text) ago",
      until: end.advanced(by: settle))
  }

  /// What others send may inform people; it makes this host act only if its plan says so.
  private static func foreignEvidence(_ request: ActionRequest) -> Refusal? {
    guard request.alert.origin == .remote, !request.plan.acceptsRemoteOrigin else { return nil }
    return Refusal(
      .freshEvidence, code: "remote_origin",
      "\(request.alert.name) rests on series that were not collected on this host; plan "
        + "\(request.plan.name) would need `accept_origin: remote`")
  }

  /// Longer than any fresh sample is old.
  private static let doubtAfterJump: Duration = .seconds(30)

  /// G20: under pressure slow answers alone prove nothing, and a hang has to last: three questions
  /// in a row that waited the widened time, during which nothing of the service used CPU time.
  private static func slowIsNotDead(
    _ monitor: Monitor, _ request: ActionRequest, _ now: Moment
  ) -> Refusal? {
    guard let service = request.service, let fault = request.fault, request.step.harm.isDisruptive,
      monitor.isUnderPressure, let health = monitor.health[service.name]
    else { return nil }
    if health.restsOnTimeoutsOnly(fault) {
      return Refusal(
        .slowIsNotDead, code: "slow_not_dead",
        "the host is under pressure and \(service.name) is only slow")
    }
    guard fault == .hung, let probe = service.probe else { return nil }
    let patience = probe.timeout * monitor.policy.guardRails.pressureTimeoutFactor
    let seen = health.frozenTimeouts(waitingAtLeast: patience)
    guard seen < Guard.hangsUnderPressure else { return nil }
    return Refusal(
      .slowIsNotDead, code: "slow_not_dead",
      "the host is under pressure, and \(service.name) has left only \(seen) of "
        + "\(Guard.hangsUnderPressure) questions of \(patience.text) unanswered")
  }

  private static let hangsUnderPressure = 3

  /// G10, the part that needs no look at the host; the rest is looked at right before the step.
  private static func precondition(
    _ monitor: Monitor, _ request: ActionRequest, _ now: Moment
  ) -> Refusal? {
    if let service = request.service {
      for name in service.dependsOn {
        guard let dependency = monitor.policy.services[name] else { continue }
        let health = monitor.health[name]
        if health?.isUp(dependency) == true {
          if let refusal = settling(request, service, after: dependency, monitor, now) {
            return refusal
          }
          continue
        }
        return Refusal(
          .precondition, code: "dependency_down",
          "\(service.name) needs \(name), which is not up")
      }
    }
    guard request.step.harm.isDisruptive else { return nil }
    let settings = monitor.policy.guardRails
    if now.boottime < settings.minimumUptime {
      return Refusal(
        .precondition, code: "just_booted",
        "the host booted \(now.boottime.text) ago (needs \(settings.minimumUptime.text))",
        until: now.advanced(by: settings.minimumUptime - now.boottime))
    }
    let stops = request.step == .restart || request.step == .stopCleanStart
    if stops, monitor.facts.freeBytes < settings.minimumFreeBytes {
      return Refusal(
        .precondition, code: "no_room",
        "only \(monitor.facts.freeBytes) bytes are free; what stops may not start again")
    }
    return nil
  }

  /// What failed for want of a dependency often recovers by itself once that is back: only evidence
  /// from after its return, and after the time to settle, says that it does not.
  private static func settling(
    _ request: ActionRequest, _ service: Service, after dependency: Service, _ monitor: Monitor,
    _ now: Moment
  ) -> Refusal? {
    guard !request.isRespawn, let since = monitor.health[dependency.name]?.conditionSince,
      let age = request.alert.evidenceAge(at: now)
    else { return nil }
    let settle = request.plan.verify.settle
    guard now.elapsed(since: since) - age <= settle else { return nil }
    return Refusal(
      .precondition, code: "dependency_settling",
      "\(dependency.name) is back since \(now.elapsed(since: since).text); \(service.name) has "
        + "\(settle.text) to recover by itself", until: since.advanced(by: settle))
  }

  /// G14: nothing disruptive without a target of its own, and no pattern that stands for many.
  private static func targets(
    _ monitor: Monitor, _ request: ActionRequest, _ now: Moment
  ) -> Refusal? {
    if request.target.kind == .unit, UnitName.canonical(request.target.name) == nil {
      return Refusal(
        .targets, code: "no_unit_name",
        "\(request.target.name.debugDescription) is not the name of one unit: plan "
          + "\(request.plan.name) acts on a name such as nginx.service, never on a pattern")
    }
    guard request.plan.target == nil, request.target.kind == .host,
      request.step.harm.isDisruptive
    else { return nil }
    return Refusal(
      .targets, code: "no_target",
      "\(request.alert.name) names no service and plan \(request.plan.name) no target: "
        + "set `target:`")
  }

  /// G7.
  private static func breaker(
    _ monitor: Monitor, _ request: ActionRequest, _ now: Moment
  ) -> Refusal? {
    guard let breaker = monitor.state.breakers[request.breakerKey],
      let wait = breaker.wait(at: now)
    else { return nil }
    return Refusal(
      .breaker, code: "breaker_open",
      "plan \(request.plan.name) failed \(breaker.passes) times on \(request.target); "
        + "tries again in \(wait.text)",
      until: now.advanced(by: wait))
  }

  /// G2.
  private static func oneInFlight(
    _ monitor: Monitor, _ request: ActionRequest, _ now: Moment
  ) -> Refusal? {
    let holder = monitor.state.openIncidents.first { other in
      guard other.id != request.incident.id, let ladder = other.ladder, ladder.holdsLock
      else { return false }
      return monitor.policy.conflict(ladder.target, request.target)
    }
    guard let holder, let ladder = holder.ladder else { return nil }
    return Refusal(
      .oneInFlight, code: "busy",
      "incident \(holder.id) is at work on \(ladder.target)")
  }

  /// G3.
  private static func cooldown(
    _ monitor: Monitor, _ request: ActionRequest, _ now: Moment
  ) -> Refusal? {
    let settings = monitor.policy.guardRails
    guard
      let wait = monitor.state.cooldown.wait(
        for: request.cooldownKey, base: request.plan.cooldown ?? settings.cooldown,
        cap: settings.cooldownCap, disruptive: request.step.harm.isDisruptive, at: now)
    else { return nil }
    return Refusal(
      .cooldown, code: "cooldown",
      "\(request.step.name) of \(request.target) rests for another \(wait.text)",
      until: now.advanced(by: wait))
  }

  /// G4: whatever is counted, in every window.
  private static func budget(
    _ monitor: Monitor, _ request: ActionRequest, _ now: Moment
  ) -> Refusal? {
    guard request.step.harm.isCounted else { return nil }
    let settings = monitor.policy.guardRails
    let ofKind = "\(request.step.name) on this host"
    var limits = [
      (
        request.targetBudgetKey, request.plan.limit ?? settings.targetBudget, "budget_target",
        "attempts on \(request.target)"
      ),
      (request.actionBudgetKey, settings.actionBudget, "budget_action", "attempts on \(ofKind)"),
    ]
    if request.step.harm.isReboot {
      limits += [settings.rebootBudget, settings.rebootDayBudget].map {
        (
          request.rebootBudgetKey, $0, "budget_reboot",
          "reboots or replacements of \(request.target)"
        )
      }
    }
    for (key, limit, code, what) in limits {
      let lostAt = request.isRespawn ? nil : monitor.state.budgetsLostAt
      let lost = lostAt.map { limit.window - now.elapsed(since: $0) } ?? .zero
      let wait = max(lost, monitor.state.budget.wait(for: key, limit: limit, at: now) ?? .zero)
      guard wait > .zero else { continue }
      return Refusal(
        .budget, code: code,
        "\(limit.count) \(what) in the last \(limit.window.text) (limit \(limit.count)); "
          + "next allowed in \(wait.text)",
        until: now.advanced(by: wait))
    }
    return nil
  }
}
