/// From evaluations, observations and problems to alerts.
extension Monitor {
  static let problemPrefix = "lifeguard/"

  mutating func fold(_ evaluation: Evaluation, at now: Moment) -> [AlertTracker.Change] {
    guard let rule = policy.rules[evaluation.rule] else { return [] }
    // As in Prometheus, a rule with more alerts than its group allows has none.
    if evaluation.exceedsLimit {
      return noting(state.tracker.removeRule(rule.id)) + noteCrowd(of: rule, at: now)
    }
    guard evaluation.problem == nil else { return [] }
    // Only full evaluations count towards G27; one without data has seen nothing.
    if evaluation.hasData { evaluations[rule.id, default: 0] += 1 }
    // Taken out, so that nothing is copied while labels are made from the rest of the monitor.
    var folded = AlertTracker()
    swap(&folded, &state.tracker)
    let changes = folded.fold(evaluation, rule: AlertBehaviour(rule), at: now) { element in
      labels(of: element, rule: rule)
    }
    swap(&folded, &state.tracker)
    return noting(changes) + noteCrowd(of: rule, at: now)
  }

  /// What finds no room among the alerts is neither told nor acted on, and somebody must know that.
  private mutating func noteCrowd(of rule: AlertRule, at now: Moment) -> [AlertTracker.Change] {
    let lost = state.tracker.crowded[rule.id]
    guard lost != nil || crowdedRules.contains(rule.id) else { return [] }
    crowdedRules.insert(rule.id)
    let sentence =
      "\(lost ?? 0) breached label sets of \(rule.name) are neither told nor acted on: a rule has "
      + "at most \(state.tracker.capacityOfRule) alerts, all rules together "
      + "\(state.tracker.capacity); aggregate its expression, or narrow its selectors"
    let problem = Problem(
      name: "LifeguardAlertsFull", labels: ["rule": rule.id], summary: sentence,
      isActive: lost != nil)
    // Label sets that come and go at the limit are one problem, not one a second.
    let changes = fold(problem, keepFiringFor: Monitor.crowdMemory, at: now)
    if !state.tracker.isActive(identity(of: problem).rule) { crowdedRules.remove(rule.id) }
    return changes
  }

  /// A rule that is gone crowds nothing out any more.
  mutating func forgetCrowd(of rule: String) -> [AlertTracker.Change] {
    guard crowdedRules.remove(rule) != nil else { return [] }
    let problem = Problem(
      name: "LifeguardAlertsFull", labels: ["rule": rule], summary: "", isActive: false)
    return state.tracker.removeRule(identity(of: problem).rule)
  }

  private static let crowdMemory: Duration = .seconds(300)

  /// Series' labels, the rule's own over them, and the alert's name; no metric name.
  func labels(of element: Evaluation.Element, rule: AlertRule) -> Labels {
    var labels = element.labels
    labels[Labels.metricName] = nil
    if !rule.labels.isEmpty {
      let context = templateContext(labels: element.labels, value: element.value)
      for (name, template) in rule.labels.sorted(by: { $0.key < $1.key }) {
        labels[name] = template.render(context)
      }
    }
    labels["alertname"] = rule.name
    return labels
  }

  mutating func observe(_ observation: ServiceObservation, at now: Moment) -> [AlertTracker.Change]
  {
    guard let service = policy.services[observation.service] else { return [] }
    let isNews = health[service.name, default: ServiceHealth()].observe(observation, at: now)
    return fold(service, isNews: isNews, at: now)
  }

  mutating func probed(_ result: ProbeResult, at now: Moment) -> [AlertTracker.Change] {
    guard let service = policy.services[result.service] else { return [] }
    let before = health[service.name]?.frozenTimeouts ?? 0
    let isNews = health[service.name, default: ServiceHealth()].probed(result, at: now)
    if health[service.name]?.frozenTimeouts == 1, before == 0 {
      // A second, shorter question tells a hang from one slow answer without a second's wait.
      effects.append(.probe(service: service.name, timeout: confirmationTimeout(service)))
    }
    return fold(service, isNews: isNews, at: now)
  }

  private func confirmationTimeout(_ service: Service) -> Duration {
    let timeout = service.probe?.timeout ?? .seconds(1)
    return isUnderPressure ? timeout * policy.guardRails.pressureTimeoutFactor : timeout / 3
  }

  /// The service's own rule: breached while there is a fault, healthy once it is known to be up.
  private mutating func fold(
    _ service: Service, isNews: Bool, at now: Moment
  ) -> [AlertTracker.Change] {
    guard let seen = health[service.name] else { return [] }
    if isNews { evaluations[Monitor.ruleID(of: service), default: 0] += 1 }
    if isIntended(seen) {
      // Not a fault any more, and no recovery either.
      return noting(state.tracker.removeRule(Monitor.ruleID(of: service)))
    }
    let fault = seen.fault(of: service)
    let verdict: Evaluation.Verdict =
      fault != nil ? .breached : seen.isUp(service) ? .healthy : .noData
    let evidence = seen.evidenceAt(fault, of: service).map { now.wall - now.elapsed(since: $0) }
    var labels: Labels = ["service": service.name, "instance": policy.host]
    for (name, value) in service.labels { labels[name] = value }
    if service.labels["severity"] == nil { labels["severity"] = "critical" }
    let element = Evaluation.Element(
      labels: labels, value: fault == nil ? 1 : 0, verdict: verdict, newestInput: evidence)
    let evaluation = Evaluation(
      rule: Monitor.ruleID(of: service), elements: [element], newestInput: evidence,
      freshness: Monitor.freshness(of: service))
    return noting(
      state.tracker.fold(evaluation, rule: AlertBehaviour(rule: evaluation.rule), at: now) {
        var labels = $0.labels
        labels["alertname"] = "ServiceDown"
        return labels
      })
  }

  func isIntended(_ seen: ServiceHealth) -> Bool {
    if case .stoppedByOperator = seen.condition { true } else { false }
  }

  /// How old a look at a service may be before it no longer counts (G1).
  static func freshness(of service: Service) -> Duration {
    max((service.probe?.interval ?? .seconds(1)) * 2, .seconds(5))
  }

  static func ruleID(of service: Service) -> String { "service/\(service.name)" }

  /// Raises and ends problems of Lifeguard's own; they notify, and nothing acts on them.
  mutating func fold(
    _ problem: Problem, keepFiringFor: Duration = .zero, at now: Moment
  ) -> [AlertTracker.Change] {
    let (name, labels) = identity(of: problem)
    var rule = AlertBehaviour(rule: name)
    rule.keepFiringFor = keepFiringFor
    let element = Evaluation.Element(
      labels: labels, value: 1, verdict: problem.isActive ? .breached : .healthy,
      newestInput: now.wall)
    problemSummaries[rule.rule] = problem.isActive ? problem.summary : nil
    return noting(
      state.tracker.fold(Evaluation(rule: rule.rule, elements: [element]), rule: rule, at: now) {
        var labels = $0.labels
        labels["alertname"] = problem.name
        return labels
      })
  }

  /// The rule that stands for a problem, and the labels of its alert.
  private func identity(of problem: Problem) -> (rule: String, labels: Labels) {
    var labels = problem.labels
    labels["instance"] = policy.host
    if labels["severity"] == nil { labels["severity"] = "warning" }
    return (Monitor.problemPrefix + problem.name + labels.description, labels)
  }

  /// What the rule behind an alert says of its recovery.
  func recoveryChoice(of alert: Alert.Key) -> RecoveryChoice? {
    if let service = service(raising: alert) {
      return service.plan ?? .plan("service:\(service.name)")
    }
    return policy.rules[alert.rule]?.recovery
  }

  /// Whether the rule behind an alert announces what no step can undo.
  func isNotice(_ alert: Alert.Key) -> Bool { policy.rules[alert.rule]?.isNotice == true }

  /// The ceiling that the rule behind an alert sets.
  func mode(of alert: Alert.Key) -> Mode {
    (service(raising: alert)?.mode ?? policy.rules[alert.rule]?.mode) ?? .auto
  }

  /// The service whose own rule raised an alert.
  func service(raising alert: Alert.Key) -> Service? {
    guard alert.rule.hasPrefix("service/") else { return nil }
    return policy.services[String(alert.rule.dropFirst("service/".count))]
  }

  /// What an alert is about, in one sentence.
  public func summary(of alert: Alert) -> String {
    if let service = service(raising: alert.key) {
      let seen = health[service.name]
      guard let fault = seen?.fault(of: service), let seen else { return "\(service.name) is down" }
      return "\(service.name): \(seen.sentence(fault))"
    }
    if let problem = problemSummaries[alert.key.rule] { return problem }
    let notes = annotations(of: alert)
    return notes["summary"] ?? notes["description"] ?? alert.name
  }

  /// An alert's annotations, rendered with its newest value.
  public func annotations(of alert: Alert) -> [String: String] {
    if service(raising: alert.key) != nil || problemSummaries[alert.key.rule] != nil { return [:] }
    guard let rule = policy.rules[alert.key.rule] else { return [:] }
    var labels = alert.element
    labels["alertname"] = nil
    let context = templateContext(labels: labels, value: alert.value)
    return rule.annotations.mapValues { $0.render(context) }
  }

  /// Counts the wait of a pending alert from another moment, after a restart.
  mutating func restartWait(of key: Alert.Key, from moment: Moment) {
    state.tracker.restartWait(of: key, from: moment)
    touch()
  }

  private func templateContext(labels: Labels, value: Double) -> TemplateContext {
    var context = TemplateContext(
      labels: labels, value: value, externalLabels: policy.externalLabels,
      externalURL: policy.externalURL)
    if let seen = state.lastSeen { context.time = seen.wall }
    context.query = templateQuery
    return context
  }

  private mutating func noting(_ changes: [AlertTracker.Change]) -> [AlertTracker.Change] {
    if !changes.isEmpty { touch() }
    return changes
  }
}
