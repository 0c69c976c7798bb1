/// A group of rules between two evaluations: when it is due, and what its rules wrote last.
struct ScheduledGroup: Sendable {
  /// One rule and what is remembered of it.
  struct Member: Sendable {
    /// What evaluates it: one of the two. Both remember the series that they found, and are changed
    /// in place: a copy of a rule touches each of its parts, every second.
    var evaluator: RuleEvaluator?
    var recording: (rule: RecordingRule, query: PreparedQuery)?
    var status: RuleStatus
    /// The series that the last evaluation wrote; those that the next one does not write end.
    var written: [SeriesReference] = []
    /// Whether a label or an annotation of the rule may run queries of its own.
    let runsQueries: Bool

    init(_ rule: RuleGroup.Rule, interval: Duration) {
      status = RuleStatus(rule: rule)
      switch rule {
      case .alert(let rule):
        evaluator = RuleEvaluator(rule, interval: interval)
        runsQueries = (Array(rule.labels.values) + Array(rule.annotations.values))
          .contains { $0.text.contains("query") }
      case .recording(let rule):
        recording = (rule, PreparedQuery(rule.expression))
        runsQueries = false
      }
    }

    /// What makes it the same rule after a reload: kind and name.
    var identity: String {
      switch status.rule {
      case .alert(let rule): "alert/\(rule.name)"
      case .recording(let rule): "record/\(rule.name)"
      }
    }

    /// How `Turn.ruleProblems` names the rule.
    var problemKey: String {
      switch status.rule {
      case .alert(let rule): rule.id
      case .recording(let rule): "record/\(rule.name)"
      }
    }
  }

  var name: String
  var file: String
  var interval: Duration
  var limit: Int
  var queryOffset: Duration
  var members: [Member]
  /// On CLOCK_BOOTTIME; nil is due at once.
  var due: Duration?
  var lastTaken: Duration?
  var lastEvaluation: Timestamp?
  var duration: Duration = .zero
  var missed = 0

  init(_ group: RuleGroup) {
    name = group.name
    file = group.file
    interval = group.interval
    limit = group.limit
    queryOffset = group.queryOffset
    members = group.rules.map { Member($0, interval: group.interval) }
  }

  func isDue(at now: Moment) -> Bool {
    guard let due else { return true }
    return now.boottime >= due
  }

  /// Notes an evaluation and when the next one is due.
  mutating func taken(at now: Moment) {
    if let lastTaken, interval > .zero {
      let passed = (now.boottime - lastTaken).milliseconds / max(interval.milliseconds, 1)
      missed += max(0, Int(passed) - 1)
    }
    lastTaken = now.boottime
    // A little early counts as on time: turns come every interval, give or take a scheduler's whim.
    due = now.boottime + interval - min(interval / 4, .milliseconds(250))
  }

  /// Takes over what the same group remembered before a reload: its rhythm and, rule by rule, the
  /// series that it wrote.
  ///
  /// - Returns: the series of rules that are gone.
  mutating func inherit(_ old: ScheduledGroup) -> [SeriesReference] {
    if old.interval == interval {
      due = old.due
      lastTaken = old.lastTaken
      lastEvaluation = old.lastEvaluation
      duration = old.duration
    }
    missed = old.missed
    var left = old.members
    for index in members.indices {
      guard let match = left.firstIndex(where: { $0.identity == members[index].identity })
      else { continue }
      let known = left.remove(at: match)
      members[index].written = known.written
      members[index].status.health = known.status.health
      members[index].status.lastError = known.status.lastError
      members[index].status.lastEvaluation = known.status.lastEvaluation
      members[index].status.evaluationDuration = known.status.evaluationDuration
    }
    return left.flatMap(\.written)
  }

  var status: RuleGroupStatus {
    RuleGroupStatus(
      name: name, file: file, interval: interval, limit: limit, queryOffset: queryOffset,
      lastEvaluation: lastEvaluation, evaluationDuration: duration, missedEvaluations: missed,
      rules: members.map(\.status))
  }
}
