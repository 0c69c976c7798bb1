import LifeguardCore

/// The agent as it must be: the state is durable before an effect is carried out.
extension World {
  /// Hands one event to the monitor, makes its state durable, and carries its effects out.
  ///
  /// - Parameter truth: what the book notes, where a mutant tells the monitor something else.
  func deliver(_ event: Event, sampled: Int, truth: Event? = nil) throws {
    try work(event, sampled: sampled, truth: truth) { turn.handle(event, at: now) }
  }

  /// Lets the agent do something, makes its state durable, and carries its effects out.
  ///
  /// - Parameter event: what the book follows it by.
  func work(
    _ event: Event, sampled: Int, truth: Event? = nil, _ body: () -> [Effect]
  ) throws {
    guard isAlive else { return }
    handled += 1
    let saved: Ledger?
    if case .beforePersist = killPoint { saved = ledger } else { saved = nil }
    if case .tick = event { ledger.rest(at: now, scenario.policy.guardRails) }
    ledger.note(truth ?? event, sampled: sampled, at: time, scenario.policy)
    noteCommand(event)
    let effects = body()
    if effects.isEmpty {
      if story != nil, case .tick = event {} else { tell("\(event)".prefix(160).description) }
    }
    try ledger.decided(
      event, effects, in: self, sampled: sampled)
    guard !effects.isEmpty || monitor.revision != persistedRevision else { return }
    for effect in effects { note(effect, after: event) }
    if let saved, !effects.isEmpty {
      ledger = saved
      kill(isReboot: false)
      return
    }
    if mutant != .intentWrittenLate { persist() }
    try carryOut(effects)
    if mutant == .effectsCarriedOutTwice { try carryOut(effects) }
    if isAlive, mutant == .intentWrittenLate { persist() }
  }

  private func persist() {
    guard monitor.revision != persistedRevision else { return }
    persisted = monitor.state
    persistedRevision = monitor.revision
    if mutant == .restoredFromOldSnapshot {
      oldSnapshots.append(persisted)
      if oldSnapshots.count > 30 { oldSnapshots.removeFirst() }
    }
  }

  private func carryOut(_ effects: [Effect]) throws {
    if case .afterPersist = killPoint, !effects.isEmpty { return kill(isReboot: false) }
    for (index, effect) in effects.enumerated() {
      try carryOut(effect)
      if case .afterEffects(let last) = killPoint, index == last {
        return kill(isReboot: false)
      }
    }
  }

  private func carryOut(_ effect: Effect) throws {
    switch effect {
    case .prepare(let request): prepare(request)
    case .run(let request): try start(request)
    case .collectEvidence(let request):
      if random.chance(800) {
        schedule(
          .deliver(.evidenceCollected(incident: request.incident, summary: "top"), sampled: time),
          in: 200)
      }
    case .probe(let service, _): schedule(.probe(service), in: 300)
    case .announce, .notify, .record: break
    }
  }

  private func prepare(_ request: PreparationRequest) {
    guard isCalm || random.chance(960) else {
      statistics.count("preparation lost")
      return
    }
    var refusals: [Refusal] = []
    let plan = scenario.policy.plans[request.plan]
    let step = plan?.steps[request.rung]
    let isTested =
      switch step {
      case .start, .restart, .stopCleanStart, .reload: true
      case .run(let command): command.disruptive
      default: false
      }
    if isTested, let name = request.evidence.service,
      scenario.policy.services[name]?.configTest != nil,
      services[name]?.configurationIsBroken == true
    {
      refusals.append(Refusal(.precondition, code: "config_test", "the test failed"))
    }
    if plan?.requiredMounts.isEmpty == false, !isCalm, random.chance(200) {
      refusals.append(Refusal(.precondition, code: "mount_missing", "/var is not mounted"))
    }
    schedule(
      .deliver(
        .prepared(
          attempt: request.attempt, Preparation(refusals: refusals, evidence: "top")),
        sampled: time), in: 20 + random.below(600))
  }

  /// The executor looks at the kill switch once more, right before it begins.
  private func start(_ request: StepRequest) throws {
    let id = request.attempt.id
    if facts.killSwitch || (!isCalm && random.chance(15)) {
      let refusal =
        facts.killSwitch
        ? Refusal(.killSwitch, code: "kill_switch_file", "the file exists")
        : Refusal(.neverList, code: "own_process", "it is our own")
      statistics.count("refused by the executor")
      schedule(
        .deliver(
          .stepFinished(
            attempt: id, StepResult(status: .refused(refusal), summary: refusal.sentence)),
          sampled: time), in: 10)
      return
    }
    statistics.count("step \(request.step.name)")
    tell("STEP \(request.step.name) \(request.attempt.target) (\(id))")
    try ledger.started(request, in: self)
    var length = 50 + random.below(2500)
    var works = true
    var status = StepResult.Status.succeeded
    var isReported = true
    if !isCalm, request.step.isElsewhere, random.chance(150) {
      works = random.chance(500)
      status = .unknown
      statistics.count("step elsewhere unknown")
    } else if !isCalm {
      switch random.below(100) {
      case 0..<12:
        works = false
        status = .failed
        statistics.count("step fails")
      case 12..<18:
        status = .failed
        length = 6000
        statistics.count("step hangs")
      case 18..<21:
        isReported = false
        statistics.count("step reports nothing")
      case 21..<25:
        works = false
        statistics.count("step says it worked and did not")
      case 25..<27:
        status = .unknown
        statistics.count("step result unknown")
      default: break
      }
    }
    running[id] = Running(
      request: request, endsAt: time + length, works: works, status: status,
      isReported: isReported)
    schedule(.stepEnds(id), in: length)
  }

  func endStep(_ id: String) throws {
    guard let step = running.removeValue(forKey: id) else { return }
    ledger.ended(id, at: time, isOrphan: step.isOrphan || !step.isReported)
    if step.works { apply(step.request) }
    guard isAlive, !step.isOrphan, step.isReported else { return }
    let event = Event.stepFinished(
      attempt: id, StepResult(status: step.status, summary: "exited"))
    if mutant == .unknownTakenForFailure, step.status == .unknown {
      let failed = StepResult(status: .failed, summary: "exited")
      try deliver(.stepFinished(attempt: id, failed), sampled: time, truth: event)
    } else {
      try deliver(event, sampled: time)
    }
  }

  private func apply(_ request: StepRequest) {
    let name = request.service?.name
    if let name, services[name] != nil {
      services[name]?.suffer(request.step)
      if !isCalm, services[name]?.state == .up, random.chance(120) {
        schedule(.dies(name), in: 200 + random.below(6000))
        statistics.count("dies again after a step")
      }
      // A dependency that restarts may take a dependant with it.
      for dependant in scenario.policy.dependants(of: name)
      where !isCalm && random.chance(150) && services[dependant.name]?.state == .up {
        services[dependant.name]?.state = .dead("lost its connection")
        services[dependant.name]?.cure = 1
        statistics.count("a step breaks a neighbour")
      }
    }
    for rule in scenario.rules where rule.plan.name == request.attempt.plan {
      guard var metric = metrics[rule.rule.id] else { continue }
      if metric.cure <= request.attempt.rung { metric.isHigh = false }
      metrics[rule.rule.id] = metric
    }
  }

  /// `kill -9`, or the host goes down.
  func kill(isReboot: Bool) {
    killPoint = nil
    guard isAlive else {
      if isReboot { running = [:] }
      return
    }
    isAlive = false
    statistics.count(isReboot ? "agent ended by a reboot" : "agent killed")
    tell("AGENT KILLED")
    if !running.isEmpty { statistics.count("agent killed while a step runs") }
    for id in running.keys {
      running[id]?.isOrphan = true
      if isReboot {
        ledger.ended(id, at: time, isOrphan: true)
        running[id] = nil
      }
    }
    pending.removeAll { entry in
      switch entry.what {
      case .deliver, .probe: true
      default: false
      }
    }
    let loses = !isCalm && random.chance(40)
    schedule(.agentStarts(lost: loses), in: random.pick([100, 500, 2000, 20_000]))
  }

  func startAgent(lost: Bool) throws {
    guard !isAlive else { return }
    isAlive = true
    ledger.forgetKnowledge()
    if lost {
      statistics.count("state lost")
      persisted = MonitorState()
      oldSnapshots = []
      ledger.forgetState(at: time, now)
    } else {
      if mutant == .restoredFromOldSnapshot, let old = oldSnapshots.first { persisted = old }
      ledger.restarted(persisted, at: time)
      persisted = try restored(persisted)
    }
    let interrupted = persisted.openIncidents.filter {
      if case .running = $0.ladder?.phase { true } else { false }
    }
    if !interrupted.isEmpty { statistics.count("unfinished intent found at a start") }
    turn = World.turn(scenario, persisted, mutant)
    taken = TakenSamples()
    lastLook = nil
    persistedRevision = 0
    tell("AGENT STARTS\(lost ? ", state lost" : "")")
    let isReported = lost && mutant != .lostStateNotReported
    try deliver(
      .started(StartReport(stateWasLost: isReported, reason: isReported ? "corrupt" : "")),
      sampled: time)
    try deliver(.host(facts), sampled: time)
    if mutant == .unfinishedIntentRunAgain {
      for incident in interrupted {
        guard let attempt = incident.ladder?.current,
          let plan = scenario.policy.plans[attempt.plan],
          let alert = incident.ladder?.alert
        else { continue }
        try start(
          StepRequest(
            attempt: attempt, incident: incident.id, step: plan.steps[attempt.rung],
            service: scenario.policy.service(of: attempt.target),
            alert: AlertContext(
              name: "", labels: alert.labels, annotations: [:], value: 0, since: now.wall,
              incident: incident.id, target: attempt.target)))
      }
    }
  }

  /// Through the bytes that a store keeps.
  private func restored(_ state: MonitorState) throws -> MonitorState {
    let bytes = try JSONCoder.encode(state)
    guard bytes.count <= 256 * 1024 else {
      throw Violation(invariant: "state size", detail: "\(bytes.count) bytes")
    }
    statistics.count("restored bytes", bytes.count)
    return try JSONCoder.decode(from: bytes)
  }

  func checkState() throws { _ = try restored(monitor.state) }

  private func noteCommand(_ event: Event) {
    guard case .command(let command) = event else { return }
    switch command {
    case .freeze: ledger.isFrozen = true
    case .thaw:
      ledger.isFrozen = false
      ledger.isLost = false
    case .acknowledge(let incident, _):
      if monitor.state.incidents[incident]?.isOpen == true { ledger.acknowledged.insert(incident) }
    case .approve(let id, _):
      for incident in monitor.state.openIncidents {
        guard case .awaitingApproval(let approval) = incident.ladder?.phase, approval.id == id
        else { continue }
        let age = Int(now.elapsed(since: approval.askedAt).milliseconds)
        ledger.grants[incident.id] = Ledger.Grant(rung: approval.rung, askedAt: time - age)
      }
    case .silence, .unsilence: break
    }
  }

  private func note(_ effect: Effect, after event: Event) {
    switch effect {
    case .record(let entry):
      statistics.count("record \(entry.kind.rawValue) \(entry.code)")
      tell("\(entry.kind.rawValue) \(entry.code): \(entry.sentence)")
      mix(entry.code)
    case .announce(let announcement):
      statistics.count("announce \(announcement.kind.rawValue)")
      mix(announcement.kind.rawValue)
    case .run(let request): mix(request.attempt.id)
    case .prepare(let request): mix(request.attempt)
    case .collectEvidence, .notify, .probe: break
    }
  }

  /// FNV-1a.
  private func mix(_ text: String) {
    for byte in text.utf8 { fingerprint = (fingerprint ^ UInt64(byte)) &* 0x100_0000_01b3 }
    fingerprint = (fingerprint ^ UInt64(time)) &* 0x100_0000_01b3
  }
}

extension Step {
  /// Whether it is carried out by somebody else.
  var isElsewhere: Bool {
    switch self {
    case .http, .cloud: true
    default: false
    }
  }
}
