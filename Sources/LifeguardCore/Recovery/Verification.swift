/// Watches whether the symptom is gone after an attempt, with nothing but evidence newer than it.
///
/// ```
///   action ends        settle          hold without symptom
///  ─────┼───────────────┼────────────────────┼──▶ recovered
///       └──────────────── deadline ──────────────────┼──▶ not recovered, or inconclusive
/// ```
public struct Verification: Hashable, Sendable, Codable {
  /// When the action ended.
  public var actionEnd: Moment
  /// Since when every verdict was healthy.
  public var healthySince: Moment?
  /// Verdicts that said something, and of them those that saw the symptom.
  public var verdicts = 0
  public var breaches = 0
  /// The main process that must stay the same throughout.
  public var identity: ProcessIdentity?
  /// Neighbours that were well when the action started (G8).
  public var healthyNeighbours: [String]

  init(actionEnd: Moment, healthyNeighbours: [String]) {
    self.actionEnd = actionEnd
    self.healthyNeighbours = healthyNeighbours
  }

  /// Samples must be newer than this to count.
  public func evidenceAfter(_ policy: VerificationPolicy) -> Timestamp {
    actionEnd.wall + policy.settle
  }

  /// Folds one verdict in; the outcome when there is one.
  ///
  /// - Parameter evidence: when what it rests on was seen; the hold is measured on it, so that
  ///   looking at the same answer twice proves nothing.
  public mutating func fold(
    _ verdict: Evaluation.Verdict, _ policy: VerificationPolicy, seen evidence: Moment,
    at moment: Moment
  ) -> Attempt.Outcome? {
    let passed = moment.elapsed(since: actionEnd)
    if passed >= policy.settle {
      switch verdict {
      case .healthy:
        verdicts += 1
        let since = healthySince ?? evidence
        healthySince = since
        if evidence.elapsed(since: since) >= policy.hold { return .recovered }
      case .breached, .uncleared:
        verdicts += 1
        breaches += 1
        healthySince = nil
      case .noData:
        healthySince = nil
      }
    }
    // Healthy at the deadline, but not yet for long enough: it may finish its hold.
    guard passed >= policy.deadline, healthySince == nil else { return nil }
    return breaches > 0 ? .notRecovered : .inconclusive
  }
}
