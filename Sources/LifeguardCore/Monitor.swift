/// Decides. Events go in, effects come out; it never waits, reads no clock, and touches nothing.
///
/// ```
///  event ─▶ note the clock ─▶ take it in ─▶ alerts ─▶ incidents ─▶ verify ─▶ decide ─▶ effects
///                                                                    ▲          │
///                                       guard rails, in order ───────┴──────────┘
/// ```
///
/// The agent, the Lambda function, `backtest`, the shadow mode, recovery after a crash and the
/// simulation run this code and no other. Its state is `state`; an agent writes that down before
/// it carries out the effects that came with it.
public struct Monitor: Sendable {
  public internal(set) var policy: Policy
  public internal(set) var state: MonitorState
  /// Grows whenever something changed that must survive a crash.
  public internal(set) var revision = 0

  // What is seen afresh after every start.
  public internal(set) var health: [String: ServiceHealth] = [:]
  public internal(set) var facts = HostFacts()
  var evaluations: [String: Int] = [:]
  var isStarted = false
  var problemSummaries: [String: String] = [:]
  /// Rules of which more label sets are, or were lately, breached than there is room for.
  var crowdedRules: Set<String> = []
  /// Runs the queries of templates; set only while the evaluation of a rule is handled.
  var templateQuery: (@Sendable (String) throws(TemplateError) -> [TemplateSample])?
  let guards: [Guard]
  var effects: [Effect] = []
  var sayings: [Saying] = []

  /// - Parameter guards: the guard rails that every decision passes, in order.
  public init(
    policy: Policy, state: MonitorState = MonitorState(), guards: [Guard] = Guard.standard
  ) {
    self.policy = policy
    self.state = state
    self.guards = guards
  }

  /// The whole pipeline.
  public mutating func handle(_ event: Event, at now: Moment) -> [Effect] {
    effects = []
    noteClock(now)
    let changes = take(event, at: now)
    for change in changes { apply(change, at: now) }
    if !changes.isEmpty || !event.isEvaluation {
      for id in state.openIncidents.map(\.id) { advance(id, at: now) }
    }
    if case .tick = event { tidy(at: now) }
    say(at: now)
    return effects
  }

  /// What an event means for the alerts; everything else that it says is noted on the way.
  private mutating func take(_ event: Event, at now: Moment) -> [AlertTracker.Change] {
    switch event {
    case .started(let report):
      return start(report, at: now)
    case .evaluated(let evaluation):
      return fold(evaluation, at: now)
    case .observed(let observation):
      return observe(observation, at: now)
    case .probed(let result):
      return probed(result, at: now)
    case .host(let facts):
      note(facts, at: now)
      return []
    case .problem(let problem):
      return fold(problem, at: now)
    case .verified(let attempt, let verdict):
      verified(attempt, verdict, at: now)
      return []
    case .prepared(let attempt, let preparation):
      prepared(attempt, preparation, at: now)
      return []
    case .stepFinished(let attempt, let result):
      finished(attempt, result, at: now)
      return []
    case .evidenceCollected(let incident, let summary):
      noteEvidence(incident, summary, at: now)
      return []
    case .command(let command):
      obey(command, at: now)
      return []
    case .tick:
      return []
    }
  }

  /// Something changed that must survive a crash.
  mutating func touch() { revision += 1 }

  mutating func record(
    _ kind: TimelineEntry.Kind, incident: Int?, code: String, _ sentence: String, at now: Moment
  ) {
    touch()
    effects.append(
      .record(TimelineEntry(incident: incident, at: now, kind: kind, code: code, sentence)))
  }

  /// The operator's new policy; alerts of rules that are gone end, incidents go on.
  public mutating func replacePolicy(_ policy: Policy, at now: Moment) -> [Effect] {
    effects = []
    let services = Set(policy.services.values.map(Monitor.ruleID))
    let gone = Set(state.tracker.alerts.keys.map(\.rule)).filter {
      policy.rules[$0] == nil && !services.contains($0) && !$0.hasPrefix(Monitor.problemPrefix)
    }
    touch()
    self.policy = policy
    for rule in gone.sorted() {
      let changes = state.tracker.removeRule(rule) + forgetCrowd(of: rule)
      for change in changes { apply(change, at: now) }
    }
    for id in state.openIncidents.map(\.id) { advance(id, at: now) }
    say(at: now)
    return effects
  }
}

extension Event {
  /// Evaluations come by the hundred each second; only those that change something matter.
  fileprivate var isEvaluation: Bool {
    switch self {
    case .evaluated: true
    case .started, .observed, .probed, .host, .prepared, .stepFinished, .evidenceCollected,
      .problem, .command, .tick, .verified:
      false
    }
  }
}
