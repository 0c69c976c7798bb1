import LifeguardCore

/// What the agent's decisions mean for the book.
extension Ledger {
  /// Looks at what one event led to; throws when an invariant is broken.
  mutating func decided(
    _ event: Event, _ effects: [Effect], in world: World, sampled: Int
  ) throws {
    follow(event, sampled: sampled, in: world)
    guard !effects.isEmpty else { return }
    noteEndings(in: world)
    for case .record(let entry) in effects { try note(entry, effects, in: world) }
    for case .run(let request) in effects { try check(request, effects, in: world) }
    try checkNeighbours(event, in: world)
    try checkReasons(effects, in: world)
  }

  /// G28: whatever was decided is in the record, with a code and a sentence.
  private func checkReasons(_ effects: [Effect], in world: World) throws {
    for effect in effects {
      switch effect {
      case .run(let request):
        let isReasoned = effects.contains {
          guard case .record(let entry) = $0 else { return false }
          return entry.incident == request.incident && entry.kind == .intended
        }
        guard isReasoned else {
          throw Violation(invariant: "G28 reasons", detail: request.attempt.id)
        }
      case .record(let entry):
        guard !entry.code.isEmpty, !entry.sentence.isEmpty else {
          throw Violation(invariant: "G28 reasons", detail: "\(entry)")
        }
      case .announce(let announcement):
        let isReasoned =
          announcement.kind == .reminder
          || effects.contains {
            if case .record(let entry) = $0 {
              entry.incident == announcement.incident
            } else {
              false
            }
          }
        guard isReasoned else {
          throw Violation(invariant: "G28 reasons", detail: "told without a record")
        }
      case .prepare, .collectEvidence, .probe, .notify: break
      }
    }
  }

  /// G8: a neighbour that is seen to be broken after the action has settled ends the attempt there
  /// and then; one that is on its way back by itself may arrive.
  private func checkNeighbours(_ event: Event, in world: World) throws {
    let name: String
    switch event {
    case .observed(let observation): name = observation.service
    case .probed(let result): name = result.service
    default: return
    }
    guard let service = world.scenario.policy.services[name], let seen = known[name],
      let fault = seen.fault(service)
    else { return }
    if case .restarting = seen.condition { return }
    for (incident, trace) in traces where trace.neighbours.contains(name) {
      guard seen.evidence(for: fault) > trace.endedAt + trace.settle else { continue }
      throw Violation(
        invariant: "G8 worse at once",
        detail: "\(name) broke, and incident \(incident) still verifies at \(world.time)")
    }
  }

  /// Evidence since an attempt's end, which alone may prove a recovery (G8).
  mutating func follow(_ event: Event, sampled: Int, in world: World) {
    for (incident, var trace) in traces where sampled > trace.endedAt {
      let isSettled = sampled > trace.endedAt + trace.settle
      switch event {
      case .verified(let attempt, let verdict):
        guard attempt == trace.attempt, trace.service == nil else { continue }
        trace.take(verdict == .healthy, at: world.time, isNews: verdict != .noData, isSettled)
      case .observed(let observation):
        guard observation.service == trace.service,
          let service = world.scenario.policy.services[observation.service]
        else { continue }
        if case .unknown = observation.condition { continue }
        let runs = if case .running = observation.condition { true } else { false }
        trace.take(runs, at: sampled, isNews: !runs || service.probe == nil, isSettled)
      case .probed(let result):
        guard result.service == trace.service else { continue }
        if case .unknown = result.outcome { continue }
        if let known = known[result.service], sampled < known.changedAt { continue }
        trace.take(result.outcome == .success, at: sampled, isNews: true, isSettled)
      default: continue
      }
      traces[incident] = trace
    }
  }

  /// Which alerts left their incident, and whether anything showed that they were over.
  private mutating func noteEndings(in world: World) {
    let incidents = world.monitor.state.incidents
    var elsewhere: Set<Alert.Key> = []
    for incident in incidents.values where incident.isOpen { elsewhere.formUnion(incident.alerts) }
    for incident in incidents.values {
      let new = Set(incident.alerts)
      let old = alerts[incident.id] ?? []
      guard old != new else { continue }
      for key in old.subtracting(new)
      where !elsewhere.contains(key) && !key.rule.hasPrefix("lifeguard/") {
        // With M of N the last one may be a breach again, and still be one too few.
        let counts = world.scenario.policy.rules[key.rule]?.samples != nil
        if lastVerdict[key.rule] == .breached, counts { continue }
        if lastVerdict[key.rule] != .healthy { unproven[incident.id, default: []].insert(key) }
      }
      for key in new.subtracting(old) { unproven[incident.id]?.remove(key) }
      alerts[incident.id] = new
    }
  }

  private mutating func note(
    _ entry: TimelineEntry, _ effects: [Effect], in world: World
  ) throws {
    guard let id = entry.incident, let incident = world.monitor.state.incidents[id] else { return }
    switch entry.kind {
    case .acted, .wouldAct:
      guard let ladder = incident.ladder,
        let plan = world.scenario.policy.plans[ladder.plan]
      else { return }
      let isOwn = ladder.alert.rule.hasPrefix("service/")
      traces[id] = Trace(
        attempt: ladder.current?.id,
        service: isOwn ? String(ladder.alert.rule.dropFirst("service/".count)) : nil,
        settle: Int(plan.verify.settle.milliseconds), endedAt: world.time)
      guard let attempt = ladder.current?.id else { return }
      traces[id]?.neighbours = uses.last { $0.attempt == attempt }?.neighbours ?? []
      // Nothing was ever heard of it, or the agent ended meanwhile.
      let isLost = entry.sentence.contains("no result after") || entry.code == "interrupted"
      if isLost { noteUnknown(attempt) }
    case .opened:
      guard let target = incident.target else { return }
      for key in rests.keys where key.contains("|\(target)|") { rests[key]?.healthySince = nil }
    case .outcome:
      try noteOutcome(entry, incident, in: world)
    case .escalated where entry.code == "page":
      paged.insert(id)
      if entry.sentence.contains("every milder step") { endPass(incident, in: world) }
    case .breaker:
      let isAnnounced = effects.contains {
        if case .announce(let announcement) = $0 { announcement.incident == id } else { false }
      }
      guard isAnnounced else { throw Violation(invariant: "G7 announced", detail: entry.sentence) }
    case .refused:
      if entry.sentence.hasPrefix("page") {
        throw Violation(invariant: "G4 page is never refused", detail: entry.sentence)
      }
    case .closed: try close(entry, incident, in: world)
    default: break
    }
  }

  private mutating func noteOutcome(
    _ entry: TimelineEntry, _ incident: Incident, in world: World
  ) throws {
    unfinished[incident.id] = nil
    guard let attempt = incident.attempts.last,
      let plan = world.scenario.policy.plans[attempt.plan]
    else { return }
    let place = "\(attempt.plan)|\(attempt.target)"
    // Who asked for the attempt; the ladder may be another alert's by now.
    let rule =
      uses.last { $0.attempt == attempt.id }?.rule ?? incident.ladder?.alert.rule ?? ""
    let key = "\(rule)|\(attempt.target)|\(attempt.rung)"
    if attempt.isObserved == false {
      world.statistics.count("outcome of \(attempt.step): \(entry.code)")
    }
    switch entry.code {
    case "recovered":
      let hold = Int(plan.verify.hold.milliseconds)
      guard let trace = traces[incident.id], let first = trace.firstHealthy,
        let last = trace.lastHealthy, last - first >= hold
      else {
        throw Violation(
          invariant: "G8 recovered on fresh evidence only",
          detail: "\(attempt.id) \(attempt.step) at \(world.time): "
            + "\(traces[incident.id].map { "\($0)" } ?? "no evidence")")
      }
      rests[key]?.healthySince = world.now
      passes[place] = 0
      breakers[place] = nil
    case "not_recovered", "inconclusive", "worse":
      guard !attempt.isObserved else { break }
      if entry.code == "not_recovered", traces[incident.id]?.isUnhealthySeen != true,
        !entry.sentence.contains("replaced")
      {
        throw Violation(
          invariant: "G9 failure is verified",
          detail: "\(attempt.id) \(attempt.step) at \(world.time): \(entry.sentence)")
      }
      if entry.code == "not_recovered", unknown.contains(attempt.id) {
        throw Violation(
          invariant: "G19 unknown is no failure",
          detail: "\(attempt.id) \(attempt.step) at \(world.time): \(entry.sentence)")
      }
      // What was only thought through rests nothing.
      if uses.contains(where: { $0.attempt == attempt.id }) {
        double(key, attempt, plan, world.scenario.policy.guardRails)
      }
      if entry.code == "not_recovered" { failed[place, default: [:]][attempt.rung] = world.time }
      if entry.code == "worse" { stopped.insert(incident.id) }
    default: break
    }
    traces[incident.id] = nil
  }

  private mutating func endPass(_ incident: Incident, in world: World) {
    guard let alert = incident.alerts.first ?? incident.ladder?.alert,
      let target = incident.target,
      let name = incident.ladder?.plan ?? world.scenario.plan(for: alert.rule)
    else { return }
    let place = "\(name)|\(target)"
    let settings = world.scenario.policy.guardRails
    failed[place] = [:]
    passes[place, default: 0] += 1
    guard passes[place, default: 0] >= settings.breakerPasses else { return }
    breakers[place] = (world.now, Int(settings.breakerOpen.milliseconds))
  }

  private mutating func close(
    _ entry: TimelineEntry, _ incident: Incident, in world: World
  ) throws {
    if entry.code == "recovered", let without = unproven[incident.id]?.first {
      throw Violation(
        invariant: "G19 absence never closes as recovered",
        detail: "incident \(incident.id) at \(world.time): \(without) had no healthy evidence")
    }
    if entry.code == "recovered", let target = incident.target {
      for key in rests.keys where key.contains("|\(target)|") {
        if rests[key]?.healthySince == nil { rests[key]?.healthySince = world.now }
      }
    }
    if let target = incident.target {
      for place in passes.keys where place.hasSuffix("|\(target)") {
        passes[place] = 0
      }
    }
    unproven[incident.id] = nil
    stopped.remove(incident.id)
    acknowledged.remove(incident.id)
    grants[incident.id] = nil
    traces[incident.id] = nil
    paged.remove(incident.id)
  }

  /// A step was really started.
  mutating func started(_ request: StepRequest, in world: World) throws {
    let attempt = request.attempt
    let kept = world.persisted.incidents[request.incident]?.ladder
    let isKept =
      if case .running = kept?.phase { kept?.current?.id == attempt.id } else { false }
    guard isKept else {
      throw Violation(
        invariant: "G17 intent before action", detail: "\(attempt.id) at \(world.time)")
    }
    guard usedAttempts.insert(attempt.id).inserted else {
      throw Violation(
        invariant: "G17 no attempt twice", detail: "\(attempt.id) at \(world.time)")
    }
    for other in world.running.values where !other.isOrphan {
      guard world.scenario.policy.conflict(other.request.attempt.target, attempt.target) else {
        continue
      }
      throw Violation(
        invariant: "G2 one in flight",
        detail: "\(attempt.target) at \(world.time) while \(other.request.attempt.id) runs")
    }
    let rest = "\(request.alert.rule)|\(attempt.target)|\(attempt.rung)"
    rests[rest, default: Rest()].healthySince = nil
    uses.append(
      Use(
        attempt: attempt.id, incident: request.incident, rule: request.alert.rule,
        plan: attempt.plan, rung: attempt.rung, step: request.step, target: attempt.target,
        at: world.time, moment: world.now, isRespawn: request.isRespawn,
        neighbours: well(request.service?.name, world.scenario.policy)))
  }

  /// The dependants of a service that are known to be up.
  private func well(_ service: String?, _ policy: Policy) -> [String] {
    let dependants = service.map { policy.dependants(of: $0) } ?? []
    return dependants.filter { known[$0.name]?.isUp($0) == true }.map(\.name)
  }

  /// G3: a failure doubles the rest, unless it is as long as it gets.
  private mutating func double(
    _ key: String, _ attempt: Attempt, _ plan: Plan, _ settings: GuardRailSettings
  ) {
    guard let rest = rests[key] else { return }
    rests[key]?.healthySince = nil
    let length = self.rest(
      rest.doublings, plan, isDisruptive: plan.steps[attempt.rung].harm.isDisruptive, settings)
    if length < Int(settings.cooldownCap.milliseconds) { rests[key]?.doublings += 1 }
  }

  mutating func ended(_ attempt: String, at time: Int, isOrphan: Bool) {
    guard let index = uses.lastIndex(where: { $0.attempt == attempt }) else { return }
    uses[index].endedAt = time
    if !isOrphan { lastEnd[uses[index].target] = time }
  }

  /// The agent came up with this state.
  mutating func restarted(_ state: MonitorState, at time: Int) {
    unfinished = [:]
    // After a reboot every verification begins anew; which one it is, the book cannot tell.
    for incident in traces.keys { traces[incident]?.neighbours = [] }
    for incident in state.openIncidents {
      guard let ladder = incident.ladder, let attempt = ladder.current,
        case .running = ladder.phase
      else { continue }
      unfinished[incident.id] = attempt.id
      lastEnd[ladder.target] = time
    }
  }
}

extension Ledger.Trace {
  fileprivate mutating func take(
    _ isHealthy: Bool, at time: Int, isNews: Bool, _ isSettled: Bool
  ) {
    guard isNews else { return }
    guard isHealthy else {
      isUnhealthySeen = true
      firstHealthy = nil
      lastHealthy = nil
      return
    }
    guard isSettled else { return }
    firstHealthy = firstHealthy ?? time
    lastHealthy = time
  }
}

extension Scenario {
  /// The name of the plan that answers a rule.
  func plan(for rule: String) -> String? {
    if rule.hasPrefix("service/") { return "service:" + rule.dropFirst("service/".count) }
    return rules.first { $0.rule.id == rule }?.plan.name
  }
}

extension AlertContext {
  /// The identity of the rule behind it.
  var rule: String {
    name == "ServiceDown" ? "service/\(labels["service"] ?? "")" : "inline/\(name)"
  }
}

extension StepRequest {
  var isRespawn: Bool { step == .start && service?.handle.isSupervised == true }
}
