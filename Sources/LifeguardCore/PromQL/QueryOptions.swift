/// The limits and defaults of an evaluation; the defaults are Prometheus'.
public struct QueryOptions: Sendable {
  /// How long a sample stands for its series when no newer one has come.
  public var lookback: Duration
  /// No more samples than this are held at once (16 bytes each).
  public var samplesMax: Int
  /// No more points than this for one series of a range query.
  public var pointsMax: Int
  /// The step of subqueries that name none.
  public var subqueryStep: Duration
  /// Asked between series; an answer stops the evaluation.
  public var interruption: (@Sendable () -> QueryInterruption?)?

  public init(
    lookback: Duration = .seconds(300), samplesMax: Int = 50_000_000, pointsMax: Int = 11_000,
    subqueryStep: Duration = .seconds(60),
    interruption: (@Sendable () -> QueryInterruption?)? = nil
  ) {
    self.lookback = lookback
    self.samplesMax = samplesMax
    self.pointsMax = pointsMax
    self.subqueryStep = subqueryStep
    self.interruption = interruption
  }
}
