import LifeguardCore

/// The world's own book: what the agent was told, what it decided, and what was really done.
///
/// The invariants are computed from here alone; nothing in this file asks the core for a verdict.
/// All times are milliseconds of true time since the history began.
struct Ledger {
  /// What the agent knows of one service since its last start.
  struct Known {
    var condition: ServiceCondition?
    var lookedAt = 0
    var changedAt = 0
    /// When the failures in a row were asked for.
    var failedAt: Int?
    var answeredAt: Int?
    var failures = 0
    var frozen = 0
    var onlyTimeouts = true
    var looks = 0
  }

  /// A rung that was really used.
  struct Use {
    var attempt: String
    var incident: Int
    var rule: String
    var plan: String
    var rung: Int
    var step: Step
    var target: Target
    var at: Int
    var moment: Moment
    var isRespawn: Bool
    var endedAt: Int?
    /// Dependants that were well when it began (G8).
    var neighbours: [String] = []
  }

  /// How long a rung rests: the doublings so far, and since when health takes them back (G3).
  struct Rest {
    var doublings = 0
    var healthySince: Moment?
  }

  /// The newest evaluation of one rule that the agent was given.
  struct Told {
    var hasData: Bool
    var verdict: Evaluation.Verdict
    /// When its newest sample was taken; nil without one.
    var sampledAt: Int?
  }

  /// Evidence since the end of an attempt.
  struct Trace {
    var attempt: String?
    var service: String?
    var settle: Int
    var endedAt: Int
    var firstHealthy: Int?
    var lastHealthy: Int?
    /// Any sign of the symptom after its end.
    var isUnhealthySeen = false
    /// Dependants that were well before (G8).
    var neighbours: [String] = []
  }

  struct Grant {
    var rung: Int
    var askedAt: Int
  }

  // What the agent knows; gone when it is killed.
  var known: [String: Known] = [:]
  var told: [String: Told] = [:]
  var looks: [String: Int] = [:]
  var facts = HostFacts()
  var prepared: [String: (at: Int, refused: Bool)] = [:]

  // What must outlive it.
  var isFrozen = false
  var lostAt: Int?
  var lostMoment: Moment?
  var isLost = false
  var uses: [Use] = []
  var usedAttempts: Set<String> = []
  var lastEnd: [Target: Int] = [:]
  /// The last verdict on each service's and rule's own condition, for how an incident may close.
  var lastVerdict: [String: Evaluation.Verdict] = [:]
  /// The alerts of open incidents, and those of them that ended without proof of health.
  var alerts: [Int: Set<Alert.Key>] = [:]
  var unproven: [Int: Set<Alert.Key>] = [:]
  var traces: [Int: Trace] = [:]
  var grants: [Int: Grant] = [:]
  /// When a rung was last verified to have failed, by plan and target, in this pass.
  var failed: [String: [Int: Int]] = [:]
  /// By rule, target and rung (G3).
  var rests: [String: Rest] = [:]
  /// Attempts elsewhere of which nobody knows whether they were carried out (G19).
  var unknown: Set<String> = []
  /// Completed passes since the last recovery, and since when for how long nothing may act (G7):
  /// over a reboot only the wall clock tells the time, jumps included.
  var passes: [String: Int] = [:]
  var breakers: [String: (since: Moment, length: Int)] = [:]
  var stopped: Set<Int> = []
  var acknowledged: Set<Int> = []
  /// Incidents whose step was interrupted, until its outcome is known.
  var unfinished: [Int: String] = [:]
  var paged: Set<Int> = []

  /// The agent was killed: what it only knew is gone.
  mutating func forgetKnowledge() {
    known = [:]
    told = [:]
    looks = [:]
    facts = HostFacts()
    prepared = [:]
  }

  /// The state was lost with it: numbers start again, and so do ladders.
  mutating func forgetState(at time: Int, _ moment: Moment) {
    isFrozen = false
    isLost = true
    lostAt = time
    lostMoment = moment
    usedAttempts = []
    alerts = [:]
    unproven = [:]
    traces = [:]
    grants = [:]
    failed = [:]
    rests = [:]
    unknown = []
    passes = [:]
    breakers = [:]
    stopped = []
    acknowledged = []
    unfinished = [:]
    lastEnd = [:]
  }
}

extension Ledger {
  /// Notes one event on its way to the agent. `sampled` is when its evidence was really taken.
  mutating func note(_ event: Event, sampled: Int, at time: Int, _ policy: Policy) {
    switch event {
    case .observed(let observation):
      var service = known[observation.service] ?? Known()
      if service.condition != observation.condition {
        let isAnother =
          service.condition != nil && service.condition?.identity != observation.condition.identity
        if case .running = observation.condition, !isAnother {
        } else {
          service = service.withoutProbes
        }
        if isAnother { service.answeredAt = nil }
        service.condition = observation.condition
        service.changedAt = time
      }
      if case .unknown = observation.condition {
      } else {
        service.lookedAt = time
        service.looks += 1
      }
      known[observation.service] = service
      noteVerdict(observation.service, policy)
    case .probed(let result):
      note(result, sampled: sampled)
      noteVerdict(result.service, policy)
    case .evaluated(let evaluation):
      guard evaluation.problem == nil else { return }
      let verdict: Evaluation.Verdict =
        evaluation.hasData ? evaluation.elements.first?.verdict ?? .healthy : .noData
      noteLook(
        evaluation.rule, isLook: evaluation.hasData,
        Told(
          hasData: evaluation.hasData, verdict: verdict,
          sampledAt: evaluation.newestInput == nil ? nil : sampled))
    case .host(let facts): self.facts = facts
    case .prepared(let attempt, let preparation):
      prepared[attempt] = (time, !preparation.refusals.isEmpty)
    case .stepFinished(let attempt, let result) where result.status == .unknown:
      noteUnknown(attempt)
    default: break
    }
  }

  /// What there is to be seen of a rule.
  mutating func noteLook(_ rule: String, isLook: Bool, _ seen: Told) {
    told[rule] = seen
    if isLook { looks[rule, default: 0] += 1 }
    lastVerdict[rule] = seen.verdict
  }

  /// What was asked of somebody else may be at work still.
  mutating func noteUnknown(_ attempt: String) {
    switch uses.last(where: { $0.attempt == attempt })?.step {
    case .http, .cloud: unknown.insert(attempt)
    default: break
    }
  }

  private mutating func noteVerdict(_ name: String, _ policy: Policy) {
    guard let service = policy.services[name], let known = known[name] else { return }
    lastVerdict["service/\(name)"] =
      known.fault(service) != nil ? .breached : known.isUp(service) ? .healthy : .noData
  }

  private mutating func note(_ result: ProbeResult, sampled: Int) {
    var service = known[result.service] ?? Known()
    if sampled < service.changedAt { return }
    switch result.outcome {
    case .unknown: return
    case .success:
      service = service.withoutProbes
      service.answeredAt = sampled
    case .timeout:
      service.failures += 1
      service.frozen = result.cpuTicksUsed == 0 ? service.frozen + 1 : 0
      service.failedAt = sampled
    case .refused, .wrongAnswer:
      service.failures += 1
      service.frozen = 0
      service.onlyTimeouts = false
      service.failedAt = sampled
    }
    service.looks += 1
    known[result.service] = service
  }
}

extension Ledger.Known {
  fileprivate var withoutProbes: Ledger.Known {
    var copy = self
    copy.failures = 0
    copy.frozen = 0
    copy.onlyTimeouts = true
    copy.failedAt = nil
    return copy
  }

  func fault(_ service: Service) -> ServiceFault? {
    switch condition {
    case .dead, .restarting: return .crashed
    case .suspended(_, traced: false): return .suspended
    case .running where service.probe != nil:
      if frozen >= 2 { return .hung }
      return failures >= (service.probe?.failures ?? 3) ? .unhealthy : nil
    default: return nil
    }
  }

  /// When the evidence for its fault was taken.
  func evidence(for fault: ServiceFault) -> Int {
    fault == .crashed || fault == .suspended ? lookedAt : failedAt ?? 0
  }

  func isUp(_ service: Service) -> Bool {
    guard case .running = condition else { return false }
    return service.probe == nil || (answeredAt != nil && failures == 0)
  }
}
