/// Whether the symptom is gone, by nothing but evidence newer than the action.
extension Monitor {
  /// A condition that somebody with samples must evaluate for a verification.
  public struct VerificationQuery: Sendable {
    public enum Condition: Sendable {
      /// Must hold.
      case expression(Query)
      /// Must no longer be breached for these labels.
      case rule(AlertRule, Labels)
    }

    public var attempt: String
    public var condition: Condition
    /// Samples up to here do not count.
    public var after: Timestamp
  }

  /// What must be evaluated now, once a turn.
  public var verificationQueries: [VerificationQuery] {
    state.openIncidents.compactMap { incident in
      guard let ladder = incident.ladder, case .verifying(let verification) = ladder.phase,
        let attempt = ladder.current, let plan = plan(named: ladder.plan, for: ladder.alert)
      else { return nil }
      let after = verification.evidenceAfter(plan.verify)
      if let expression = plan.verify.expression {
        return VerificationQuery(
          attempt: attempt.id, condition: .expression(expression), after: after)
      }
      guard service(raising: ladder.alert) == nil, let rule = policy.rules[ladder.alert.rule]
      else { return nil }
      let element = state.tracker.alerts[ladder.alert]?.element ?? ladder.alert.labels
      return VerificationQuery(
        attempt: attempt.id, condition: .rule(rule, element), after: after)
    }
  }

  mutating func verified(_ attempt: String, _ verdict: Evaluation.Verdict, at now: Moment) {
    guard let id = incident(of: attempt) else { return }
    fold(verdict, into: id, at: now)
  }

  /// Looks at what an incident has in flight: services verify themselves, and nothing may be in
  /// flight for ever.
  mutating func watch(_ id: Int, at now: Moment) {
    guard let ladder = state.incidents[id]?.ladder else { return }
    if case .verifying = ladder.phase, facts.termination != nil, !isNotice(ladder.alert) {
      // Its lock would keep the plan that empties this machine waiting.
      conclude(id, .inconclusive, "this machine is taken away", at: now)
      return
    }
    switch ladder.phase {
    case .deciding: refreshBreaker(ladder, at: now)
    case .awaitingApproval(let approval): expire(id, approval, at: now)
    case .preparing(let since): giveUpPreparing(id, since: since, at: now)
    case .running: giveUpRunning(id, ladder, at: now)
    case .verifying(let verification): verifyService(id, ladder, verification, at: now)
    }
  }

  private mutating func refreshBreaker(_ ladder: Ladder, at now: Moment) {
    let key = "\(ladder.plan)|\(ladder.target)"
    if state.breakers[key]?.refresh(at: now) == true { touch() }
  }

  private mutating func expire(_ id: Int, _ approval: Approval, at now: Moment) {
    let ended = state.incidents[id]?.alerts.isEmpty == true
    let changed = !ended && rungNow(id, at: now) != approval.rung
    guard
      ended || changed || now.elapsed(since: approval.askedAt) >= policy.guardRails.approvalExpiry
    else {
      return
    }
    state.incidents[id]?.ladder?.phase = .deciding
    let why =
      ended
      ? "the alert is over" : changed ? "something else is wrong now" : "nobody approved it"
    record(
      .approval, incident: id, code: "approval_expired",
      "approval \(approval.id) expired: \(why)", at: now)
  }

  /// The rung that would be chosen now.
  private func rungNow(_ id: Int, at now: Moment) -> Int? {
    guard let incident = state.incidents[id], let ladder = incident.ladder,
      let plan = plan(named: ladder.plan, for: ladder.alert),
      let alert = state.tracker.alerts[ladder.alert]
    else { return nil }
    return nextRung(incident, ladder, plan, alert, at: now)
  }

  /// Evidence and configuration tests are time-boxed by the agent; this is the net below.
  private mutating func giveUpPreparing(_ id: Int, since: Moment, at now: Moment) {
    guard now.elapsed(since: since) >= .seconds(120),
      let attempt = state.incidents[id]?.ladder?.current
    else { return }
    let refusal = Refusal(
      .unknownIsNotBad, code: "preparation_lost", "the preconditions could not be checked in 2m")
    prepared(attempt.id, Preparation(refusals: [refusal]), at: now)
  }

  /// Steps end at their own timeout; one that was never heard of again is verified (G19).
  private mutating func giveUpRunning(_ id: Int, _ ladder: Ladder, at now: Moment) {
    guard let attempt = ladder.current,
      let plan = plan(named: ladder.plan, for: ladder.alert),
      plan.steps.indices.contains(attempt.rung)
    else {
      interrupt(id, "its plan is gone", at: now)
      return
    }
    let limit = plan.steps[attempt.rung].timeout * 2 + .seconds(60)
    guard now.elapsed(since: attempt.intendedAt) >= limit else { return }
    finished(
      attempt.id, StepResult(status: .unknown, summary: "no result after \(limit.text)"), at: now)
  }

  /// An intent without an outcome: it is verified, and never blindly run again (G17).
  mutating func interrupt(_ id: Int, _ why: String, at now: Moment) {
    guard let ladder = state.incidents[id]?.ladder, let attempt = ladder.current else { return }
    if step(of: attempt, id)?.isRemote == true {
      state.incidents[id]?.ladder?.current?.isUnknown = true
    }
    state.incidents[id]?.ladder?.current?.wasInterrupted = true
    state.incidents[id]?.ladder?.current?.endedAt = now
    state.incidents[id]?.ladder?.current?.result = "interrupted: \(why)"
    state.lastActionEnd[ladder.target.description] = now
    record(
      .acted, incident: id, code: "interrupted",
      "the outcome of the last step is not known (\(why)): verifying", at: now)
    beginVerification(id, at: now)
  }

  /// What a notice announces stays announced, so nothing but a step's own result says whether it
  /// did its part; a plan with a condition of its own is verified like any other.
  ///
  /// - Returns: whether the attempt has ended here.
  mutating func concludeNotice(_ id: Int, _ result: StepResult, at now: Moment) -> Bool {
    guard let ladder = state.incidents[id]?.ladder, isNotice(ladder.alert),
      plan(named: ladder.plan, for: ladder.alert)?.verify.expression == nil
    else { return false }
    conclude(
      id, result.status == .succeeded ? .recovered : .notRecovered, result.summary, at: now)
    return true
  }

  /// A service that dies or is frozen while the step of another alert's plan is verified must not
  /// wait for that.
  private func brokenDuringVerification(_ ladder: Ladder, since end: Moment) -> String? {
    guard let service = policy.service(of: ladder.target), let seen = health[service.name],
      let since = seen.conditionSince, since.bootID == end.bootID, since.boottime > end.boottime
    else { return nil }
    switch seen.fault(of: service) {
    case .crashed:
      guard case .dead(let how) = seen.condition else { return nil }
      return "\(service.name) died meanwhile: \(how)"
    case .suspended: return "\(service.name) was frozen meanwhile"
    case .hung, .unhealthy, nil: return nil
    }
  }

  private mutating func verifyService(
    _ id: Int, _ ladder: Ladder, _ verification: Verification, at now: Moment
  ) {
    guard let plan = plan(named: ladder.plan, for: ladder.alert) else {
      conclude(id, .inconclusive, "its plan is gone", at: now)
      return
    }
    if ladder.current?.isObserved == false,
      let broken = newlyBroken(since: verification, settle: plan.verify.settle)
    {
      conclude(id, .worse, "\(broken) was well before and is not now", at: now)
      return
    }
    let passed = now.elapsed(since: verification.actionEnd)
    guard let service = service(raising: ladder.alert), plan.verify.expression == nil else {
      if let why = brokenDuringVerification(ladder, since: verification.actionEnd) {
        // Whether the step has helped, nobody can tell any more (G19).
        conclude(id, .inconclusive, why, at: now)
        return
      }
      // Others are verified by `verified`; without any evaluation they end here.
      if passed >= plan.verify.deadline + plan.verify.hold + .seconds(30) {
        conclude(id, .inconclusive, "nothing could be evaluated", at: now)
      }
      return
    }
    guard let seen = health[service.name] else { return fold(.noData, into: id, at: now) }
    let fault = seen.fault(of: service)
    if let fault, isOver(fault, seen, ladder, plan.verify, since: verification.actionEnd) {
      conclude(id, .notRecovered, seen.sentence(fault), at: now)
      return
    }
    // Only what was seen after the action and its settling counts, and only while it is fresh.
    guard let evidence = seen.evidenceAt(fault, of: service),
      evidence.elapsed(since: verification.actionEnd) > plan.verify.settle,
      now.elapsed(since: evidence) <= Monitor.freshness(of: service)
    else { return fold(.noData, into: id, at: now) }
    guard fault == nil else { return fold(.breached, into: id, at: now) }
    guard let identity = seen.condition?.identity, seen.isUp(service) else {
      return fold(.noData, into: id, at: now)
    }
    if let expected = verification.identity, expected != identity {
      conclude(id, .notRecovered, "its process died and was replaced", at: now)
      return
    }
    if verification.identity == nil {
      var changed = verification
      changed.identity = identity
      state.incidents[id]?.ladder?.phase = .verifying(changed)
    }
    fold(.healthy, into: id, seen: evidence, at: now)
  }

  /// Hard evidence from after the action, which no waiting will change: it died or was frozen
  /// again, or it is dead or frozen although everything has settled, or the step failed and it
  /// still is.
  private func isOver(
    _ fault: ServiceFault, _ seen: ServiceHealth, _ ladder: Ladder, _ policy: VerificationPolicy,
    since end: Moment
  ) -> Bool {
    guard let since = seen.conditionSince, let looked = seen.observedAt else { return false }
    switch fault {
    case .crashed, .suspended:
      if case .restarting = seen.condition { return false }
      if since.elapsed(since: end) > .zero { return true }
      let later = looked.elapsed(since: end)
      return later > (ladder.current?.succeeded == false ? .zero : policy.settle)
    case .hung, .unhealthy:
      return false
    }
  }

  private mutating func fold(
    _ verdict: Evaluation.Verdict, into id: Int, seen evidence: Moment? = nil, at now: Moment
  ) {
    guard let ladder = state.incidents[id]?.ladder,
      case .verifying(var verification) = ladder.phase,
      let plan = plan(named: ladder.plan, for: ladder.alert)
    else { return }
    let outcome = verification.fold(verdict, plan.verify, seen: evidence ?? now, at: now)
    state.incidents[id]?.ladder?.phase = .verifying(verification)
    guard let outcome else { return }
    let reason =
      switch outcome {
      case .recovered: "the symptom stayed away for \(plan.verify.hold.text)"
      case .notRecovered: "the symptom was still there after \(plan.verify.deadline.text)"
      case .inconclusive: "too few samples within \(plan.verify.deadline.text)"
      case .worse: "a neighbour broke"
      }
    conclude(id, outcome, reason, at: now)
  }

  /// Ends an attempt: remembers it, counts it, and says what comes next.
  private mutating func conclude(
    _ id: Int, _ verdict: Attempt.Outcome, _ reason: String, at now: Moment
  ) {
    guard let incident = state.incidents[id], var ladder = incident.ladder,
      var attempt = ladder.current
    else { return }
    var (outcome, why) = (verdict, reason)
    if case .verifying(let verification) = ladder.phase, !attempt.isShadow,
      let broken = brokenNeighbour(of: verification)
    {
      (outcome, why) = (.worse, "\(broken) was well before and is not now")
    }
    if outcome == .notRecovered, attempt.isUnknown == true {
      // It may be at work still: that the symptom is there is no reason for something stronger.
      (outcome, why) = (.inconclusive, "nobody knows whether it was carried out; \(reason)")
    }
    attempt.outcome = outcome
    attempt.outcomeAt = now
    attempt.outcomeReason = why
    ladder.current = nil
    ladder.phase = .deciding
    ladder.lastRefusal = nil
    state.incidents[id]?.remember(attempt)
    state.incidents[id]?.ladder = ladder
    record(
      .outcome, incident: id, code: outcome.rawValue,
      "\(attempt.step) \(attempt.target): \(outcome.words): \(why)", at: now)
    settle(id, attempt, outcome, at: now)
  }

  private mutating func settle(
    _ id: Int, _ attempt: Attempt, _ outcome: Attempt.Outcome, at now: Moment
  ) {
    guard let ladder = state.incidents[id]?.ladder else { return }
    let key = ActionRequest.cooldownKey(
      rule: ladder.alert.rule, target: attempt.target, rung: attempt.rung)
    let breaker = ActionRequest.breakerKey(plan: attempt.plan, target: attempt.target)
    let sentence = "\(attempt.step) \(attempt.target): \(attempt.outcomeReason ?? "")"
    switch outcome {
    case .recovered:
      state.cooldown.recovered(key, at: now)
      state.breakers[breaker]?.recovered()
      // What was announced is answered; doing it again would only disturb what is left.
      if isNotice(ladder.alert) { state.incidents[id]?.ladder?.isStopped = true }
      // What still fires although its symptom is gone, such as a long average, gets time to end.
      state.incidents[id]?.ladder?.restUntil = Ladder.Rest(
        since: now, length: policy.guardRails.cooldown)
    case .notRecovered, .inconclusive:
      if attempt.isObserved {
        supervisorFailed(id, sentence, at: now)
        break
      }
      noteFailure(key, of: attempt, id)
      if outcome == .notRecovered { state.incidents[id]?.ladder?.failed.append(attempt.rung) }
      if outcome == .inconclusive {
        state.incidents[id]?.ladder?.restUntil = Ladder.Rest(
          since: now, length: policy.guardRails.cooldown)
      }
      if state.incidents[id]?.alerts.isEmpty == false {
        tell(id, .attemptFailed, sentence, at: now)
        // No stronger step follows by itself, so somebody has to look.
        if attempt.isUnknown == true, let request = currentRequest(id) {
          pageOnce(request, sentence, at: now)
        }
      }
    case .worse:
      noteFailure(key, of: attempt, id)
      state.incidents[id]?.ladder?.isStopped = true
      state.incidents[id]?.isHandedOver = true
      state.incidents[id]?.hasPaged = true
      record(
        .escalated, incident: id, code: "worse", "a person is needed: \(sentence)", at: now)
      tell(id, .escalated, sentence, at: now)
    }
    touch()
  }

  /// The rung rests twice as long as the last time (G3).
  private mutating func noteFailure(_ key: String, of attempt: Attempt, _ id: Int) {
    let ladder = state.incidents[id]?.ladder
    let plan = ladder.flatMap { self.plan(named: $0.plan, for: $0.alert) }
    let settings = policy.guardRails
    state.cooldown.failed(
      key, base: plan?.cooldown ?? settings.cooldown, cap: settings.cooldownCap,
      disruptive: step(of: attempt, id)?.harm.isDisruptive ?? true)
  }

  /// Somebody else's restarts that do not help end in a page too.
  private mutating func supervisorFailed(_ id: Int, _ sentence: String, at now: Moment) {
    state.incidents[id]?.ladder?.supervisorFailures += 1
    guard let failures = state.incidents[id]?.ladder?.supervisorFailures,
      failures >= policy.guardRails.breakerPasses, let request = currentRequest(id)
    else { return }
    pageOnce(request, sentence, at: now)
  }

  /// G8: a dependant that was well when the action started, and is faulty by evidence from after
  /// its end and its settling: what a restart of its dependency does to it for a moment does not
  /// count, and neither does what its own supervisor is bringing back. Looked at all the time,
  /// because it may come and go before the verification is over.
  private func newlyBroken(since verification: Verification, settle: Duration) -> String? {
    verification.healthyNeighbours.first { name in
      guard let service = policy.services[name], let seen = health[name],
        let fault = seen.fault(of: service), let evidence = seen.evidenceAt(fault, of: service)
      else { return false }
      if case .restarting = seen.condition { return false }
      return evidence.elapsed(since: verification.actionEnd) > settle
    }
  }

  /// G8: a dependant that was well when the action started, and is faulty now.
  private func brokenNeighbour(of verification: Verification) -> String? {
    verification.healthyNeighbours.first { name in
      guard let service = policy.services[name] else { return false }
      return health[name]?.fault(of: service) != nil
    }
  }
}

extension Attempt.Outcome {
  var words: String {
    switch self {
    case .recovered: "recovered"
    case .notRecovered: "not recovered"
    case .worse: "worse"
    case .inconclusive: "inconclusive"
    }
  }
}

extension Step {
  /// Whether it is carried out elsewhere, where it may go on when nobody waits for it any more.
  var isRemote: Bool {
    switch self {
    case .http, .cloud: true
    case .run, .reload, .nudge, .start, .stop, .restart, .stopCleanStart, .signal, .page: false
    }
  }

  /// The longest that the step itself may take.
  public var timeout: Duration {
    switch self {
    case .run(let command): command.timeout
    case .http(let action): action.timeout
    case .cloud(let action): action.timeout
    case .start, .stop, .restart, .stopCleanStart, .reload: .seconds(90)
    case .nudge, .signal, .page: .seconds(10)
    }
  }
}
