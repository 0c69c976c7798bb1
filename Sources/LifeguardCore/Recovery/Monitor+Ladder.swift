/// Which rung comes next, and whether the guard rails let it be used.
extension Monitor {
  /// Brings one incident as far as it can go now.
  mutating func advance(_ id: Int, at now: Moment) {
    watch(id, at: now)
    closeIfOver(id, at: now)
    guard let incident = state.incidents[id], incident.isOpen, !incident.alerts.isEmpty else {
      return
    }
    chooseLadder(id, at: now)
    // A rung that is refused for good is passed over, so more than one may be looked at.
    for _ in 0..<16 {
      guard step(id, at: now) else { break }
    }
  }

  /// Gives an incident a ladder, or a new one when the alert behind the old one is gone.
  private mutating func chooseLadder(_ id: Int, at now: Moment) {
    guard let incident = state.incidents[id] else { return }
    if let ladder = incident.ladder {
      if ladder.holdsLock { return }
      let isPreempted = service(raising: ladder.alert) == nil && hasServiceAlert(incident)
      if incident.alerts.contains(ladder.alert), !isPreempted { return }
    }
    // A service that is down comes before whatever else is wrong with it.
    let (down, rest) = incident.alerts.sorted().partitioned { service(raising: $0) != nil }
    for key in down + rest {
      guard let alert = state.tracker.alerts[key], let plan = plan(for: key),
        let target = target(of: alert),
        // A consequence of the root's trouble is left alone.
        incident.target == nil || target == incident.target
      else { continue }
      var ladder = Ladder(plan: plan.name, alert: key, target: target, rung: 0)
      if let old = incident.ladder {
        guard old.plan != ladder.plan || !old.isStopped else { return }
        ladder.attempts = old.attempts
        ladder.pass = old.pass
      }
      state.incidents[id]?.ladder = ladder
      touch()
      return
    }
    if incident.ladder != nil {
      state.incidents[id]?.ladder = nil
      touch()
    }
  }

  /// Whether a service's own alert, with a plan for the incident's target, is among its alerts.
  private func hasServiceAlert(_ incident: Incident) -> Bool {
    incident.alerts.contains { key in
      guard let service = service(raising: key), plan(for: key) != nil else { return false }
      return incident.target == nil || service.target == incident.target
    }
  }

  func request(
    _ incident: Incident, _ ladder: Ladder, _ plan: Plan, _ step: Step, _ alert: Alert
  ) -> ActionRequest {
    let service = policy.service(of: ladder.target)
    return ActionRequest(
      incident: incident, ladder: ladder, plan: plan, step: step, alert: alert,
      target: ladder.target, service: service,
      fault: service.flatMap { health[$0.name]?.fault(of: $0) })
  }

  /// Decides about the next rung; true when there is more to decide at once.
  private mutating func step(_ id: Int, at now: Moment) -> Bool {
    guard let incident = state.incidents[id], let ladder = incident.ladder, !ladder.isStopped,
      !incident.isHandedOver, case .deciding = ladder.phase, incident.acknowledgedBy == nil,
      let plan = plan(named: ladder.plan, for: ladder.alert),
      let alert = state.tracker.alerts[ladder.alert], alert.state == .firing
    else { return false }
    if let until = ladder.restUntil, now.elapsed(since: until.since) < until.length { return false }
    guard let rung = nextRung(incident, ladder, plan, alert, at: now) else {
      endPass(id, plan, at: now)
      return false
    }
    state.incidents[id]?.ladder?.rung = rung
    let request = currentRequest(id)!
    if case .page(let receiver) = request.step {
      page(id, receiver: receiver, "every milder step was tried", at: now)
      state.incidents[id]?.ladder?.failed.append(rung)
      touch()
      return true
    }
    if let refusal = refusal(of: request, at: now) {
      refuse(request, refusal, at: now)
      return false
    }
    proceed(request, at: now)
    return false
  }

  /// The mildest rung that can help against what is wrong and has not failed yet: in this pass, or
  /// in an incident of the same kind within the time that a ladder's position is kept (G9). While
  /// nobody can tell what is wrong it stays where it is.
  func nextRung(
    _ incident: Incident, _ ladder: Ladder, _ plan: Plan, _ alert: Alert, at now: Moment
  ) -> Int? {
    let here = request(incident, ladder, plan, plan.steps[0], alert)
    if service(raising: ladder.alert) != nil, here.fault == nil {
      return min(ladder.rung, plan.steps.count - 1)
    }
    var floor = 0
    if let position = state.positions[here.positionKey],
      now.elapsed(since: position.at) < policy.guardRails.positionKept
    {
      floor = position.rung
    }
    return plan.steps.indices.first { rung in
      guard rung >= floor, !ladder.failed.contains(rung) else { return false }
      return applies(request(incident, ladder, plan, plan.steps[rung], alert))
    }
  }

  /// The first guard rail that objects.
  func refusal(of request: ActionRequest, at now: Moment) -> Refusal? {
    for rail in guards {
      if let refusal = rail.check(self, request, now) { return refusal }
    }
    return nil
  }

  /// Whether a rung can help against what is wrong: starting what runs, or continuing what was not
  /// stopped, would only cost time.
  private func applies(_ request: ActionRequest) -> Bool {
    guard request.service != nil, let fault = request.fault else {
      switch request.step {
      case .start, .nudge: return request.service == nil
      default: return true
      }
    }
    switch request.step {
    case .page, .run, .http, .cloud, .stopCleanStart, .stop: return true
    case .start: return fault == .crashed
    case .nudge: return fault == .suspended
    case .reload, .signal: return fault == .hung || fault == .unhealthy
    case .restart: return fault != .crashed || !request.plan.steps.contains(.start)
    }
  }

  /// Records a refusal once per reason and rung, tells people when the alert is critical, and
  /// brings a person in when waiting alone will not help.
  private mutating func refuse(_ request: ActionRequest, _ refusal: Refusal, at now: Moment) {
    let id = request.incident.id
    // What was prepared is stale by the time that the guard rails let it pass.
    if request.ladder.preparedRung != nil {
      state.incidents[id]?.ladder?.preparedRung = nil
      state.incidents[id]?.ladder?.current = nil
    }
    if refusal.code == "supervisor_restarts" {
      observeSupervisor(request, refusal.sentence, at: now)
      return
    }
    let last = request.ladder.lastRefusal
    guard last?.code != refusal.code || request.ladder.refusedRung != request.ladder.rung else {
      return
    }
    state.incidents[id]?.ladder?.lastRefusal = refusal
    state.incidents[id]?.ladder?.refusedRung = request.ladder.rung
    let sentence = "\(request.step.name) of \(request.target) refused: \(refusal.sentence)"
    record(.refused, incident: id, code: refusal.code, sentence, at: now)
    switch refusal.guardRail {
    case .budget, .breaker:
      if request.alert.isCritical { tell(id, .refused, sentence, at: now) }
      pageOnce(request, sentence, at: now)
    case .precondition where !Monitor.passing.contains(refusal.code):
      if request.alert.isCritical { tell(id, .refused, sentence, at: now) }
      pageOnce(request, sentence, at: now)
    case .killSwitch, .draining, .slowIsNotDead, .targets, .executor, .neverList, .storm,
      .minimumHealthy:
      if request.alert.isCritical { tell(id, .refused, sentence, at: now) }
    case .freshEvidence, .oneInFlight, .cooldown, .verification, .ladder, .precondition, .intent,
      .mode, .unknownIsNotBad, .approval, .startUp:
      break
    }
  }

  /// Preconditions that are met by waiting, so nobody is called for them.
  private static let passing: Set<String> = [
    "dependency_down", "dependency_settling", "just_booted",
  ]

  mutating func pageOnce(_ request: ActionRequest, _ why: String, at now: Moment) {
    guard state.incidents[request.incident.id]?.hasPaged == false else { return }
    for step in request.plan.steps {
      guard case .page(let receiver) = step else { continue }
      page(request.incident.id, receiver: receiver, why, at: now)
      return
    }
  }

  private mutating func page(_ id: Int, receiver: String?, _ why: String, at now: Moment) {
    state.incidents[id]?.hasPaged = true
    record(.escalated, incident: id, code: "page", "a person is needed: \(why)", at: now)
    tell(id, .escalated, why, receiver: receiver, at: now)
  }

  /// A whole pass did not help (G7).
  private mutating func endPass(_ id: Int, _ plan: Plan, at now: Moment) {
    guard let incident = state.incidents[id], var ladder = incident.ladder else { return }
    // A notice has one pass: what could be done about it was done, or cannot be.
    let acts = plan.steps.contains { $0.harm != .person } && !isNotice(ladder.alert)
    ladder.pass += 1
    ladder.rung = 0
    ladder.failed = []
    ladder.preparedRung = nil
    ladder.approvedRung = nil
    let place = "\(plan.name)|\(ladder.target)|"
    for key in state.positions.keys where key.hasPrefix(place) { state.positions[key] = nil }
    let base = plan.cooldown ?? policy.guardRails.cooldown
    let rest = min(base * (1 << min(ladder.pass - 1, 10)), policy.guardRails.cooldownCap)
    ladder.restUntil = Ladder.Rest(since: now, length: rest)
    // Nothing but people to tell: they were told, and will be reminded.
    ladder.isStopped = !acts
    state.incidents[id]?.ladder = ladder
    touch()
    guard acts else { return }
    let key = "\(plan.name)|\(ladder.target)"
    var breaker = state.breakers[key] ?? Breaker()
    let opened = breaker.passFailed(policy.guardRails, at: now)
    state.breakers[key] = breaker
    guard opened, let wait = breaker.wait(at: now) else { return }
    let sentence =
      "plan \(plan.name) failed \(breaker.passes) times on \(ladder.target); "
      + "it rests for \(wait.text)"
    record(.breaker, incident: id, code: "breaker_opened", sentence, at: now)
    tell(id, .refused, sentence, at: now)
  }

  /// The guard rails let it pass: what the mode allows is done.
  private mutating func proceed(_ request: ActionRequest, at now: Moment) {
    var mode = min(policy.mode, request.plan.mode ?? .auto, self.mode(of: request.alert.key))
    if request.isRespawn { mode = .auto }
    switch mode {
    case .observe:
      wouldAct(
        request, "would \(request.step.name) \(request.target); set `mode: auto`", at: now)
    case .shadow:
      shadow(request, at: now)
    case .approve where !isApproved(request.ladder, at: now):
      askApproval(request, at: now)
    case .approve, .auto:
      act(request, at: now)
    }
  }

  private func isApproved(_ ladder: Ladder, at now: Moment) -> Bool {
    guard ladder.approvedRung == ladder.rung, let until = ladder.approvedUntil else { return false }
    return now.elapsed(since: until.since) < until.length
  }

  /// Observe: says once per rung what it would do, and waits for the operator.
  private mutating func wouldAct(_ request: ActionRequest, _ sentence: String, at now: Moment) {
    let id = request.incident.id
    let refusal = Refusal(.mode, code: "would_act", sentence)
    guard request.ladder.lastRefusal != refusal else { return }
    state.incidents[id]?.ladder?.lastRefusal = refusal
    state.incidents[id]?.ladder?.refusedRung = request.ladder.rung
    record(.wouldAct, incident: id, code: request.step.name, sentence, at: now)
    tell(id, .refused, sentence, at: now)
  }

  private mutating func askApproval(_ request: ActionRequest, at now: Moment) {
    let id = request.incident.id
    let approval = Approval(
      id: "\(id)-\(request.ladder.rung)-\(request.incident.attemptCount + 1)",
      rung: request.ladder.rung, askedAt: now)
    state.incidents[id]?.ladder?.phase = .awaitingApproval(approval)
    let sentence =
      "\(request.step.name) of \(request.target) waits for `lifeguard approve \(approval.id)`"
    record(.approval, incident: id, code: "approval_needed", sentence, at: now)
    tell(id, .approvalNeeded, sentence, at: now)
  }
}

extension Monitor {
  /// What would stand in the way of a firing alert's next step now; nil when nothing would.
  public func nextRefusal(for alert: Alert, at now: Moment) -> String? {
    guard alert.state == .firing, let plan = plan(for: alert.key), let target = target(of: alert)
    else { return nil }
    let incident = state.openIncidents.first { $0.alerts.contains(alert.key) }
    guard let incident else { return nil }
    let ladder =
      incident.ladder ?? Ladder(plan: plan.name, alert: alert.key, target: target, rung: 0)
    guard plan.steps.indices.contains(ladder.rung) else { return nil }
    let request = request(incident, ladder, plan, plan.steps[ladder.rung], alert)
    return refusal(of: request, at: now).map {
      "\($0.guardRail.rawValue) \($0.code): \($0.sentence)"
    }
  }
}

extension Array {
  /// The elements for which the condition holds, and the others, each in their order.
  func partitioned(by condition: (Element) -> Bool) -> ([Element], [Element]) {
    (filter(condition), filter { !condition($0) })
  }
}
