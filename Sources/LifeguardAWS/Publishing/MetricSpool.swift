import LifeguardCore

/// Keeps data while CloudWatch cannot be reached, newest first of all.
///
/// When it is full the oldest data go: what happens now matters more than what happened hours ago.
///
/// ```
/// add ─▶ data ─take─▶ batch ─(an upload, meanwhile more is added)─▶ settle ─▶ gone, or in front
/// ```
public struct MetricSpool: Sendable {
  /// About 1 kB each, so 4 MB at most; of 12 data a minute, five and a half hours.
  public static let countMaxDefault = 4000

  public let countMax: Int
  public private(set) var data: [MetricDatum] = []
  /// Data that were taken out to be uploaded, and of which it is not known what became of them.
  public private(set) var inFlight = 0
  /// Data that were given up.
  public private(set) var dropped = 0

  /// An empty one.
  public init(countMax: Int = MetricSpool.countMaxDefault) { self.countMax = countMax }

  /// Adds data behind those that wait.
  public mutating func add(_ more: [MetricDatum]) {
    data += more
    forgetOldest()
  }

  /// Takes the oldest data out; `settle` says what became of them.
  public mutating func take(_ countMax: Int = CloudWatch.dataMax) -> [MetricDatum] {
    let batch = Array(data.prefix(countMax))
    data.removeFirst(batch.count)
    inFlight += batch.count
    return batch
  }

  /// Notes what became of a batch; what may still succeed waits in front again.
  ///
  /// A request whose answer was lost is not repeated: doubled sums would be believed, a gap is
  /// seen.
  public mutating func settle(_ batch: [MetricDatum], _ upload: MetricUpload) {
    inFlight -= batch.count
    dropped += upload.refused.count
    guard let failure = upload.failure else { return }
    guard failure.mayPass else {
      dropped += upload.remaining.count
      return
    }
    dropped += upload.uncertain
    data = upload.remaining.dropFirst(upload.uncertain) + data
    forgetOldest()
  }

  private mutating func forgetOldest() {
    let excess = data.count - countMax
    guard excess > 0 else { return }
    data.removeFirst(excess)
    dropped += excess
  }
}

extension AWSError {
  /// Whether the same data may be taken later: when the service is back, the clock is right, or
  /// somebody has mended a permission, credentials or a setting. What is wrong in itself never is.
  public var mayPass: Bool {
    switch kind {
    case .throttled, .transient, .timedOut, .unreachable, .expiredCredentials, .cancelled,
      .clockSkew, .badCredentials, .noCredentials, .accessDenied, .configuration, .notFound:
      true
    case .conflict, .conditionFailed, .invalid, .badAnswer, .other: false
    }
  }
}
