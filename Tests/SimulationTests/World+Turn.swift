import LifeguardCore

/// Whole turns: samples go through the real head, and rules and verifications over them.
extension World {
  /// What the book sees of a metric: the sample that is there to be seen, and when it was taken.
  private struct Sight {
    var value: Double
    var takenAt: Int
    var isFresh: Bool
  }

  func takeTurn() throws {
    for rule in scenario.rules where isCalm || random.chance(900) { sample(rule.rule) }
    append("readonly", 0, at: now.wall)
    // A group that is evaluated each second is due a quarter early at most.
    if time - (lastLook ?? .min / 2) >= 750 {
      lastLook = time
      for rule in scenario.rules { noteSight(rule.rule) }
    }
    for query in monitor.verificationQueries { noteVerification(query) }
    statistics.count("whole turns")
    if mutant?.isOfTurns == true { return try takeMutatedTurn() }
    try work(.tick, sampled: time) { turn.take(at: now) }
  }

  private func append(_ metric: String, _ value: Double, at wall: Timestamp) {
    do throws(HeadError) {
      try turn.head.append(turn.head.reference(for: ["__name__": metric]), at: wall, value)
    } catch {
      statistics.count("samples refused")
    }
  }

  /// What is collected of a metric, if anything.
  private func sample(_ rule: AlertRule) {
    guard let metric = metrics[rule.id] else { return }
    let name = rule.metric
    var lag = random.below(900)
    switch metric.quality {
    case .good: break
    case .late: lag = 6000 + random.below(9000)
    case .broken: return
    case .absent:
      guard sight(name)?.value.isNaN == false else { return }
      return append(name, .staleMarker, at: now.wall)
    case .notANumber: return append(name, .nan, at: now.wall)
    }
    // What comes from what is now the future was taken by another clock, and is not delivered.
    guard wall(at: time - lag) <= now.wall else { return }
    let isBetween = !metric.isHigh && rule.clear != nil && !isCalm && random.chance(100)
    let value = metric.isHigh ? 95.0 : isBetween ? 70 : 1
    append(name, taken.value(near: value, at: time - lag), at: wall(at: time - lag))
  }

  private func sight(_ metric: String) -> Sight? {
    guard let reference = turn.head.existingReference(for: ["__name__": metric]),
      let sample = turn.head.lastSample(
        of: reference, after: now.wall - .seconds(300), through: now.wall)
    else { return nil }
    return Sight(
      value: sample.value, takenAt: taken.time(of: sample.value) ?? time,
      isFresh: now.wall - sample.timestamp < .seconds(5))
  }

  private func verdict(_ seen: Sight?, _ rule: AlertRule) -> Evaluation.Verdict {
    guard let seen, seen.isFresh, !seen.value.isNaN else { return .noData }
    if seen.value > 90 { return .breached }
    return rule.clear != nil && seen.value > 60 ? .uncleared : .healthy
  }

  private func noteSight(_ rule: AlertRule) {
    let seen = sight(rule.metric)
    let verdict = verdict(seen, rule)
    ledger.noteLook(
      rule.id, isLook: true,
      Ledger.Told(
        hasData: verdict != .noData, verdict: verdict,
        sampledAt: verdict == .noData ? nil : seen?.takenAt))
  }

  private func noteVerification(_ query: Monitor.VerificationQuery) {
    guard case .rule(let rule, _) = query.condition else { return }
    let seen = sight(rule.metric)
    ledger.follow(
      .verified(attempt: query.attempt, verdict(seen, rule)), sampled: seen?.takenAt ?? time,
      in: self)
  }

  /// A turn put together by hand, with a fault in it.
  private func takeMutatedTurn() throws {
    for rule in scenario.rules {
      var evaluator = RuleEvaluator(rule.rule, interval: .seconds(1))
      var evaluation = evaluator.evaluate(
        over: turn.head, at: now.wall,
        active: monitor.state.tracker.activeElements(of: rule.rule.id), intervals: [:])
      if mutant == .anySelectorFeeds, evaluation.hasData {
        for index in evaluation.elements.indices
        where evaluation.elements[index].verdict == .noData {
          evaluation.elements[index].verdict = .healthy
        }
      }
      try work(.tick, sampled: time) { turn.handle(.evaluated(evaluation), at: now) }
    }
    for query in monitor.verificationQueries {
      guard case .rule(let rule, let labels) = query.condition else { continue }
      var evaluator = RuleEvaluator(rule, interval: .seconds(1))
      let evaluation =
        mutant == .evidenceViewNotCut
        ? evaluator.evaluate(over: turn.head, at: now.wall, active: [labels], intervals: [:])
        : evaluator.evaluate(
          over: EvidenceView(turn.head, after: query.after), at: now.wall, active: [labels],
          intervals: [:])
      let verdict = evaluation.elements.first { $0.labels == labels }?.verdict ?? .noData
      try work(.tick, sampled: time) {
        turn.handle(.verified(attempt: query.attempt, verdict), at: now)
      }
    }
    try deliver(.tick, sampled: time)
  }
}

extension AlertRule {
  /// The metric that it is about: the first word of its expression.
  fileprivate var metric: String { String(expression.text.prefix { $0 != " " }) }
}
