/// From alerts to incidents.
extension Monitor {
  /// How long after its end an incident still takes alerts of its key in.
  static let joinWindow: Duration = .seconds(300)

  mutating func apply(_ change: AlertTracker.Change, at now: Moment) {
    switch change {
    case .pending, .cancelled: break
    case .fired(let alert): fired(alert, at: now)
    case .ended(let alert, let how): ended(alert, how, at: now)
    }
  }

  private mutating func fired(_ alert: Alert, leaving old: Int? = nil, at now: Moment) {
    let target = target(of: alert)
    if let target { noteTrouble(target) }
    let own = "\(alert.name)/\(alert.key.labels["instance"] ?? policy.host)"
    let key = isNotice(alert.key) ? own : target?.description ?? own
    let sentence = summary(of: alert)
    if let root = root(for: alert, key: key, leaving: old, at: now),
      var incident = state.incidents[root]
    {
      let reopened = !incident.isOpen
      incident.state = .open
      incident.endedAt = nil
      let before = incident.severity
      let isWorse = incident.join(alert)
      if reopened, incident.ladder?.isStopped == true { incident.ladder = nil }
      state.incidents[root] = incident
      record(.joined, incident: root, code: reopened ? "reopened" : "joined", sentence, at: now)
      if reopened || incident.alerts.count == 1 {
        tell(root, .opened, sentence, at: now)
      } else if isWorse {
        // Who is called for this severity may not have been told of the one before.
        let rise = before.isEmpty ? "" : ", was \(before)"
        tell(root, .opened, "now \(alert.severity)\(rise): \(sentence)", at: now)
      }
      return
    }
    let id = state.nextIncident
    state.nextIncident += 1
    state.incidents[id] = Incident(id: id, key: key, target: target, alert: alert, at: now)
    record(.opened, incident: id, code: alert.name, sentence, at: now)
    tell(id, .opened, sentence, at: now)
  }

  /// The incident that an alert belongs to: the one of its key, else the one of a dependency that
  /// is down, whose consequence it is.
  private func root(for alert: Alert, key: String, leaving old: Int?, at now: Moment) -> Int? {
    let same = state.incidents.values.filter { incident in
      guard incident.key == key, incident.id != old else { return false }
      guard let end = incident.endedAt else { return true }
      return now.elapsed(since: end) < Monitor.joinWindow
    }
    if let newest = same.max(by: { $0.id < $1.id }) { return newest.id }
    guard let service = service(of: alert) else { return nil }
    var open = service.dependsOn
    var seen: Set<String> = []
    while let name = open.popLast() {
      guard seen.insert(name).inserted, let dependency = policy.services[name] else { continue }
      let keys = dependency.target.description
      if let root = state.openIncidents.first(where: { $0.key == keys && $0.id != old }) {
        return root.id
      }
      open += dependency.dependsOn
    }
    return nil
  }

  private mutating func ended(_ alert: Alert, _ how: AlertEnd, at now: Moment) {
    for id in state.openIncidents.map(\.id) where state.incidents[id]!.alerts.contains(alert.key) {
      let last = announced(ended: alert, at: now)
      state.incidents[id]?.alerts.removeAll { $0 == alert.key }
      state.incidents[id]?.remember(ended: last, key: alert.key)
      let sentence =
        how == .healthy ? "\(alert.name) is over" : "\(alert.name) has no data any more"
      record(.alert, incident: id, code: "alert_\(how.rawValue)", sentence, at: now)
      if how == .vanished { state.incidents[id]?.unproven.append(alert.key) }
      partConsequences(of: id, at: now)
    }
  }

  /// Consequences that outlive their root's own alerts become incidents of their own: nobody else
  /// would act on them.
  private mutating func partConsequences(of id: Int, at now: Moment) {
    guard let root = state.incidents[id], let target = root.target else { return }
    let left = root.alerts.compactMap { state.tracker.alerts[$0] }
    guard !left.isEmpty, !left.contains(where: { self.target(of: $0) == target }) else { return }
    state.incidents[id]?.alerts = []
    for alert in left { fired(alert, leaving: id, at: now) }
  }

  /// What rests on health starts anew (G3, G7).
  private mutating func noteTrouble(_ target: Target) {
    state.cooldown.troubled(target)
    for key in state.breakers.keys where key.hasSuffix("|\(target)") {
      state.breakers[key]?.healthySince = nil
    }
  }

  private mutating func noteHealth(_ target: Target, at now: Moment) {
    state.cooldown.healthy(target, at: now)
    for key in state.breakers.keys where key.hasSuffix("|\(target)") {
      state.breakers[key]?.healthySince = now
    }
  }

  /// Closes an incident that has no alerts left and nothing in flight.
  mutating func closeIfOver(_ id: Int, at now: Moment) {
    guard var incident = state.incidents[id], incident.isOpen, incident.alerts.isEmpty else {
      return
    }
    if incident.ladder?.holdsLock == true { return }
    let last = incident.attempts.last { !$0.isShadow }
    let isProven = incident.unproven.isEmpty
    incident.state = isProven ? .recovered : .closed
    incident.endedAt = now
    incident.unproven = []
    incident.ladder?.rest()
    incident.acknowledgedBy = nil
    incident.hasPaged = false
    incident.isHandedOver = false
    state.incidents[id] = incident
    let cause =
      if !isProven {
        isStoppedByOperator(incident.target)
          ? "over: an operator stopped it" : "over without proof: its series ended"
      } else if let last, last.outcome == .recovered {
        "recovered by \(last.isObserved ? "its own supervisor" : last.step)"
      } else {
        "recovered without an action that is known to have helped"
      }
    let length = now.elapsed(since: incident.openedAt).text
    record(
      .closed, incident: id, code: incident.state.rawValue, "\(cause), after \(length)", at: now)
    tell(id, isProven ? .recovered : .resolved, cause, at: now)
    if isProven, let target = incident.target { noteHealth(target, at: now) }
    let closed = state.incidents.values.filter { !$0.isOpen }.sorted { $0.id < $1.id }
    for old in closed.dropLast(MonitorState.closedMax) { state.incidents[old.id] = nil }
  }

  private func isStoppedByOperator(_ target: Target?) -> Bool {
    guard let service = target.flatMap(policy.service) else { return false }
    return health[service.name].map(isIntended) ?? false
  }

  /// The plan that answers an alert, by the order that the operator was promised: inline, then the
  /// first entry of `recoveries` that matches.
  public func plan(for alert: Alert.Key) -> Plan? {
    switch recoveryChoice(of: alert) {
    case .plan(let name): return policy.plans[name]
    case .inline(let plan): return plan
    case .some(.none): return nil
    case nil: break
    }
    guard !alert.rule.hasPrefix(Monitor.problemPrefix) else { return nil }
    let entry = policy.recoveries.first { entry in
      entry.matchers.allSatisfy { $0.matches(alert.labels[$0.name] ?? "") }
    }
    return entry?.plan.flatMap { policy.plans[$0] }
  }

  /// A plan by the name that a ladder remembers.
  func plan(named name: String, for alert: Alert.Key) -> Plan? {
    if let plan = policy.plans[name] { return plan }
    let plan = plan(for: alert)
    return plan?.name == name ? plan : nil
  }

  /// The service that an alert is about.
  func service(of alert: Alert) -> Service? {
    alert.key.labels["service"].flatMap { policy.services[$0] }
  }

  /// What an alert's plan acts on; without a plan, the service that the alert names.
  public func target(of alert: Alert) -> Target? {
    if let template = plan(for: alert.key)?.target {
      let context = TemplateContext(
        labels: alert.key.labels, value: alert.value, externalLabels: policy.externalLabels)
      return Target(template.render(context)).map(policy.canonical)
    }
    if let service = service(of: alert) { return service.target }
    return plan(for: alert.key) == nil ? nil : .host
  }
}
