import LifeguardCore

/// A host with services, metrics, an operator, and an agent that may be killed at any point.
final class World {
  struct Running {
    var request: StepRequest
    var endsAt: Int
    var works: Bool
    var status: StepResult.Status
    var isReported: Bool
    /// Of an agent that is gone.
    var isOrphan = false
  }

  enum Due {
    case stepEnds(String)
    case deliver(Event, sampled: Int)
    case probe(String)
    case kept(String)
    case dies(String)
    case agentStarts(lost: Bool)
  }

  struct Metric {
    var isHigh = false
    /// The first rung that helps; 9 for none.
    var cure = 0
    var quality = Quality.good
    enum Quality { case good, absent, late, notANumber, broken }
  }

  let seed: UInt64
  let scenario: Scenario
  let mutant: Mutant?
  var random: SplitMix64
  /// Dice of their own: a history without a notice is what it would be if there were none.
  var noticeRandom: SplitMix64
  var ledger = Ledger()
  var statistics = Statistics()
  /// Filled when a history is told again.
  var story: [String]?

  // Time.
  var time = 0
  var bootedAt: Int
  var boots = 1
  var wallOffset = 0 {
    didSet { offsets.append((time, wallOffset)) }
  }
  private var offsets = [(at: -1_000_000, offset: 0)]

  // The host.
  var services: [String: SimulatedService] = [:]
  var metrics: [String: Metric] = [:]
  var facts = HostFacts()
  var pending: [(at: Int, what: Due)] = []
  var running: [String: Running] = [:]
  var isCalm = false

  // The agent.
  var turn: Turn
  var monitor: Monitor { turn.monitor }
  /// Whether the agent gets samples and takes whole turns, instead of being told the verdicts.
  let takesTurns: Bool
  var taken = TakenSamples()
  /// When rules were last due, for the book.
  var lastLook: Int?
  var persisted: MonitorState
  var oldSnapshots: [MonitorState] = []
  var persistedRevision = 0
  var isAlive = false
  var killPoint: KillPoint?
  var handled = 0
  /// A hash over everything that was asked for.
  var fingerprint: UInt64 = 0xcbf2_9ce4_8422_2325

  enum KillPoint {
    case beforePersist, afterPersist
    case afterEffects(Int)
  }

  init(seed: UInt64, mutant: Mutant? = nil, tellsStory: Bool = false) throws {
    self.seed = seed
    self.mutant = mutant
    scenario = try Scenario(seed: seed)
    random = SplitMix64(seed: seed)
    noticeRandom = SplitMix64(seed: seed ^ 0xD2A1)
    bootedAt = scenario.isJustBooted ? 0 : -600_000
    persisted = MonitorState()
    turn = World.turn(scenario, MonitorState(), mutant)
    takesTurns = mutant?.isOfTurns ?? (seed % 3 == 0)
    story = tellsStory ? [] : nil
    for name in scenario.serviceNames { services[name] = SimulatedService() }
    for rule in scenario.rules { metrics[rule.rule.id] = Metric() }
  }

  /// An agent with this state, and without samples.
  static func turn(_ scenario: Scenario, _ state: MonitorState, _ mutant: Mutant?) -> Turn {
    let monitor = Monitor(
      policy: mutant?.policy(scenario.policy) ?? scenario.policy, state: state,
      guards: mutant?.guards ?? Guard.standard)
    var turn = Turn(head: Head(), monitor: monitor)
    turn.setRules(inline: scenario.rules.map(\.rule), groups: [], interval: .seconds(1))
    return turn
  }

  var now: Moment { moment(at: time) }

  func moment(at time: Int) -> Moment {
    Moment(
      wall: wall(at: time), boottime: .milliseconds(time - bootedAt), bootID: "boot-\(boots)")
  }

  /// What the wall clock showed.
  func wall(at time: Int) -> Timestamp {
    let offset = offsets.last { $0.at <= time }?.offset ?? 0
    return Timestamp(milliseconds: 1_790_000_000_000 + Int64(time + offset))
  }

  func tell(_ line: @autoclosure () -> String) {
    guard story != nil else { return }
    story?.append("\(Double(time) / 1000)s \(line())")
  }

  func schedule(_ what: Due, in delay: Int) {
    pending.append((time + delay, what))
  }

  /// Lets the world live until `limit` events were handled, then calms down and must heal.
  func run(events limit: Int, healing: Bool) throws {
    try startAgent(lost: false)
    while handled < limit {
      try turn(after: random.pick([200, 500, 1000, 1000, 1000, 1000, 2000, 3000]))
      if random.chance(8) { try turn(after: 10_000 + random.below(50_000)) }
    }
    if healing { try heal() }
    try checkState()
    statistics.count("histories")
    statistics.count("events", handled)
    statistics.count("simulated seconds", time / 1000)
  }

  /// One turn of the world and of the agent.
  func turn(after delay: Int) throws {
    let end = time + delay
    while let next = pending.indices.filter({ pending[$0].at <= end }).min(by: {
      pending[$0].at < pending[$1].at
    }) {
      let (at, what) = pending.remove(at: next)
      time = max(time, at)
      try happen(what)
    }
    time = end
    if !isCalm { try disturb() }
    guard isAlive else { return }
    try look()
  }

  private func happen(_ what: Due) throws {
    switch what {
    case .deliver(let event, let sampled): try deliver(event, sampled: sampled)
    case .stepEnds(let attempt): try endStep(attempt)
    case .probe(let name): try probe(name, isLate: false)
    case .kept(let name):
      if case .restarting = services[name]?.state { services[name]?.start() }
      try observe(name)
    case .dies(let name):
      if services[name]?.state == .up { try crash(name, "died again") }
    case .agentStarts(let lost): try startAgent(lost: lost)
    }
  }

  /// What the agent's sources see this turn; some of it is lost.
  private func look() throws {
    try deliver(.host(facts), sampled: time)
    for name in scenario.serviceNames where isCalm || random.chance(850) {
      if !isCalm, random.chance(20) {
        statistics.count("look failed")
        try deliver(
          .observed(ServiceObservation(service: name, condition: .unknown("no answer"))),
          sampled: time)
      } else {
        try observe(name)
      }
    }
    for name in scenario.serviceNames where scenario.policy.services[name]?.probe != nil {
      if isCalm || random.chance(850) { try probe(name, isLate: !isCalm && random.chance(30)) }
    }
    if takesTurns { return try takeTurn() }
    for rule in scenario.rules where isCalm || random.chance(900) { try evaluate(rule.rule) }
    for query in monitor.verificationQueries { try verify(query) }
    try deliver(.tick, sampled: time)
  }

  func observe(_ name: String) throws {
    guard let service = services[name] else { return }
    let event = Event.observed(ServiceObservation(service: name, condition: service.condition))
    let isNeighbour = scenario.policy.services[name]?.dependsOn.isEmpty == false
    if mutant == .neighboursNotWatched, isNeighbour, !ledger.traces.isEmpty {
      let nothing = ServiceObservation(service: name, condition: .unknown("not looked at"))
      return try deliver(.observed(nothing), sampled: time, truth: event)
    }
    try deliver(event, sampled: time)
  }

  /// One probe: its answer comes after a while, or at once.
  func probe(_ name: String, isLate: Bool) throws {
    guard let service = services[name], case .running = service.condition else { return }
    let outcome: ProbeResult.Outcome
    var ticks: UInt64? = 7
    var length = 20
    if random.chance(isCalm ? 0 : 15) {
      outcome = .unknown("cannot fork")
    } else {
      switch service.state {
      case .hung:
        outcome = .timeout
        ticks = 0
        length = 1000
      case .ill: outcome = .wrongAnswer("status 500")
      case .up where service.isSlow:
        outcome = .timeout
        length = 1000
      case .up where !isCalm && random.chance(20):
        statistics.count("contradictory probe")
        outcome = .refused("connection refused")
      default: outcome = .success
      }
    }
    if isLate { length += random.below(6000) }
    let started = time - (isLate ? 0 : min(length, 20))
    let result = ProbeResult(
      service: name, outcome: outcome, started: moment(at: started),
      duration: .milliseconds(length), cpuTicksUsed: ticks)
    if isLate {
      statistics.count("late probe")
      schedule(.deliver(.probed(result), sampled: started), in: length)
    } else {
      try deliver(.probed(result), sampled: started)
    }
  }

  private func evaluate(_ rule: AlertRule) throws {
    guard let metric = metrics[rule.id] else { return }
    let lag: Int
    switch metric.quality {
    case .late: lag = 6000 + random.below(9000)
    default: lag = random.below(900)
    }
    var value = metric.isHigh ? 95.0 : 20
    var verdict: Evaluation.Verdict = metric.isHigh ? .breached : .healthy
    if metric.quality == .notANumber {
      value = .nan
      verdict = .healthy
    }
    if !metric.isHigh, rule.clear != nil, !isCalm, random.chance(100) { verdict = .uncleared }
    let input = wall(at: time - lag)
    var evaluation = Evaluation(rule: rule.id, newestInput: input)
    switch metric.quality {
    case .absent:
      evaluation.hasData = false
      evaluation.newestInput = nil
    case .late where input > wall(at: time), .good where input > wall(at: time):
      // Samples from what is now the future are not seen.
      evaluation.hasData = false
      evaluation.newestInput = nil
    case .broken: evaluation.problem = "no such function"
    case .notANumber: break
    case .good, .late:
      if metric.isHigh || verdict == .uncleared || random.chance(500) {
        evaluation.elements = [
          Evaluation.Element(labels: [:], value: value, verdict: verdict, newestInput: input)
        ]
      }
    }
    if mutant == .absenceTakenForHealth, !evaluation.hasData {
      evaluation.hasData = true
      evaluation.newestInput = wall(at: time)
      var truth = evaluation
      truth.hasData = false
      try deliver(.evaluated(evaluation), sampled: time, truth: .evaluated(truth))
      return
    }
    try deliver(.evaluated(evaluation), sampled: time - lag)
  }

  /// What somebody with samples finds for a verification.
  private func verify(_ query: Monitor.VerificationQuery) throws {
    let incident = Int(query.attempt.split(separator: "/").first ?? "") ?? 0
    guard let ladder = monitor.state.incidents[incident]?.ladder,
      let metric = metrics[ladder.alert.rule], metric.quality != .broken
    else { return }
    let lag = metric.quality == .late ? 6000 : random.below(900)
    let sampled = time - lag
    let isSeen = wall(at: sampled) > query.after && wall(at: sampled) <= wall(at: time)
    let isNewEnough = isSeen || mutant == .verifiedWithOldSamples
    let hasData = metric.quality != .absent && metric.quality != .notANumber && isNewEnough
    let verdict: Evaluation.Verdict = hasData ? (metric.isHigh ? .breached : .healthy) : .noData
    try deliver(.verified(attempt: query.attempt, verdict), sampled: sampled)
  }
}
