import LifeguardCore

/// Keeps data while CloudWatch cannot be reached, newest first of all.
///
/// When it is full the oldest data go: what happens now matters more than what happened hours ago.
public struct MetricSpool: Sendable {
  /// About 1 kB each: 20,000 are at most 20 MB and, of 40 metrics a minute, eight hours.
  public static let countMaxDefault = 20_000

  public let countMax: Int
  public private(set) var data: [MetricDatum] = []
  /// Data that were given up.
  public private(set) var dropped = 0

  /// An empty one.
  public init(countMax: Int = MetricSpool.countMaxDefault) { self.countMax = countMax }

  /// Adds data behind those that wait.
  public mutating func add(_ more: [MetricDatum]) {
    data += more
    let excess = data.count - countMax
    if excess > 0 {
      data.removeFirst(excess)
      dropped += excess
    }
  }

  /// Uploads what waits.
  ///
  /// A request whose answer was lost is not repeated: doubled sums would be believed, a gap is
  /// seen.
  ///
  /// - Returns: the failure that ended the upload, if one did.
  public mutating func upload(
    to cloudWatch: CloudWatch, namespace: String
  ) async -> AWSError? {
    let waiting = data
    data = []
    let upload = await cloudWatch.putMetricData(namespace: namespace, waiting)
    dropped += upload.refused.count
    guard let failure = upload.failure else { return nil }
    // What can never succeed must not be tried for ever.
    guard failure.isRetryable || failure.kind == .noCredentials || failure.kind == .accessDenied
    else {
      dropped += upload.remaining.count
      return failure
    }
    dropped += upload.uncertain
    data = Array(upload.remaining.dropFirst(upload.uncertain))
    return failure
  }
}
