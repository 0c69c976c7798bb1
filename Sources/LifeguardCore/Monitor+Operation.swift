/// Start, clock, host facts, operators' commands, and tidying up.
extension Monitor {
  /// - Returns: problems of an earlier run, ended: those that still exist are raised anew.
  mutating func start(
    _ report: StartReport, at now: Moment
  ) -> [AlertTracker.Change] {
    isStarted = true
    touch()
    defer { restartInFlight(except: report.attemptsElsewhere, at: now) }
    if report.stateWasLost {
      state.lostAt = now
      state.budgetsLostAt = now
      record(
        .started, incident: nil, code: "state_lost",
        "the state of before was lost (\(report.reason)): nothing is done before "
          + "`lifeguard thaw`, and every budget counts as spent", at: now)
    } else {
      record(.started, incident: nil, code: "started", "the agent started", at: now)
    }
    let problems = Set(state.tracker.alerts.keys.map(\.rule)).filter {
      $0.hasPrefix(Monitor.problemPrefix)
    }
    return problems.sorted().flatMap { state.tracker.removeRule($0) }
  }

  private mutating func restartInFlight(except elsewhere: Set<String>, at now: Moment) {
    for incident in state.openIncidents {
      guard let ladder = incident.ladder else { continue }
      if let attempt = ladder.current?.id, elsewhere.contains(attempt) { continue }
      switch ladder.phase {
      case .running: interrupt(incident.id, "the agent ended before it was known", at: now)
      case .preparing:
        state.incidents[incident.id]?.ladder?.phase = .deciding
        state.incidents[incident.id]?.ladder?.current = nil
      case .verifying(let verification) where verification.actionEnd.bootID != now.bootID:
        // Everything is new after a reboot: it is watched from here on.
        beginVerification(incident.id, at: now)
      case .deciding, .awaitingApproval, .verifying: break
      }
    }
  }

  /// Notices reboots and jumps of the wall clock; no timer depends on them.
  mutating func noteClock(_ now: Moment) {
    defer { state.lastSeen = now }
    guard let last = state.lastSeen else { return }
    if last.bootID != now.bootID {
      record(.clock, incident: nil, code: "rebooted", "the host has rebooted", at: now)
      return
    }
    let jump = (now.wall - last.wall) - (now.boottime - last.boottime)
    guard abs(jump.milliseconds) > Moment.jumpMin.milliseconds else { return }
    if jump < .zero { state.setBackAt = now }
    let way = jump > .zero ? "forward" : "back"
    record(
      .clock, incident: nil, code: "clock_jump",
      "the wall clock jumped \(way) by \(Duration.milliseconds(abs(jump.milliseconds)).text)",
      at: now)
  }

  mutating func note(_ facts: HostFacts, at now: Moment) {
    if facts.killSwitch != self.facts.killSwitch {
      record(
        .command, incident: nil, code: facts.killSwitch ? "kill_switch_on" : "kill_switch_off",
        facts.killSwitch ? "the kill switch file appeared" : "the kill switch file is gone",
        at: now)
    }
    if facts.termination != self.facts.termination {
      record(
        .alert, incident: nil, code: facts.termination == nil ? "instance_stays" : "instance_ends",
        facts.termination.map { "this machine is taken away: \($0)" }
          ?? "this machine is not taken away any more", at: now)
    }
    self.facts = facts
  }

  /// G20: slow is not dead while the host itself is short of something.
  public var isUnderPressure: Bool {
    facts.cpuPressureSome > policy.guardRails.pressureSome
      || facts.pressureFull > policy.guardRails.pressureFull
  }

  /// Whether anything may be done at all (G26), for every page and message.
  public var frozenReason: String? {
    if facts.killSwitch { return "the kill switch file exists" }
    if let freeze = state.freeze { return "frozen by \(freeze.by): \(freeze.reason)" }
    if state.lostAt != nil {
      return "the state of before was lost; `lifeguard thaw` when looked at"
    }
    return nil
  }

  mutating func obey(_ command: OperatorCommand, at now: Moment) {
    switch command {
    case .freeze(let by, let reason):
      state.freeze = MonitorState.Freeze(by: by, reason: reason, since: now)
      record(.command, incident: nil, code: "freeze", "frozen by \(by): \(reason)", at: now)
    case .thaw(let by):
      state.freeze = nil
      state.lostAt = nil
      record(.command, incident: nil, code: "thaw", "thawed by \(by)", at: now)
    case .silence(var silence):
      silence.id = String(state.nextSilence)
      silence.from = now
      state.nextSilence += 1
      state.silences.append(silence)
      record(
        .command, incident: nil, code: "silence",
        "silence \(silence.id) by \(silence.by) for \(silence.length.text): \(silence.comment)",
        at: now)
    case .unsilence(let id):
      state.silences.removeAll { $0.id == id }
      record(.command, incident: nil, code: "unsilence", "silence \(id) ended", at: now)
    case .acknowledge(let incident, let by):
      guard state.incidents[incident]?.isOpen == true else { return }
      state.incidents[incident]?.acknowledgedBy = by
      record(
        .command, incident: incident, code: "ack",
        "\(by) has it: no further step, no reminder", at: now)
    case .approve(let id, let by):
      approve(id, by: by, at: now)
    }
  }

  /// The decision is taken again: what was approved passes every guard rail once more (G25).
  private mutating func approve(_ id: String, by: String, at now: Moment) {
    for incident in state.openIncidents {
      guard case .awaitingApproval(let approval) = incident.ladder?.phase, approval.id == id else {
        continue
      }
      let expiry = policy.guardRails.approvalExpiry
      guard now.elapsed(since: approval.askedAt) < expiry else { continue }
      state.incidents[incident.id]?.ladder?.phase = .deciding
      state.incidents[incident.id]?.ladder?.approvedRung = approval.rung
      state.incidents[incident.id]?.ladder?.approvedUntil = Ladder.Rest(
        since: approval.askedAt, length: expiry)
      record(
        .approval, incident: incident.id, code: "approved", "\(by) approved \(id)", at: now)
    }
  }

  /// Once a turn: what time alone changes.
  mutating func tidy(at now: Moment) {
    let settings = policy.guardRails
    state.cooldown.decay(
      halving: settings.cooldownHalving, cap: settings.cooldownCap, at: now)
    state.budget.prune(longest: longestWindow, at: now)
    state.breakers = state.breakers.filter { _, breaker in
      if let since = breaker.healthySince {
        return now.elapsed(since: since) < settings.cooldownHalving
      }
      return breaker.passes > 0
    }
    state.silences.removeAll { !$0.isActive(at: now) }
    for (key, position) in state.positions
    where now.elapsed(since: position.at) >= settings.positionKept {
      state.positions[key] = nil
    }
    for (key, end) in state.lastActionEnd where now.elapsed(since: end) >= settings.cooldownCap {
      state.lastActionEnd[key] = nil
    }
    remind(at: now)
  }
  /// The longest window in which anything is counted; a plan written inline counts like any other.
  private var longestWindow: Duration {
    let settings = policy.guardRails
    let choices = policy.rules.values.map(\.recovery) + policy.services.values.map(\.plan)
    let inline = choices.compactMap { if case .inline(let plan) = $0 { plan } else { nil } }
    let limits = (policy.plans.values + inline).compactMap(\.limit)
    let own = [
      settings.targetBudget, settings.actionBudget, settings.rebootBudget, settings.rebootDayBudget,
    ]
    return (own + limits).map(\.window).max() ?? settings.targetBudget.window
  }
}
