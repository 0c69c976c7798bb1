/// One turn of the wheel: samples in, due rules evaluated, the monitor asked; effects out.
///
/// Pure: replaying recorded samples and events replays every decision. The agent takes a turn each
/// second; `backtest` takes one for each recorded second.
public struct Turn: Sendable {
  /// The samples of the last hours; whoever collects appends here before a turn is taken.
  public var head: Head
  public private(set) var monitor: Monitor
  /// How often each metric's source delivers, where that is not every turn.
  public var sourceIntervals: [String: Duration] = [:]
  /// What rules could not be evaluated, by rule, until they can.
  public private(set) var ruleProblems: [String: String] = [:]
  private var groups: [ScheduledGroup] = []

  private struct ScheduledGroup: Sendable {
    enum Member: Sendable {
      case alert(RuleEvaluator)
      case recording(RecordingRule)
    }

    var interval: Duration
    var queryOffset: Duration
    var members: [Member]
    /// On CLOCK_BOOTTIME; nil is due at once.
    var due: Duration?
  }

  public init(head: Head, monitor: Monitor) {
    self.head = head
    self.monitor = monitor
  }

  /// The rules to evaluate: inline ones every `interval`, groups at their own.
  public mutating func setRules(
    inline: [AlertRule], groups: [RuleGroup], interval: Duration
  ) {
    let own = ScheduledGroup(
      interval: interval, queryOffset: .zero,
      members: inline.map { .alert(RuleEvaluator($0, interval: interval)) })
    self.groups =
      [own]
      + groups.map { group in
        ScheduledGroup(
          interval: group.interval, queryOffset: group.queryOffset,
          members: group.rules.map { rule in
            switch rule {
            case .alert(let rule): .alert(RuleEvaluator(rule, interval: group.interval))
            case .recording(let rule): .recording(rule)
            }
          })
      }
    ruleProblems = [:]
  }

  /// Takes a turn: evaluates what is due, verifies what is in flight, lets time pass.
  public mutating func take(at now: Moment) -> [Effect] {
    var effects: [Effect] = []
    for index in groups.indices where isDue(groups[index], at: now) {
      evaluate(index, at: now, &effects)
      schedule(index, at: now)
    }
    for query in monitor.verificationQueries {
      let verdict = verdict(of: query, at: now)
      effects += monitor.handle(.verified(attempt: query.attempt, verdict), at: now)
    }
    effects += monitor.handle(.tick, at: now)
    return effects
  }

  /// Something happened between turns.
  public mutating func handle(_ event: Event, at now: Moment) -> [Effect] {
    monitor.handle(event, at: now)
  }

  /// Takes the operator's new policy over, as `Monitor.replacePolicy`.
  public mutating func replacePolicy(_ policy: Policy, at now: Moment) -> [Effect] {
    monitor.replacePolicy(policy, at: now)
  }

  private func isDue(_ group: ScheduledGroup, at now: Moment) -> Bool {
    guard let due = group.due else { return true }
    return now.boottime >= due
  }

  private mutating func schedule(_ index: Int, at now: Moment) {
    let interval = groups[index].interval
    // A little early counts as on time: turns come every interval, give or take a scheduler's whim.
    groups[index].due = now.boottime + interval - min(interval / 4, .milliseconds(250))
  }

  private mutating func evaluate(_ index: Int, at now: Moment, _ effects: inout [Effect]) {
    let time = now.wall - groups[index].queryOffset
    for position in groups[index].members.indices {
      switch groups[index].members[position] {
      case .alert(var evaluator):
        let rule = evaluator.rule.id
        let evaluation = evaluator.evaluate(
          over: head, at: time, active: monitor.state.tracker.activeElements(of: rule),
          intervals: sourceIntervals)
        groups[index].members[position] = .alert(evaluator)
        ruleProblems[rule] = evaluation.problem
        effects += monitor.handle(.evaluated(evaluation), at: now)
      case .recording(let rule):
        record(rule, at: time)
      }
    }
  }

  private mutating func record(_ rule: RecordingRule, at time: Timestamp) {
    do {
      let result = try rule.expression.instant(over: head, at: time)
      guard case .vector(let elements) = result.value else { return }
      for element in elements {
        var labels = element.labels
        for (name, value) in rule.labels { labels[name] = value }
        labels[Labels.metricName] = rule.name
        try head.append(head.reference(for: labels), at: time, element.value)
      }
      ruleProblems["record/\(rule.name)"] = nil
    } catch {
      ruleProblems["record/\(rule.name)"] = "\(error)"
    }
  }

  private func verdict(
    of query: Monitor.VerificationQuery, at now: Moment
  ) -> Evaluation.Verdict {
    let view = EvidenceView(head, after: query.after)
    switch query.condition {
    case .rule(let rule, let labels):
      var evaluator = RuleEvaluator(rule, interval: .seconds(1))
      let evaluation = evaluator.evaluate(
        over: view, at: now.wall, active: [labels], intervals: sourceIntervals)
      return evaluation.elements.first { $0.labels == labels }?.verdict ?? .noData
    case .expression(let expression):
      // A condition that cannot be evaluated proves nothing.
      guard let result = try? expression.instant(over: view, at: now.wall) else { return .noData }
      guard result.newestInput != nil || expression.expression.selectorsOutsideAbsent.isEmpty
      else { return .noData }
      switch result.value {
      case .vector(let elements): return elements.isEmpty ? .breached : .healthy
      case .scalar(let value): return value == 0 ? .breached : .healthy
      case .string, .matrix: return .noData
      }
    }
  }
}
