/// What people are told, when, and who.
extension Monitor {
  /// Something to say once the event is dealt with, so that it can say what comes next.
  struct Saying {
    var incident: Int
    var kind: Announcement.Kind
    var sentence: String
    var receiver: String?
  }

  mutating func tell(
    _ id: Int, _ kind: Announcement.Kind, _ sentence: String, receiver: String? = nil,
    at now: Moment
  ) {
    sayings.append(Saying(incident: id, kind: kind, sentence: sentence, receiver: receiver))
  }

  /// Says what has to be said, to those whom the routes name and who do not know it yet.
  mutating func say(at now: Moment) {
    for saying in sayings {
      guard var incident = state.incidents[saying.incident] else { continue }
      incident.sequence += 1
      incident.lastToldAt = now
      state.incidents[incident.id] = incident
      let announcement = announcement(saying, incident, at: now)
      effects.append(.announce(announcement))
      if !isSilenced(incident, at: now) || announcement.kind == .escalated {
        notify(announcement, at: now)
      }
      // Nothing more is said about it, and closed incidents are kept small.
      if saying.kind.isFinal { state.incidents[incident.id]?.ended = nil }
      touch()
    }
    sayings = []
  }

  private mutating func notify(_ announcement: Announcement, at now: Moment) {
    let id = announcement.incident
    for destination in destinations(for: announcement) {
      let verdict = RepeatPolicy.verdict(
        for: announcement, after: state.incidents[id]?.told[destination.receiver],
        repeatInterval: destination.repeatInterval, at: now)
      guard verdict.isSent else { continue }
      let cap = policy.receivers[destination.receiver]?.cap
      var throttle = state.throttles[destination.receiver] ?? cap.map(Throttle.init)
      if let cap { throttle?.setLimit(cap) }
      let admitted = throttle == nil ? announcement : throttle?.admit(announcement, at: now)
      state.throttles[destination.receiver] = throttle
      guard let admitted else { continue }
      state.incidents[id]?.told[destination.receiver] = RepeatPolicy.Sent(admitted, at: now)
      effects.append(.notify(admitted, receiver: destination.receiver))
    }
  }

  /// Those whom the routes name; the end goes also to whoever was told of the beginning, however
  /// the labels that the routes look at have changed since.
  private func destinations(for announcement: Announcement) -> [Router.Destination] {
    let named = Router(routes: policy.routes).destinations(for: announcement)
    guard announcement.kind.isFinal else { return named }
    let told = state.incidents[announcement.incident]?.told.keys.sorted() ?? []
    let others = told.filter { name in
      policy.receivers[name] != nil && !named.contains { $0.receiver == name }
    }
    return named
      + others.map { .init(receiver: $0, repeatInterval: Router.defaultRepeatInterval) }
  }

  /// Every alert of it is silenced; an incident without alerts is as silent as it was.
  private func isSilenced(_ incident: Incident, at now: Moment) -> Bool {
    let active = state.silences.filter { $0.isActive(at: now) }
    guard !active.isEmpty else { return false }
    let alerts = incident.alerts.isEmpty ? [incident.openingAlert] : incident.alerts
    return alerts.allSatisfy { key in active.contains { $0.matches(key.labels) } }
  }

  /// Open incidents are not forgotten: they are told again after the repeat interval of the routes
  /// that a reminder goes to.
  mutating func remind(at now: Moment) {
    let router = Router(routes: policy.routes)
    let least = policy.routes.map { $0.repeatInterval ?? Router.defaultRepeatInterval }.min()
    for incident in state.openIncidents {
      guard let last = incident.lastToldAt, incident.acknowledgedBy == nil else { continue }
      let passed = now.elapsed(since: last)
      // Most turns end here, before a message is made that nobody gets.
      guard passed >= min(least ?? policy.repeatInterval, policy.repeatInterval) else { continue }
      let saying = Saying(
        incident: incident.id, kind: .reminder, sentence: sentence(of: incident))
      let reminder = announcement(saying, incident, at: now)
      let shortest = router.destinations(for: reminder).map(\.repeatInterval).min()
      guard passed >= shortest ?? policy.repeatInterval else { continue }
      sayings.append(saying)
    }
  }

  func announcement(
    _ saying: Saying, _ incident: Incident, at now: Moment
  ) -> Announcement {
    Announcement(
      incident: incident.id, sequence: incident.sequence, kind: saying.kind,
      severity: incident.severity, title: incident.title, host: policy.host,
      externalLabels: policy.externalLabels, target: incident.target?.description,
      alerts: announced(incident, at: now), since: incident.openedAt.wall,
      whatHappened: saying.sentence, tried: tried(incident),
      result: incident.attempts.last.flatMap(\.outcomeReason),
      next: next(incident, saying.kind, at: now), mode: policy.mode, frozen: frozenReason,
      evidence: incident.evidence, receiver: saying.receiver,
      acknowledgedBy: incident.acknowledgedBy, at: now.wall)
  }

  /// More alerts than this make a message unreadable.
  private static let alertsTold = 20

  /// What fires; when nothing does any more, what fired last.
  private func announced(_ incident: Incident, at now: Moment) -> [AnnouncedAlert] {
    if incident.alerts.isEmpty, let ended = incident.ended { return ended }
    let keys = incident.alerts.isEmpty ? [incident.openingAlert] : incident.alerts
    return keys.prefix(Monitor.alertsTold).map { announced($0, incident, at: now) }
  }

  func announced(
    _ key: Alert.Key, _ incident: Incident, at now: Moment
  ) -> AnnouncedAlert {
    guard let alert = state.tracker.alerts[key] else {
      return AnnouncedAlert(
        name: key.labels["alertname"] ?? incident.title, labels: key.labels, value: .nan,
        condition: condition(of: key), startsAt: incident.openedAt.wall, endsAt: now.wall)
    }
    return announced(alert)
  }

  private func announced(_ alert: Alert) -> AnnouncedAlert {
    AnnouncedAlert(
      name: alert.name, labels: alert.key.labels, annotations: annotations(of: alert),
      value: alert.value, condition: condition(of: alert.key),
      startsAt: alert.activeSince.wall)
  }

  /// An alert that is over, with the last value that breached; its texts are cut, because it is
  /// kept in the state.
  func announced(ended alert: Alert, at now: Moment) -> AnnouncedAlert {
    var result = announced(alert)
    result.annotations = result.annotations.mapValues { text in
      text.count > Monitor.endedTextMax ? text.prefix(Monitor.endedTextMax - 1) + "…" : text
    }
    result.endsAt = now.wall
    return result
  }

  /// Characters.
  private static let endedTextMax = 300

  private func condition(of key: Alert.Key) -> String {
    if let service = service(raising: key) { return "service \(service.name) is up" }
    return policy.rules[key.rule]?.expression.text ?? ""
  }

  private func tried(_ incident: Incident) -> [AnnouncedAttempt] {
    let current = incident.ladder?.current.map { $0.endedAt == nil ? [] : [$0] } ?? []
    return (incident.attempts + current).map { attempt in
      let outcome = attempt.outcome.map { "; \($0.words): \(attempt.outcomeReason ?? "")" } ?? ""
      return AnnouncedAttempt(
        at: attempt.intendedAt.wall, rung: attempt.rung + 1, step: attempt.step,
        outcome: (attempt.result ?? "running") + outcome)
    }
  }

  /// What comes next, in one clause; nil when it is over.
  public func next(
    _ incident: Incident, _ kind: Announcement.Kind, at now: Moment
  ) -> String? {
    if kind.isFinal { return nil }
    if let by = incident.acknowledgedBy { return "nothing by itself: \(by) has it" }
    if let frozen = frozenReason { return "nothing: \(frozen)" }
    guard let ladder = incident.ladder else {
      return "nothing by itself: no plan answers this alert"
    }
    if ladder.isStopped { return "nothing by itself: a person is needed" }
    switch ladder.phase {
    case .preparing:
      return "\(ladder.current?.step ?? "the next step") of \(ladder.target), "
        + "once evidence is collected and preconditions are checked"
    case .running:
      return "\(ladder.current?.step ?? "a step") of \(ladder.target) runs; then it is verified"
    case .verifying: return "the last step is being verified"
    case .awaitingApproval(let approval):
      return "waits for `lifeguard approve \(approval.id)`"
    case .deciding: break
    }
    if let refusal = ladder.lastRefusal {
      let step = plan(named: ladder.plan, for: ladder.alert)?.steps
      let name = step.flatMap { $0.indices.contains(ladder.rung) ? $0[ladder.rung].name : nil }
      let wait = refusal.until.map { " in \(max(now.remaining(until: $0), .zero).text)" } ?? ""
      return refusal.guardRail == .mode
        ? refusal.sentence : "\(name ?? "the next step") of \(ladder.target) again\(wait)"
    }
    return "the next rung of plan \(ladder.plan)"
  }
}

extension Moment {
  /// From here to `later`, on the clock that they share.
  func remaining(until later: Moment) -> Duration {
    bootID == later.bootID ? later.boottime - boottime : later.wall - wall
  }
}
