import LifeguardCore

/// A series that has a value for the first time, or again after it had ended.
public struct StartedSeries: Hashable, Sendable {
  /// Its index in `CollectedBatch.values` from now on.
  public var slot: Int
  public var family: MetricFamily
  /// Labels beyond the name; `job` and `instance` are the receiver's to add.
  public var labels: Labels
}

/// What one collector found at one time.
///
/// The receiver keeps an array of references for each collector, indexed by slot. It takes
/// `started` first (resolve labels to a reference, once), then appends `values[slot]` for every
/// slot that has a reference, then drops the references of `ended`, whose value in this batch is
/// the staleness marker. Nothing needs to be looked up in the steady state.
public struct CollectedBatch: Sendable {
  /// The collector's name: `cpu`, `filesystem`.
  public var collector: String
  /// When the collection began; all collectors of one tick share one time.
  public var takenAt: Timestamp
  /// How long the collection took.
  public var duration: Duration
  /// How long until the next one; a value is good for twice that.
  public var interval: Duration
  public var started: [StartedSeries]
  /// The value of each slot; the staleness marker for a slot that has none.
  public var values: ContiguousArray<Double>
  /// Slots whose series ends with this batch.
  public var ended: [Int]
  /// Why there are no values, when the collection failed.
  public var failure: CollectorError?
  /// Since how many attempts the collector has been hanging; 0 when it is well.
  public var hangs: Int

  public init(
    collector: String, takenAt: Timestamp, duration: Duration, interval: Duration,
    started: [StartedSeries] = [], values: ContiguousArray<Double> = [], ended: [Int] = [],
    failure: CollectorError? = nil, hangs: Int = 0
  ) {
    self.collector = collector
    self.takenAt = takenAt
    self.duration = duration
    self.interval = interval
    self.started = started
    self.values = values
    self.ended = ended
    self.failure = failure
    self.hangs = hangs
  }

  /// Whether the collector hangs and is left alone for a while.
  public var isQuarantined: Bool { hangs > 0 }
}
