import LifeguardCore

/// Everything that goes wrong, and people.
extension World {
  func disturb() throws {
    for name in scenario.serviceNames { try disturb(service: name) }
    for rule in scenario.rules { disturb(metric: rule.rule.id) }
    disturbHost()
    try command()
    if isAlive, killPoint == nil, random.chance(25) {
      killPoint = random.pick([
        .beforePersist, .afterPersist, .afterEffects(0), .afterEffects(1), .afterEffects(2),
      ])
    }
  }

  private func disturb(service name: String) throws {
    guard let service = services[name] else { return }
    switch service.state {
    case .up:
      if random.chance(35) { return try crash(name, random.pick(["exited with 1", "killed"])) }
      if random.chance(12) { return fall(name, .suspended, cure: random.pick([0, 0, 2, 9])) }
      if random.chance(15) { return fall(name, .hung, cure: random.pick([0, 2, 2, 3, 9])) }
      if random.chance(12) { return fall(name, .ill, cure: random.pick([0, 2, 3, 9])) }
      if random.chance(8) { return fall(name, .stoppedByOperator, cure: 0) }
      if random.chance(4) { return fall(name, .changing, cure: 0) }
      if random.chance(15) { services[name]?.isSlow.toggle() }
    case .stoppedByOperator, .changing:
      if random.chance(120) { services[name]?.start() }
    case .dead:
      if random.chance(10) { fall(name, .stoppedByOperator, cure: 0) }
      if random.chance(8) { services[name]?.start() }
    case .suspended, .hung, .ill:
      if random.chance(30) {
        services[name]?.state = .up
        statistics.count("healed by itself")
      } else if random.chance(15) {
        try crash(name, "segmentation fault")
      }
    case .restarting: break
    }
    if random.chance(15) { services[name]?.configurationIsBroken.toggle() }
  }

  /// A process dies; systemd may bring it back, and Lifeguard mostly hears of it at once.
  func crash(_ name: String, _ how: String) throws {
    statistics.count("crash")
    tell("\(name) dies: \(how)")
    services[name]?.state = .dead(how)
    services[name]?.cure = isCalm ? 1 : random.pick([1, 1, 1, 1, 2, 3, 9])
    if scenario.keepers[name] == .systemd, random.chance(700) {
      services[name]?.state = .restarting
      schedule(.kept(name), in: 100 + random.below(3000))
      statistics.count("brought back by systemd")
    }
    if random.chance(250) {
      statistics.count("flap")
      schedule(.dies(name), in: 500 + random.below(15_000))
    }
    if isAlive, random.chance(900) { try observe(name) }
  }

  private func fall(_ name: String, _ state: SimulatedService.State, cure: Int) {
    tell("\(name) becomes \(state), cure \(cure)")
    statistics.count("service \(state)")
    services[name]?.state = state
    services[name]?.cure = cure
  }

  private func disturb(metric rule: String) {
    guard var metric = metrics[rule] else { return }
    if random.chance(metric.isHigh ? 25 : 40) {
      metric.isHigh.toggle()
      metric.cure = random.pick([0, 1, 2, 9])
      if metric.isHigh { statistics.count("metric high") }
      tell("\(rule) is \(metric.isHigh ? "high, cure \(metric.cure)" : "low")")
    }
    if random.chance(metric.quality == .good ? 40 : 200) {
      metric.quality =
        metric.quality == .good ? random.pick([.absent, .late, .notANumber, .broken]) : .good
      if metric.quality != .good { statistics.count("samples \(metric.quality)") }
      tell("\(rule) samples are \(metric.quality)")
    }
    metrics[rule] = metric
  }

  private func disturbHost() {
    if random.chance(facts.cpuPressureSome > 0 ? 100 : 20) {
      facts.cpuPressureSome = facts.cpuPressureSome > 0 ? 0 : 70
      if facts.cpuPressureSome > 0 { statistics.count("pressure") }
    }
    if random.chance(facts.killSwitch ? 150 : 6) {
      facts.killSwitch.toggle()
      if facts.killSwitch { statistics.count("kill switch") }
      tell("kill switch \(facts.killSwitch)")
    }
    if noticeRandom.chance(facts.termination != nil ? 250 : 4) {
      facts.termination = facts.termination == nil ? "a spot interruption" : nil
      if facts.termination != nil { statistics.count("termination notice") }
      tell("termination \(facts.termination ?? "taken back")")
    }
    if random.chance(facts.freeBytes < 1000 ? 150 : 8) {
      facts.freeBytes = facts.freeBytes < 1000 ? .max : 500
      if facts.freeBytes < 1000 { statistics.count("disk full") }
    }
    if random.chance(10) {
      let jump = random.pick([-3_600_000, -30_000, -4000, 4000, 30_000, 3_600_000])
      wallOffset += jump
      statistics.count(jump > 0 ? "clock jump forward" : "clock jump back")
      tell("the wall clock jumps by \(jump)ms")
    }
    if random.chance(4) { reboot() }
  }

  private func reboot() {
    statistics.count("reboot")
    tell("the host reboots")
    kill(isReboot: true)
    boots += 1
    bootedAt = time
    // The wall clock may have lost a little, never gained: what it gains looks like time passed.
    wallOffset -= random.pick([0, 0, 2000])
    for name in services.keys.sorted() {
      services[name]?.pid += 1
      if scenario.keepers[name] == .lifeguard, services[name]?.state != .stoppedByOperator {
        services[name]?.state = .dead("not started")
        services[name]?.cure = 1
      } else if services[name]?.state != .stoppedByOperator {
        services[name]?.state = .up
      }
    }
  }

  private func command() throws {
    guard isAlive else { return }
    if ledger.isFrozen || ledger.isLost {
      if random.chance(90) { try order("thaw", .thaw(by: "ann")) }
    } else if random.chance(8) {
      try order("freeze", .freeze(by: "ann", reason: "a look around"))
    }
    if random.chance(10), let incident = monitor.state.openIncidents.first {
      try order("acknowledge", .acknowledge(incident: incident.id, by: "ann"))
    }
    for incident in monitor.state.openIncidents {
      guard case .awaitingApproval(let approval) = incident.ladder?.phase else { continue }
      // Some operators answer only when it is too late.
      if random.chance(seed % 2 == 0 ? 150 : 20) {
        try order("approve", .approve(id: approval.id, by: "ann"))
        return
      }
    }
    if random.chance(8) {
      let silence = Silence(
        id: "", conditions: [.init(name: "alertname", kind: "=", value: "CPUHigh")], by: "ann",
        comment: "noisy", from: now, length: .seconds(20))
      try order("silence", .silence(silence))
    }
    if random.chance(6) {
      let problem = Problem(
        name: "LifeguardCollectorStuck", labels: ["collector": "disk"], summary: "stuck",
        isActive: random.chance(400))
      statistics.count("problem")
      try deliver(.problem(problem), sampled: time)
    }
  }

  private func order(_ name: String, _ command: OperatorCommand) throws {
    statistics.count("command \(name)")
    tell("operator: \(name)")
    try deliver(.command(command), sampled: time)
  }

  /// The faults stop and every step works from now on; within a bounded time everything is well.
  func heal() throws {
    isCalm = true
    killPoint = nil
    statistics.count("healings")
    tell("calm")
    facts = HostFacts()
    pending.removeAll { if case .dies = $0.what { true } else { false } }
    for name in services.keys {
      services[name]?.configurationIsBroken = false
      services[name]?.isSlow = false
      services[name]?.cure = 0
      if services[name]?.state == .stoppedByOperator || services[name]?.state == .changing {
        services[name]?.start()
      }
    }
    for rule in metrics.keys {
      metrics[rule]?.quality = .good
      metrics[rule]?.cure = 0
    }
    var waited = 0
    while !isAlive {
      try turn(after: 1000)
    }
    if ledger.isFrozen || ledger.isLost { try deliver(.command(.thaw(by: "ann")), sampled: time) }
    if monitor.state.tracker.firing.contains(where: { $0.key.rule.hasPrefix("lifeguard/") }) {
      try deliver(
        .problem(
          Problem(
            name: "LifeguardCollectorStuck", labels: ["collector": "disk"], summary: "",
            isActive: false)), sampled: time)
    }
    while !isWell {
      guard waited < 900_000 else {
        throw Violation(
          invariant: "liveness",
          detail: "15 minutes after the last fault: \(unwell.joined(separator: "; "))")
      }
      // What a person was called for, or must do by the mode, a person does in the end.
      if waited >= 300_000 { mendByHand() }
      try turn(after: waited < 60_000 ? 1000 : 3000)
      waited += waited < 60_000 ? 1000 : 3000
    }
  }

  private var isWell: Bool { unwell.isEmpty }

  private var unwell: [String] {
    services.sorted { $0.key < $1.key }.filter { $0.value.state != .up }.map {
      "\($0.key) is \($0.value.state)"
    }
      + monitor.state.openIncidents.map {
        "incident \($0.id) \($0.key) is open: \($0.ladder as Any)"
      }
  }

  /// Only where nothing else is allowed to: elsewhere the ladder itself must have done it.
  private func mendByHand() {
    for (name, service) in services where service.state != .up && needsPerson(name) {
      statistics.count("mended by hand")
      services[name]?.start()
    }
    for rule in scenario.rules where metrics[rule.rule.id]?.isHigh == true {
      metrics[rule.rule.id]?.isHigh = false
    }
  }

  private func needsPerson(_ name: String) -> Bool {
    guard let service = scenario.policy.services[name] else { return true }
    if service.mode != nil || scenario.policy.mode != .auto { return true }
    if service.probe == nil, services[name]?.state == .hung || services[name]?.state == .ill {
      return true
    }
    return monitor.state.openIncidents.contains {
      $0.acknowledgedBy != nil || ledger.stopped.contains($0.id)
    }
  }
}
