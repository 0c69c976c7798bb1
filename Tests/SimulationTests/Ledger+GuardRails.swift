import LifeguardCore

/// The guard rails once more, written from their description and not from the code.
extension Ledger {
  func check(_ request: StepRequest, _ effects: [Effect], in world: World) throws {
    try checkPermission(request, in: world)
    try checkKnowledge(request, in: world)
    try checkEvidence(request, in: world)
    try checkPreconditions(request, effects, in: world)
    try checkLadder(request, in: world)
    try checkRest(request, in: world)
    try checkBudget(request, in: world)
  }

  private func fail(_ invariant: String, _ request: StepRequest, _ why: String, _ world: World)
    -> Violation
  {
    Violation(
      invariant: invariant,
      detail: "\(request.step.name) of \(request.attempt.target) (\(request.attempt.id)) at "
        + "\(world.time)ms: \(why)")
  }

  /// G26, G27, G13, G25, and what a person said.
  private func checkPermission(_ request: StepRequest, in world: World) throws {
    let policy = world.scenario.policy
    if facts.killSwitch { throw fail("G26 kill switch", request, "the file exists", world) }
    if let why = facts.termination { throw fail("G11 draining", request, why, world) }
    if isFrozen { throw fail("G26 frozen", request, "frozen", world) }
    if stopped.contains(request.incident) {
      throw fail("G8 worse stops", request, "it had become worse", world)
    }
    if acknowledged.contains(request.incident) {
      throw fail("acknowledged", request, "a person has it", world)
    }
    if let attempt = unfinished[request.incident] {
      throw fail("G17 verify first", request, "\(attempt) has no outcome", world)
    }
    guard !request.isRespawn else { return }
    if isLost { throw fail("state lost", request, "nobody has thawed it", world) }
    let name = request.alert.rule
    let seen: Int
    var modes = [policy.mode, policy.plans[request.attempt.plan]?.mode ?? .auto]
    if name.hasPrefix("service/") {
      let service = String(name.dropFirst("service/".count))
      seen = known[service]?.looks ?? 0
      modes.append(policy.services[service]?.mode ?? .auto)
    } else {
      seen = looks[name] ?? 0
      modes.append(policy.rules[name]?.mode ?? .auto)
    }
    if seen < policy.guardRails.startupEvaluations {
      throw fail("G27 start-up", request, "after \(seen) looks", world)
    }
    switch modes.min() ?? .auto {
    case .observe, .shadow: throw fail("G13 mode", request, "\(modes)", world)
    case .auto: break
    case .approve:
      let expiry = Int(policy.guardRails.approvalExpiry.milliseconds)
      guard let grant = grants[request.incident], grant.rung == request.attempt.rung,
        world.time - grant.askedAt <= expiry + 5000
      else {
        throw fail(
          "G13 approval", request, "\(grants[request.incident].map { "\($0)" } ?? "none")", world)
      }
    }
  }

  /// G12 and G19: what is not known to be a fault is left alone.
  private func checkKnowledge(_ request: StepRequest, in world: World) throws {
    guard let name = request.service?.name else { return }
    switch known[name]?.condition {
    case .stoppedByOperator: throw fail("G12 intent", request, "an operator stopped it", world)
    case .changing, .restarting: throw fail("G12 intent", request, "others are at it", world)
    case .unknown, nil: throw fail("G19 unknown", request, "its state is not known", world)
    case .running, .suspended, .dead: break
    }
  }

  /// G1, G19, G20.
  private func checkEvidence(_ request: StepRequest, in world: World) throws {
    let policy = world.scenario.policy
    let rule = request.alert.rule
    let sampled: Int
    if rule.hasPrefix("service/") {
      let name = String(rule.dropFirst("service/".count))
      guard let service = policy.services[name], let seen = known[name],
        let fault = seen.fault(service)
      else { throw fail("G19 no fault", request, "nothing is known to be wrong", world) }
      sampled = seen.evidence(for: fault)
      if request.step.harm.isDisruptive, fault == .unhealthy, seen.onlyTimeouts,
        facts.cpuPressureSome > 40
      {
        throw fail("G20 slow is not dead", request, "only timeouts, under pressure", world)
      }
    } else {
      guard let told = told[rule], told.hasData, let at = told.sampledAt else {
        throw fail("G19 no data", request, "\(rule) has no data", world)
      }
      if told.verdict == .healthy, policy.rules[rule]?.samples == nil {
        throw fail("G19 no fault", request, "\(rule) is healthy", world)
      }
      sampled = at
    }
    if world.time - sampled > 5000 {
      throw fail("G1 fresh evidence", request, "evidence is \(world.time - sampled)ms old", world)
    }
    let settle = Int(policy.plans[request.attempt.plan]?.verify.settle.milliseconds ?? 0)
    if let end = lastEnd[request.attempt.target], sampled <= end + settle {
      throw fail(
        "G1 settled evidence", request, "evidence of \(sampled)ms, last action ended \(end)ms",
        world)
    }
  }

  /// G10, G14, G22.
  private func checkPreconditions(
    _ request: StepRequest, _ effects: [Effect], in world: World
  ) throws {
    let policy = world.scenario.policy
    for name in request.service?.dependsOn ?? [] {
      guard let dependency = policy.services[name] else { continue }
      guard known[name]?.isUp(dependency) == true else {
        throw fail("G10 dependency", request, "\(name) is not up", world)
      }
    }
    if request.step.harm.isDisruptive {
      if world.now.boottime < policy.guardRails.minimumUptime {
        throw fail("G10 uptime", request, "booted \(world.now.boottime) ago", world)
      }
      if policy.plans[request.attempt.plan]?.target == nil {
        throw fail("G14 target", request, "its plan names no target", world)
      }
      let stops = request.step == .restart || request.step == .stopCleanStart
      if stops, facts.freeBytes < policy.guardRails.minimumFreeBytes {
        throw fail("G10 room", request, "\(facts.freeBytes) bytes", world)
      }
    }
    if let looked = prepared[request.attempt.id] {
      guard !looked.refused, world.time - looked.at <= 10_000 else {
        throw fail("G10 prepared", request, "\(looked)", world)
      }
      return
    }
    let needsMount = policy.plans[request.attempt.plan]?.requiredMounts.isEmpty == false
    let besides = effects.contains {
      if case .collectEvidence(let asked) = $0 { asked.incident == request.incident } else { false }
    }
    guard request.step == .start, request.service?.configTest == nil, !needsMount, besides else {
      throw fail("G22 evidence first", request, "nothing was prepared", world)
    }
  }

  /// G9 and G7.
  private func checkLadder(_ request: StepRequest, in world: World) throws {
    let attempt = request.attempt
    let place = "\(attempt.plan)|\(attempt.target)"
    if let open = breakers[place], passed(since: open.since, world.now) < open.length {
      throw fail("G7 breaker", request, "\(passes[place] ?? 0) passes did not help", world)
    }
    guard let plan = world.scenario.policy.plans[attempt.plan] else { return }
    guard plan.steps.indices.contains(attempt.rung), plan.steps[attempt.rung] == request.step else {
      throw fail("G17 attempt names its rung", request, "rung \(attempt.rung)", world)
    }
    let fault = request.service.flatMap { service in known[service.name]?.fault(service) }
    for rung in 0..<attempt.rung {
      guard applies(plan.steps[rung], fault, request, plan) else { continue }
      guard failed[place]?[rung] == nil else { continue }
      throw fail(
        "G9 milder first", request, "\(plan.steps[rung].name) was not verified to have failed",
        world)
    }
  }

  private func applies(
    _ step: Step, _ fault: ServiceFault?, _ request: StepRequest, _ plan: Plan
  ) -> Bool {
    guard request.service != nil, let fault else {
      return step != .start && step != .nudge
    }
    switch step {
    case .start: return fault == .crashed
    case .nudge: return fault == .suspended
    case .reload, .signal: return fault == .hung || fault == .unhealthy
    case .restart: return fault != .crashed || !plan.steps.contains(.start)
    case .page: return false
    default: return true
    }
  }

  /// G3.
  private func checkRest(_ request: StepRequest, in world: World) throws {
    let attempt = request.attempt
    let settings = world.scenario.policy.guardRails
    guard
      let last = uses.last(where: {
        $0.rule == request.alert.rule && $0.target == attempt.target && $0.rung == attempt.rung
          && (lostAt ?? 0) <= $0.at
      })
    else { return }
    let doublings =
      rests["\(request.alert.rule)|\(attempt.target)|\(attempt.rung)"]?.doublings ?? 0
    let isDisruptive = request.step.harm.isDisruptive
    guard isDisruptive || doublings > 0, let plan = world.scenario.policy.plans[attempt.plan]
    else { return }
    let rest = rest(doublings, plan, isDisruptive: isDisruptive, settings)
    let passed = passed(since: last.moment, world.now)
    if passed < rest {
      throw fail("G3 cooldown", request, "used \(passed)ms ago, rests \(rest)ms", world)
    }
  }

  /// A rung that harms nothing begins with its first failure what others begin with their use.
  func rest(
    _ doublings: Int, _ plan: Plan, isDisruptive: Bool, _ settings: GuardRailSettings
  ) -> Int {
    let base = Int((plan.cooldown ?? settings.cooldown).milliseconds)
    let shift = min(max(doublings - (isDisruptive ? 0 : 1), 0), 16)
    return min(base << shift, Int(settings.cooldownCap.milliseconds))
  }

  /// Health takes one doubling back after each halving time.
  mutating func rest(at now: Moment, _ settings: GuardRailSettings) {
    for (key, rest) in rests {
      guard let since = rest.healthySince,
        passed(since: since, now) >= Int(settings.cooldownHalving.milliseconds)
      else { continue }
      rests[key] = Rest(doublings: max(rest.doublings - 1, 0), healthySince: now)
    }
  }

  /// G4.
  private func checkBudget(_ request: StepRequest, in world: World) throws {
    guard request.step.harm.isCounted else { return }
    let policy = world.scenario.policy
    let counted = uses.filter { use in
      use.step.harm.isCounted && (!request.isRespawn || use.at >= lostAt ?? 0)
    }
    let limit = policy.plans[request.attempt.plan]?.limit ?? policy.guardRails.targetBudget
    let ofTarget = counted.count {
      $0.target == request.attempt.target
        && passed(since: $0.moment, world.now) < Int(limit.window.milliseconds)
    }
    if ofTarget + 1 > limit.count {
      throw fail("G4 budget of target", request, "\(ofTarget + 1) in \(limit.window)", world)
    }
    let ofAction = counted.count {
      $0.step.name == request.step.name
        && passed(since: $0.moment, world.now)
          < Int(policy.guardRails.actionBudget.window.milliseconds)
    }
    if ofAction + 1 > policy.guardRails.actionBudget.count {
      throw fail("G4 budget of action", request, "\(ofAction + 1)", world)
    }
    guard request.step.harm >= .reboot else { return }
    for limit in [policy.guardRails.rebootBudget, policy.guardRails.rebootDayBudget] {
      let reboots = counted.count {
        $0.step.harm >= .reboot && $0.target == request.attempt.target
          && passed(since: $0.moment, world.now) < Int(limit.window.milliseconds)
      }
      if reboots + 1 > limit.count {
        throw fail("G4 budget of reboots", request, "\(reboots + 1) in \(limit.window)", world)
      }
    }
  }

  /// Within one boot by the clock that nobody sets; across a boot by the wall, never backwards.
  private func passed(since earlier: Moment, _ now: Moment) -> Int {
    let span =
      earlier.bootID == now.bootID
      ? now.boottime.milliseconds - earlier.boottime.milliseconds
      : now.wall.milliseconds - earlier.wall.milliseconds
    return Int(max(span, 0))
  }
}
