/// From a rung that may be used to an outcome: prepare, intend, run, verify.
extension Monitor {
  /// Prepares first where that is needed, then writes the intent and runs the step.
  mutating func act(_ request: ActionRequest, at now: Moment) {
    guard needsPreparation(request), request.ladder.preparedRung != request.ladder.rung else {
      run(request, at: now)
      return
    }
    let id = request.incident.id
    let attempt = newAttempt(request, at: now)
    state.incidents[id]?.ladder?.current = attempt
    state.incidents[id]?.ladder?.phase = .preparing(since: now)
    touch()
    effects.append(
      .prepare(
        PreparationRequest(
          attempt: attempt.id, plan: request.plan.name, rung: request.ladder.rung,
          evidence: evidence(request))))
  }

  /// A dead process leaves nothing to look at that would be lost: its first rung does not wait
  /// (G22), unless there is something to check.
  private func needsPreparation(_ request: ActionRequest) -> Bool {
    if request.service?.configTest != nil, request.step.testsConfiguration { return true }
    if !request.plan.requiredMounts.isEmpty { return true }
    return request.fault != .crashed || request.step != .start
  }

  /// G22: at most 300 ms before a step that destroys nothing, 5 s before one that loses state.
  private func evidence(_ request: ActionRequest) -> EvidenceRequest {
    EvidenceRequest(
      incident: request.incident.id, target: request.target, service: request.service?.name,
      limit: request.step.harm.isDisruptive ? .seconds(5) : .milliseconds(300))
  }

  private mutating func newAttempt(_ request: ActionRequest, at now: Moment) -> Attempt {
    let id = request.incident.id
    state.fence += 1
    let number = (state.incidents[id]?.attemptCount ?? 0) + 1
    state.incidents[id]?.attemptCount = number
    state.incidents[id]?.ladder?.attempts += 1
    return Attempt(
      id: "\(id)/\(request.ladder.rung)/\(number)", plan: request.plan.name,
      rung: request.ladder.rung, step: request.step.name, target: request.target,
      fence: state.fence, at: now)
  }

  /// Writes the intent, counts the use, and asks for the step to be run.
  private mutating func run(_ request: ActionRequest, at now: Moment) {
    let id = request.incident.id
    let prepared = state.incidents[id]?.ladder?.current
    var attempt =
      prepared?.rung == request.ladder.rung && request.ladder.preparedRung != nil
      ? prepared! : newAttempt(request, at: now)
    attempt.intendedAt = now
    rememberNeighbours(request)
    state.incidents[id]?.ladder?.lastRefusal = nil
    state.incidents[id]?.ladder?.current = attempt
    state.incidents[id]?.ladder?.phase = .running
    state.incidents[id]?.ladder?.preparedRung = nil
    state.incidents[id]?.ladder?.approvedRung = nil
    state.incidents[id]?.ladder?.approvedUntil = nil
    state.positions[request.positionKey] = MonitorState.Position(
      rung: request.ladder.rung, at: now)
    state.cooldown.used(request.cooldownKey, at: now)
    for key in request.budgetKeys { state.budget.use(key, at: now) }
    record(
      .intended, incident: id, code: request.step.name,
      "\(request.step.name) \(request.target) (plan \(request.plan.name), "
        + "rung \(request.ladder.rung + 1) of \(request.plan.steps.count))", at: now)
    if !needsPreparation(request) { effects.append(.collectEvidence(evidence(request))) }
    let context = AlertContext(
      name: request.alert.name, labels: request.alert.key.labels,
      annotations: annotations(of: request.alert), value: request.alert.value,
      since: request.alert.activeSince.wall, incident: id, target: request.target)
    effects.insert(
      .run(
        StepRequest(
          attempt: attempt, incident: id, step: request.step, service: request.service,
          alert: context)), at: 0)
  }

  /// G8: the dependants that are well before the action.
  private mutating func rememberNeighbours(_ request: ActionRequest) {
    let neighbours = request.service.map { policy.dependants(of: $0.name) } ?? []
    state.incidents[request.incident.id]?.ladder?.healthyNeighbours =
      neighbours.filter { health[$0.name]?.isUp($0) == true }.map(\.name)
  }

  mutating func noteEvidence(_ incident: Int, _ summary: String, at now: Moment) {
    guard state.incidents[incident] != nil, !summary.isEmpty else { return }
    state.incidents[incident]?.evidence = summary
    record(.evidence, incident: incident, code: "evidence", summary, at: now)
  }

  mutating func prepared(_ attempt: String, _ preparation: Preparation, at now: Moment) {
    guard let id = incident(of: attempt), let ladder = state.incidents[id]?.ladder,
      case .preparing = ladder.phase
    else { return }
    noteEvidence(id, preparation.evidence, at: now)
    state.incidents[id]?.ladder?.phase = .deciding
    touch()
    guard let refusal = preparation.refusals.first else {
      // The decision is taken again with what is known now; it passes the guard rails once more.
      state.incidents[id]?.ladder?.preparedRung = ladder.rung
      return
    }
    let rest = policy.guardRails.cooldown
    state.incidents[id]?.ladder?.current = nil
    state.incidents[id]?.ladder?.restUntil = Ladder.Rest(since: now, length: rest)
    guard let request = currentRequest(id) else { return }
    forbid(request, refusal, at: now)
  }

  /// A precondition failed: nothing was done, a person is told.
  private mutating func forbid(_ request: ActionRequest, _ refusal: Refusal, at now: Moment) {
    let id = request.incident.id
    let isNew = request.ladder.lastRefusal?.code != refusal.code
    state.incidents[id]?.ladder?.lastRefusal = refusal
    state.incidents[id]?.ladder?.refusedRung = request.ladder.rung
    let sentence = "\(request.step.name) of \(request.target) refused: \(refusal.sentence)"
    record(.refused, incident: id, code: refusal.code, sentence, at: now)
    guard isNew else { return }
    tell(id, .refused, sentence, at: now)
    pageOnce(request, sentence, at: now)
  }

  /// The step has ended, one way or another: from now on only fresh evidence counts.
  mutating func finished(_ attempt: String, _ result: StepResult, at now: Moment) {
    guard let id = incident(of: attempt), var current = state.incidents[id]?.ladder?.current,
      case .running = state.incidents[id]?.ladder?.phase
    else { return }
    current.endedAt = now
    current.result = result.summary
    current.succeeded = result.status == .succeeded
    if result.status == .unknown, step(of: current, id)?.isRemote == true {
      current.isUnknown = true
      current.succeeded = nil
    }
    state.incidents[id]?.ladder?.current = current
    if case .refused(let refusal) = result.status {
      // The host's own checks stopped it right before it began (G12, G15, G18, G26).
      state.incidents[id]?.ladder?.phase = .deciding
      state.incidents[id]?.ladder?.current = nil
      state.incidents[id]?.ladder?.restUntil = Ladder.Rest(
        since: now, length: policy.guardRails.cooldown)
      if let request = currentRequest(id) { forbid(request, refusal, at: now) }
      return
    }
    state.lastActionEnd[current.target.description] = now
    record(
      .acted, incident: id, code: current.step,
      "\(current.step) \(current.target): \(result.summary)", at: now)
    if !concludeNotice(id, result, at: now) { beginVerification(id, at: now) }
  }

  mutating func beginVerification(_ id: Int, at now: Moment) {
    guard let ladder = state.incidents[id]?.ladder else { return }
    state.incidents[id]?.ladder?.phase = .verifying(
      Verification(actionEnd: now, healthyNeighbours: ladder.healthyNeighbours))
    touch()
  }

  /// systemd, or whoever keeps the unit, is at it: watched and verified like an action of our own.
  mutating func observeSupervisor(
    _ request: ActionRequest, _ sentence: String, at now: Moment
  ) {
    let id = request.incident.id
    var attempt = newAttempt(request, at: now)
    attempt.isObserved = true
    attempt.step = "observe"
    attempt.endedAt = now
    attempt.result = sentence
    rememberNeighbours(request)
    state.incidents[id]?.ladder?.current = attempt
    record(.acted, incident: id, code: "observe", sentence, at: now)
    effects.append(.collectEvidence(evidence(request)))
    beginVerification(id, at: now)
  }

  /// Shadow: every guard rail passed; records what would be done and watches what happens without.
  mutating func shadow(_ request: ActionRequest, at now: Moment) {
    let id = request.incident.id
    var attempt = newAttempt(request, at: now)
    attempt.isShadow = true
    attempt.endedAt = now
    attempt.result = "not carried out: mode shadow"
    state.incidents[id]?.ladder?.lastRefusal = nil
    state.incidents[id]?.ladder?.preparedRung = nil
    state.incidents[id]?.ladder?.healthyNeighbours = []
    state.incidents[id]?.ladder?.current = attempt
    state.cooldown.used(request.cooldownKey, at: now)
    record(
      .wouldAct, incident: id, code: request.step.name,
      "would \(request.step.name) \(request.target)", at: now)
    beginVerification(id, at: now)
  }

  /// The rung that an attempt uses; nil when its plan is gone.
  func step(of attempt: Attempt, _ id: Int) -> Step? {
    guard let ladder = state.incidents[id]?.ladder,
      let steps = plan(named: ladder.plan, for: ladder.alert)?.steps,
      steps.indices.contains(attempt.rung)
    else { return nil }
    return steps[attempt.rung]
  }

  func incident(of attempt: String) -> Int? {
    guard let id = attempt.split(separator: "/").first.flatMap({ Int($0) }),
      state.incidents[id]?.ladder?.current?.id == attempt
    else { return nil }
    return id
  }

  /// The request that an incident's current rung stands for.
  func currentRequest(_ id: Int) -> ActionRequest? {
    guard let incident = state.incidents[id], let ladder = incident.ladder,
      let plan = plan(named: ladder.plan, for: ladder.alert),
      plan.steps.indices.contains(ladder.rung)
    else { return nil }
    let alert = state.tracker.alerts[ladder.alert] ?? ended(ladder.alert, incident)
    return request(incident, ladder, plan, plan.steps[ladder.rung], alert)
  }

  /// Stands in for an alert that ended while its action was under way.
  private func ended(_ key: Alert.Key, _ incident: Incident) -> Alert {
    Alert(key: key, element: key.labels, value: .nan, at: incident.openedAt)
  }
}
