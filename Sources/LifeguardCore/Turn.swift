/// One turn of the wheel: samples in, due rules evaluated, the monitor asked; effects out.
///
/// Pure: replaying recorded samples and events replays every decision. The agent takes a turn each
/// second; `backtest` takes one for each recorded second.
public struct Turn: Sendable {
  /// The samples of the last hours; whoever collects appends here before a turn is taken.
  public var head: Head
  public internal(set) var monitor: Monitor
  /// How often each metric's source delivers, where that is not every turn.
  public var sourceIntervals: [String: Duration] = [:]
  /// The limits and defaults of rules' queries.
  public var queryOptions = QueryOptions()
  /// What rules could not be evaluated, by rule, until they can.
  public internal(set) var ruleProblems: [String: String] = [:]
  /// Measures how long evaluations take, for their status; the turn itself knows no clock.
  public var stopwatch: (@Sendable () -> Duration)?
  var groups: [ScheduledGroup] = []
  /// Series of rules that a reload removed, until they are ended.
  var orphans: [Orphan] = []
  /// `ALERTS` of what is not a rule's: services, and problems of the agent's own.
  var writtenForOthers: [SeriesReference] = []

  /// What the clock showed last.
  private var lastWall: Timestamp?

  struct Orphan: Sendable {
    var series: [SeriesReference]
    /// The interval of the group that wrote them.
    var interval: Duration
    /// On CLOCK_BOOTTIME; set in the first turn after the reload.
    var due: Duration?
  }

  public init(head: Head, monitor: Monitor) {
    self.head = head
    self.monitor = monitor
  }

  /// The rules to evaluate: inline ones every `interval`, groups at their own.
  ///
  /// A group that there was before goes on in its rhythm. Series of rules that are gone end after
  /// two intervals, which leaves a renamed group the time to write them again (Prometheus does the
  /// same).
  public mutating func setRules(
    inline: [AlertRule], groups: [RuleGroup], interval: Duration
  ) {
    let own = RuleGroup(name: "", interval: interval, rules: inline.map { .alert($0) })
    var old = self.groups
    var gone: [Orphan] = []
    self.groups = ([own] + groups).map { group in
      var scheduled = ScheduledGroup(group)
      let match = old.firstIndex { $0.name == group.name && $0.file == group.file }
      if let match {
        let known = old.remove(at: match)
        gone.append(Orphan(series: scheduled.inherit(known), interval: known.interval))
      }
      return scheduled
    }
    for group in groups {
      for case .recording(let rule) in group.rules where group.interval > interval {
        // A recorded series is as old as its group's interval lets it be.
        sourceIntervals[rule.name] = max(sourceIntervals[rule.name] ?? .zero, group.interval)
      }
    }
    gone += old.map { Orphan(series: $0.members.flatMap(\.written), interval: $0.interval) }
    orphans += gone.filter { !$0.series.isEmpty }
    ruleProblems = [:]
  }

  /// The time of the last evaluation of any group.
  var lastEvaluation: Timestamp? { groups.compactMap(\.lastEvaluation).max() }

  /// Every group and rule, and what became of their last evaluations.
  public var ruleGroups: [RuleGroupStatus] {
    groups.filter { !$0.name.isEmpty || !$0.members.isEmpty }.map(\.status)
  }

  /// Takes a turn: evaluates what is due, verifies what is in flight, lets time pass.
  public mutating func take(at now: Moment) -> [Effect] {
    noteClock(now)
    var effects: [Effect] = []
    for index in groups.indices where groups[index].isDue(at: now) {
      effects += evaluateGroup(index, at: now)
    }
    for query in monitor.verificationQueries {
      let verdict = verdict(of: query, at: now)
      effects += monitor.handle(.verified(attempt: query.attempt, verdict), at: now)
    }
    effects += monitor.handle(.tick, at: now)
    writeOtherAlerts(at: now)
    endOrphans(at: now)
    return effects
  }

  /// Something happened between turns.
  public mutating func handle(_ event: Event, at now: Moment) -> [Effect] {
    noteClock(now)
    if case .started = event { restoreWaits(at: now) }
    return monitor.handle(event, at: now)
  }

  /// What was collected in the future of a clock that was set back is of another time.
  private mutating func noteClock(_ now: Moment) {
    if let lastWall, lastWall - now.wall > Moment.jumpMin { head.removeSamples(after: now.wall) }
    lastWall = now.wall
  }

  /// Takes the operator's new policy over, as `Monitor.replacePolicy`.
  public mutating func replacePolicy(_ policy: Policy, at now: Moment) -> [Effect] {
    monitor.replacePolicy(policy, at: now)
  }

  private func verdict(
    of query: Monitor.VerificationQuery, at now: Moment
  ) -> Evaluation.Verdict {
    let view = EvidenceView(head, after: query.after)
    switch query.condition {
    case .rule(let rule, let labels):
      var evaluator = RuleEvaluator(rule, interval: .seconds(1))
      let evaluation = evaluator.evaluate(
        over: view, at: now.wall, active: [labels], intervals: sourceIntervals,
        options: queryOptions)
      guard let element = evaluation.elements.first(where: { $0.labels == labels }) else {
        return .noData
      }
      // What a query still sees may be minutes old: no sign that the symptom is there now.
      let isOld = element.newestInput.map { now.wall - $0 > evaluation.freshness } ?? false
      return element.verdict == .breached && isOld ? .noData : element.verdict
    case .expression(let expression): return verdict(of: expression, over: view, at: now.wall)
    }
  }

  /// What a verification's own condition says, which must hold: proof needs samples that are fresh,
  /// and so does its contrary. A condition that cannot be evaluated proves nothing.
  private func verdict(
    of condition: Query, over view: EvidenceView<Head>, at time: Timestamp
  ) -> Evaluation.Verdict {
    // why try?: as above.
    guard let result = try? condition.instant(over: view, at: time) else { return .noData }
    let metrics = condition.expression.metricsOutsideAbsent
    let freshness = max(
      (metrics.compactMap { sourceIntervals[$0] }.max() ?? .zero) * 2, .seconds(5))
    let holds: Bool
    switch result.value {
    case .vector(let elements): holds = !elements.isEmpty
    case .scalar(let value): holds = value != 0
    case .string, .matrix: return .noData
    }
    if holds {
      let isFresh = result.newestInput.map { time - $0 <= freshness }
      let needsNone = condition.expression.selectorsOutsideAbsent.isEmpty
      return isFresh ?? needsNone ? .healthy : .noData
    }
    let feed = Feed(source: view, time: time, freshness: freshness)
    return feed.state(of: condition.expression, for: Labels()).isFresh ? .breached : .noData
  }
}
