/// Evaluates groups of rules as Prometheus does: rule after rule at one time, each seeing what the
/// ones before it recorded.
extension Turn {
  mutating func evaluateGroup(_ index: Int, at now: Moment) -> [Effect] {
    var effects: [Effect] = []
    let time = now.wall - groups[index].queryOffset
    let began = stopwatch?()
    var before = began
    for position in groups[index].members.indices {
      let problem =
        if let rule = groups[index].members[position].evaluator?.rule {
          evaluateAlert(rule, index, position, at: now, time, &effects)
        } else {
          record(index, position, at: time)
        }
      let after = stopwatch?()
      note(problem, index, position, at: now, after.map { $0 - (before ?? $0) } ?? .zero)
      before = after
    }
    groups[index].lastEvaluation = now.wall
    if let began, let before { groups[index].duration = before - began }
    groups[index].taken(at: now)
    return effects
  }

  private mutating func note(
    _ problem: String?, _ index: Int, _ position: Int, at now: Moment, _ duration: Duration
  ) {
    ruleProblems[groups[index].members[position].problemKey] = problem
    groups[index].members[position].status.health = problem == nil ? .ok : .bad
    groups[index].members[position].status.lastError = problem
    groups[index].members[position].status.lastEvaluation = now.wall
    groups[index].members[position].status.evaluationDuration = duration
  }

  // MARK: Alerting rules

  private mutating func evaluateAlert(
    _ rule: AlertRule, _ index: Int, _ position: Int, at now: Moment, _ time: Timestamp,
    _ effects: inout [Effect]
  ) -> String? {
    let active = monitor.state.tracker.activeElements(of: rule.id)
    guard
      var evaluation = groups[index].members[position].evaluator?.evaluate(
        over: head, at: time, active: active, intervals: sourceIntervals, options: queryOptions)
    else { return nil }
    if evaluation.problem == nil {
      let runsQueries = groups[index].members[position].runsQueries
      monitor.templateQuery = runsQueries ? templateQuery(at: time) : nil
      check(&evaluation, of: rule, limit: groups[index].limit, at: now)
    }
    effects += monitor.handle(.evaluated(evaluation), at: now)
    monitor.templateQuery = nil
    // As in Prometheus, a rule that fails writes nothing and ends nothing.
    if let problem = evaluation.problem { return problem }
    var written: [SeriesReference] = []
    var problem: String?
    // Most rules have no alert, and are not looked for among those of the others.
    if !active.isEmpty || !evaluation.elements.isEmpty || rule.onNoData == .alert {
      problem = writeAlerts(at: time, &written) { $0.key.rule == rule.id }
    }
    end(groups[index].members[position].written, except: written, at: time)
    groups[index].members[position].written = written
    return problem
  }

  /// What makes an evaluation fail although its query did not: Prometheus' checks on the alerts.
  private func check(
    _ evaluation: inout Evaluation, of rule: AlertRule, limit: Int, at now: Moment
  ) {
    let breached = evaluation.elements.filter { $0.verdict == .breached }
    if rule.origin == .ruleFile, breached.count > 1 {
      var seen: Set<Labels> = []
      for element in breached {
        let labels = monitor.labels(of: element, rule: rule)
        guard !seen.insert(labels).inserted else { continue }
        evaluation.problem =
          "vector contains metrics with the same labelset after applying alert labels"
        return
      }
    }
    guard limit > 0 else { return }
    let kept = evaluation.elements.count { element in
      element.verdict != .breached && keepsFiring(element.labels, rule, at: now)
    }
    guard breached.count + kept > limit else { return }
    evaluation.problem = "exceeded limit of \(limit) with \(breached.count + kept) alerts"
    evaluation.exceedsLimit = true
  }

  private func keepsFiring(_ element: Labels, _ rule: AlertRule, at now: Moment) -> Bool {
    guard rule.keepFiringFor > .zero else { return false }
    return monitor.state.tracker.alerts.values.contains { alert in
      guard alert.key.rule == rule.id, alert.element == element, alert.state == .firing else {
        return false
      }
      return now.elapsed(since: alert.endedSince ?? now) < rule.keepFiringFor
    }
  }

  /// Templates run their queries over the head as it is now, at the rule's time.
  func templateQuery(
    at time: Timestamp
  ) -> @Sendable (String) throws(TemplateError) -> [TemplateSample] {
    let snapshot = head.snapshot()
    return { (text) throws(TemplateError) in
      do {
        let result = try Query(parsing: text).instant(over: snapshot, at: time)
        switch result.value {
        case .vector(let elements):
          return elements.map { TemplateSample(labels: $0.labels, value: $0.value) }
        case .scalar(let value): return [TemplateSample(labels: Labels(), value: value)]
        case .string, .matrix: return []
        }
      } catch let error as QueryError {
        throw TemplateError(message: error.description, offset: 0)
      } catch {
        throw TemplateError(message: "\(error)", offset: 0)
      }
    }
  }

  // MARK: ALERTS and ALERTS_FOR_STATE

  /// Writes both series of every alert that `isWanted`.
  ///
  /// - Returns: why one of them could not be written.
  private mutating func writeAlerts(
    at time: Timestamp, _ written: inout [SeriesReference], _ isWanted: (Alert) -> Bool
  ) -> String? {
    guard !monitor.state.tracker.alerts.isEmpty else { return nil }
    var problem: String?
    for alert in monitor.state.tracker.alerts.values.filter(isWanted) {
      var state = alert.key.labels
      state[Labels.metricName] = "ALERTS"
      state["alertstate"] = alert.state.rawValue
      var since = alert.key.labels
      since[Labels.metricName] = "ALERTS_FOR_STATE"
      let seconds = (Double(alert.activeSince.wall.milliseconds) / 1000).rounded(.down)
      for (labels, value) in [(state, 1.0), (since, seconds)] {
        do throws(HeadError) {
          written.append(
            try derive(labels, at: time, value, origin: alert.origin ?? .local))
        } catch {
          problem = error.description
        }
      }
    }
    return problem
  }

  /// The alerts that no rule is behind: of services, and of the agent's own problems.
  mutating func writeOtherAlerts(at now: Moment) {
    var written: [SeriesReference] = []
    // What the head refuses, it counts; there is no rule to report it with.
    _ = writeAlerts(at: now.wall, &written) { $0.key.isReserved }
    end(writtenForOthers, except: written, at: now.wall)
    writtenForOthers = written
  }

  // MARK: Recording rules

  private mutating func record(_ index: Int, _ position: Int, at time: Timestamp) -> String? {
    guard let rule = groups[index].members[position].recording?.rule else { return nil }
    let elements: [VectorElement]
    let origins: [SeriesOrigin]
    do throws(QueryError) {
      guard
        let result = try groups[index].members[position].recording?.query.instant(
          over: head, at: time, options: queryOptions)
      else { return nil }
      switch result.value {
      case .vector(let found): elements = found
      case .scalar(let value): elements = [VectorElement(labels: Labels(), value: value)]
      case .string, .matrix: return "rule result is not a vector or scalar"
      }
      origins = elements.map { result.origin(of: $0) }
    } catch {
      return error.description
    }
    let output = elements.map { element in
      var labels = element.labels
      labels[Labels.metricName] = rule.name
      for (name, value) in rule.labels { labels[name] = value }
      return labels
    }
    if output.count > 1, Set(output).count < output.count {
      return "vector contains metrics with the same labelset after applying rule labels"
    }
    let limit = groups[index].limit
    if limit > 0, output.count > limit {
      return "exceeded limit of \(limit) with \(output.count) series"
    }
    var problem: String?
    var written: [SeriesReference] = []
    written.reserveCapacity(output.count)
    for (position, labels) in output.enumerated() {
      do throws(HeadError) {
        written.append(
          try derive(
            labels, at: time, elements[position].value, origin: origins[position]))
      } catch {
        problem = error.description
      }
    }
    end(groups[index].members[position].written, except: written, at: time)
    groups[index].members[position].written = written
    return problem
  }

  // MARK: Series

  /// Writes a sample that was not collected into the head, from where it goes the way of all
  /// others.
  ///
  /// What is calculated from remote series is remote, and stays so.
  ///
  /// - Throws: as `Head.append`.
  @discardableResult
  public mutating func derive(
    _ labels: Labels, at time: Timestamp, _ value: Double, origin: SeriesOrigin = .local
  ) throws(HeadError) -> SeriesReference {
    let reference = try head.reference(for: labels)
    if origin == .remote { head.markRemote(reference) }
    try head.append(reference, at: time, value)
    return reference
  }

  /// Ends the series among `old` that are not among `new`.
  private mutating func end(
    _ old: [SeriesReference], except new: [SeriesReference], at time: Timestamp
  ) {
    guard old != new else { return }
    let kept = Set(new)
    for reference in old where !kept.contains(reference) {
      do throws(HeadError) {
        try head.markStale(reference, at: time)
      } catch {
        // The series is gone already, or has a newer sample than this: nothing to end.
        continue
      }
    }
  }

  /// Ends the series of rules that a reload removed, unless another rule writes them by then.
  mutating func endOrphans(at now: Moment) {
    guard !orphans.isEmpty else { return }
    for index in orphans.indices where orphans[index].due == nil {
      orphans[index].due = now.boottime + orphans[index].interval * 2
    }
    let over = orphans.filter { $0.due.map { now.boottime >= $0 } ?? false }
    guard !over.isEmpty else { return }
    orphans.removeAll { $0.due.map { now.boottime >= $0 } ?? false }
    let alive = groups.flatMap { $0.members.flatMap(\.written) }
    for orphan in over { end(orphan.series, except: alive, at: now.wall) }
  }
}
