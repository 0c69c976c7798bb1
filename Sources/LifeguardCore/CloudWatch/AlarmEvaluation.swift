/// Amazon CloudWatch's alarm evaluation: M breaching points of N, and what missing ones count as.
///
/// A pure function of the points of the evaluation range. Rules of ours use it where they stand in
/// for a CloudWatch alarm, and `backtest` to say what an alarm would have done.
///
/// Source: Amazon CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data";
/// its tables are the tests.
public struct AlarmEvaluation: Hashable, Sendable {
  /// What a missing point counts as, by the alarm's setting.
  public enum MissingData: String, Hashable, Sendable, Codable, CaseIterable {
    /// Says nothing; with no data at all the alarm has insufficient data.
    case missing
    /// The alarm stays as it is while there are too few points.
    case ignore
    case breaching
    case notBreaching
  }

  /// One period of the evaluation range.
  public enum Point: Hashable, Sendable {
    case breaching
    case healthy
    case missing
  }

  /// What the evaluation says; `retain` keeps whatever state the alarm has.
  public enum Verdict: String, Hashable, Sendable, Codable {
    case alarm = "ALARM"
    case ok = "OK"
    case insufficientData = "INSUFFICIENT_DATA"
    case retain = "RETAIN"
  }

  /// N: how many points are looked at.
  public var evaluationPeriods: Int
  /// M: how many of them must breach.
  public var datapointsToAlarm: Int
  public var missingData: MissingData

  /// - Precondition: 1 ≤ `datapointsToAlarm` ≤ `evaluationPeriods`.
  public init(
    evaluationPeriods: Int, datapointsToAlarm: Int, missingData: MissingData = .missing
  ) {
    precondition(1 <= datapointsToAlarm && datapointsToAlarm <= evaluationPeriods)
    self.evaluationPeriods = evaluationPeriods
    self.datapointsToAlarm = datapointsToAlarm
    self.missingData = missingData
  }

  /// - Parameter points: the evaluation range, oldest first. It is longer than N, because
  ///   CloudWatch looks further back for points that arrived.
  public func verdict(over points: [Point]) -> Verdict {
    let real = points.filter { $0 != .missing }
    guard !real.isEmpty else { return withoutData }
    let breaches = real.suffix(evaluationPeriods).count { $0 == .breaching }
    if real.count >= evaluationPeriods {
      // Enough arrived: what a missing point counts as does not matter.
      return breaches >= datapointsToAlarm ? .alarm : .ok
    }
    switch missingData {
    case .breaching:
      let filled = evaluationPeriods - real.count
      return breaches + filled >= datapointsToAlarm ? .alarm : .ok
    case .notBreaching:
      return breaches >= datapointsToAlarm ? .alarm : .ok
    case .missing, .ignore:
      if breaches >= datapointsToAlarm { return .alarm }
      return real.contains(.healthy) ? .ok : premature(points)
    }
  }

  private var withoutData: Verdict {
    switch missingData {
    case .missing: .insufficientData
    case .ignore: .retain
    case .breaching: .alarm
    case .notBreaching: .ok
    }
  }

  /// Every point that arrived breaches, but there are fewer than M: an alarm only once the oldest
  /// of them is M periods old, so that one late point does not ring before its neighbours can.
  private func premature(_ points: [Point]) -> Verdict {
    let oldest = points.firstIndex(of: .breaching) ?? points.count
    guard points.count - oldest >= datapointsToAlarm, missingData == .missing else {
      return .retain
    }
    return .alarm
  }
}
