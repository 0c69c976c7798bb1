import LifeguardCore

/// The samples of one moment, as the collector hands them over once a second.
public struct SampleRow: Sendable {
  public var timestamp: Timestamp
  /// The caller's own numbers of series, one for each of `values`.
  public var series: [Int]
  public var values: [Double]
  /// The labels behind numbers that no earlier row has used; a number keeps its meaning.
  public var introduced: [(series: Int, labels: Labels)]
  /// Numbers that will not be used again.
  public var ended: [Int]

  public init(
    timestamp: Timestamp, series: [Int], values: [Double],
    introduced: [(series: Int, labels: Labels)] = [], ended: [Int] = []
  ) {
    precondition(series.count == values.count, "each value needs its series")
    self.timestamp = timestamp
    self.series = series
    self.values = values
    self.introduced = introduced
    self.ended = ended
  }
}

/// The samples of one series, oldest first.
public struct StoredSeries: Sendable {
  public var labels: Labels
  public var samples: [Sample]
  /// Whether it was written from elsewhere.
  public var isRemote = false

  public init(labels: Labels, samples: [Sample], isRemote: Bool = false) {
    self.labels = labels
    self.samples = samples
    self.isRemote = isRemote
  }
}
