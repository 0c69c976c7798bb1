/// Recorded samples through the agent's own turn: what its rules, guard rails and routes would have
/// decided, before anybody switches them on.
///
/// Nothing is carried out. The operator's ceiling counts as shadow: a plan that is allowed to act
/// "would act", and what the symptom did without it stands beside it. Services have no part in it:
/// samples do not tell how a process looked.
///
/// ```
/// samples in order of time ─▶ append ─▶ advance(to:) ─▶ Turn ─▶ entries, notifications
/// ```
public struct Backtest: Sendable {
  /// A message that would have been sent.
  public struct Notification: Sendable {
    public var at: Timestamp
    public var receiver: String
    public var announcement: Announcement
  }

  /// Every decision, in order of time.
  public private(set) var entries: [TimelineEntry] = []
  public private(set) var notifications: [Notification] = []
  /// Samples that the head refused: out of order, twice, or of more series than it may hold.
  public private(set) var refusedSamples = 0
  public private(set) var samples = 0

  private var turn: Turn
  private let pace: BacktestPace
  private let retention: Duration
  private var now: Timestamp
  private let start: Timestamp
  private var turns = 0

  /// - Parameters:
  ///   - policy: rules, plans, guard rails and routes; its services are left out.
  ///   - interval: of the inline rules.
  ///   - pace: how often the recorded series have samples, which decides what is fresh.
  ///   - start: the time of the first sample.
  public init(
    policy: Policy, inline: [AlertRule], groups: [RuleGroup], interval: Duration,
    evaluationInterval: Duration, pace: BacktestPace, start: Timestamp
  ) {
    var policy = policy
    policy.mode = .shadow
    policy.services = [:]
    self.pace = pace
    self.start = start
    now = start
    turn = Turn(head: Head(seriesMax: .max), monitor: Monitor(policy: policy))
    turn.queryOptions.subqueryStep = evaluationInterval
    turn.queryOptions.lookback = max(turn.queryOptions.lookback, pace.lookback)
    turn.sourceIntervals = pace.intervals
    turn.setRules(inline: inline, groups: groups, interval: interval)
    retention = max(Backtest.reach(of: inline, groups, evaluationInterval), .seconds(600))
    take(turn.handle(.started(StartReport()), at: moment))
  }

  /// As far back as any rule looks, and a little.
  private static func reach(
    of inline: [AlertRule], _ groups: [RuleGroup], _ subqueryStep: Duration
  ) -> Duration {
    let time = Timestamp(milliseconds: 0)
    var options = QueryOptions()
    options.subqueryStep = subqueryStep
    let rules = inline.map { RuleGroup.Rule.alert($0) } + groups.flatMap(\.rules)
    let queries = rules.flatMap { rule -> [Query] in
      switch rule {
      case .alert(let rule): [rule.expression] + (rule.clear.map { [$0] } ?? [])
      case .recording(let rule): [rule.expression]
      }
    }
    let reads = queries.flatMap { $0.reads(from: time, to: time, options: options) }
    return (reads.map { time - $0.after }.max() ?? .zero) + .seconds(60)
  }

  /// The clock of the replay: the wall is the samples', and the host has been up for a day.
  private var moment: Moment {
    Moment(wall: now, boottime: .seconds(86_400) + (now - start), bootID: "backtest")
  }

  /// Takes a sample in; samples come in order of time.
  public mutating func append(_ labels: Labels, _ sample: Sample) {
    do throws(HeadError) {
      let reference = try turn.head.reference(for: labels)
      try turn.head.append(reference, at: sample.timestamp, sample.value)
      samples += 1
    } catch {
      refusedSamples += 1
    }
  }

  /// Takes all turns before `time`; the one at `time` itself waits for the samples of that moment.
  ///
  /// Turns are further apart while nothing is going on.
  public mutating func advance(to time: Timestamp) {
    while true {
      let isCalm =
        turn.monitor.state.tracker.alerts.isEmpty && turn.monitor.state.openIncidents.isEmpty
      let next = now + (isCalm ? max(pace.step, pace.calmStep) : pace.step)
      guard next < time else { return }
      now = next
      take(turn.take(at: moment))
      turns += 1
      if turns % 64 == 0 { turn.head.removeSamples(before: now - retention) }
    }
  }

  private mutating func take(_ effects: [Effect]) {
    for effect in effects {
      switch effect {
      case .record(let entry): entries.append(entry)
      case .notify(let announcement, let receiver):
        notifications.append(
          Notification(at: now, receiver: receiver, announcement: announcement))
      case .run, .prepare, .collectEvidence, .probe, .announce: break
      }
    }
  }

  /// Rules that could not be evaluated at the end, with why.
  public var problems: [String] {
    turn.ruleProblems.map { "\($0.key): \($0.value)" }.sorted()
  }
}
