/// How much an agent hands to CloudWatch, in what CloudWatch bills by.
public struct CloudUse: Hashable, Sendable, Codable {
  /// Metrics of this host, each counted once whatever dimensions it is kept under.
  public var metrics: Int
  /// Sets of dimensions that every metric is kept under; each makes it a metric of its own.
  public var dimensionSets: Int
  /// The length of one datum, and of what one request holds, in seconds.
  public var resolutionSeconds: Double
  public var sendEverySeconds: Double
  /// A log line in bytes and how often one is written; nil without a log.
  public var lineBytes: Int?
  public var lineEverySeconds: Double?

  public init(
    metrics: Int, dimensionSets: Int, resolution: Duration = .seconds(60),
    sendEvery: Duration = .seconds(60), lineBytes: Int? = nil, lineEvery: Duration? = nil
  ) {
    self.metrics = metrics
    self.dimensionSets = dimensionSets
    resolutionSeconds = max(resolution.seconds, 1)
    sendEverySeconds = max(sendEvery.seconds, 1)
    self.lineBytes = lineBytes
    lineEverySeconds = lineEvery.map { max($0.seconds, 1) }
  }
}
