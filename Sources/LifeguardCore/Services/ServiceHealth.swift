/// Folds what is seen of one service into a verdict: up, faulty (and how), or unknown.
///
/// This is the safety path: process exits and probe results come here directly and never pass
/// through the query engine.
public struct ServiceHealth: Hashable, Sendable, Codable {
  public private(set) var condition: ServiceCondition?
  /// When `condition` last changed.
  public private(set) var conditionSince: Moment?
  public private(set) var observedAt: Moment?
  /// Probe failures in a row.
  public private(set) var failures = 0
  /// How long each of the last timeouts in a row has waited while no process of the service used
  /// CPU time, the newest last.
  ///
  /// A full accept queue does not count as much: it is what an overload looks like as well.
  private var frozenWaits: [Duration] = []
  /// Whether every failure in a row was a timeout, which under pressure proves nothing (G20).
  public private(set) var onlyTimeouts = true
  public private(set) var lastFailure: String?
  /// When the newest probe that said something was sent, and the newest that was answered well.
  public private(set) var lastProbe: Moment?
  public private(set) var lastSuccess: Moment?

  public init() {}

  /// Takes one look in; false when it showed nothing.
  @discardableResult
  public mutating func observe(_ observation: ServiceObservation, at moment: Moment) -> Bool {
    if condition != observation.condition {
      // What another process answered says nothing about this one.
      let isAnother = condition != nil && condition?.identity != observation.condition.identity
      if isAnother { lastSuccess = nil }
      condition = observation.condition
      conditionSince = moment
      if case .running = observation.condition, !isAnother {} else { resetProbe() }
    }
    if case .unknown = observation.condition { return false }
    observedAt = moment
    return true
  }

  /// Takes one answer in; false when it showed nothing.
  @discardableResult
  public mutating func probed(_ result: ProbeResult, at moment: Moment) -> Bool {
    // A probe that was sent before the process changed speaks of the process before.
    if let since = conditionSince, result.started.bootID == since.bootID,
      result.started.boottime < since.boottime
    {
      return false
    }
    switch result.outcome {
    case .success:
      resetProbe()
      lastSuccess = result.started
    case .unknown:
      return false
    case .timeout:
      failures += 1
      if result.cpuTicksUsed == 0 {
        frozenWaits = frozenWaits.suffix(ServiceHealth.waitsMax - 1) + [result.duration]
      } else {
        frozenWaits = []
      }
      lastFailure = "no answer within \(result.duration.text)"
    case .refused(let reason), .wrongAnswer(let reason):
      failures += 1
      frozenWaits = []
      onlyTimeouts = false
      lastFailure = reason
    }
    lastProbe = result.started
    return true
  }

  private mutating func resetProbe() {
    failures = 0
    frozenWaits = []
    onlyTimeouts = true
    lastFailure = nil
  }

  private static let waitsMax = 100

  /// Timeouts in a row during which no process of the service used CPU time.
  public var frozenTimeouts: Int { frozenWaits.count }

  /// How many of them at least waited as long as this.
  public func frozenTimeouts(waitingAtLeast patience: Duration) -> Int {
    frozenWaits.count { $0 >= patience }
  }

  /// What is wrong now; nil when nothing is, or when nobody can tell.
  ///
  /// Two timeouts in a row of processes that used no CPU time in between are a hang; anything
  /// slower to prove takes `probe.failures` failures.
  public func fault(of service: Service) -> ServiceFault? {
    switch condition {
    case .dead, .restarting: return .crashed
    case .suspended(_, let traced): return traced ? nil : .suspended
    case .stoppedByOperator, .changing, .unknown, nil: return nil
    case .running:
      guard let probe = service.probe else { return nil }
      if frozenTimeouts >= 2 { return .hung }
      return failures >= probe.failures ? .unhealthy : nil
    }
  }

  /// Whether it is known to be up: running, and its last probe answered.
  public func isUp(_ service: Service) -> Bool {
    guard case .running = condition else { return false }
    return service.probe == nil || (lastSuccess != nil && failures == 0)
  }

  /// Whether another action should wait to see more: one failed probe, or a look that failed.
  public func isDoubtful(_ service: Service) -> Bool { !isUp(service) && fault(of: service) == nil }

  /// Whether the fault rests on nothing but slow answers (G20).
  public func restsOnTimeoutsOnly(_ fault: ServiceFault) -> Bool {
    fault == .unhealthy && onlyTimeouts
  }

  /// When the evidence for this fault, or without one for its health, was taken: an old answer is
  /// not made newer by a look at the process table.
  public func evidenceAt(_ fault: ServiceFault?, of service: Service) -> Moment? {
    switch fault {
    case .crashed, .suspended: observedAt
    case .hung, .unhealthy: lastProbe
    case nil:
      if case .running = condition, service.probe != nil { lastSuccess } else { observedAt }
    }
  }

  /// What was seen, in one clause.
  public func sentence(_ fault: ServiceFault) -> String {
    switch (fault, condition) {
    case (.crashed, .dead(let how)), (.crashed, .restarting(let how)): how
    case (.suspended, _): "its process is stopped (state T)"
    case (.hung, _):
      "it does not answer (\(lastFailure ?? "timeout")) and its processes use no CPU time"
    default: "\(failures) probes in a row failed: \(lastFailure ?? "no reason given")"
    }
  }
}
