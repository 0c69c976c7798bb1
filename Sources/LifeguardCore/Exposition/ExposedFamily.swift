/// A metric family with the series of it that are to be written.
public struct ExposedFamily: Sendable {
  public var family: MetricFamily
  public var series: [ExposedSeries]

  public init(family: MetricFamily, series: [ExposedSeries]) {
    self.family = family
    self.series = series
  }
}

/// One line of an exposition: labels, a value and perhaps a time.
public struct ExposedSeries: Sendable {
  /// What follows the family's name: `_bucket`, `_sum`, `_count` of a histogram; usually empty.
  public var suffix: String
  /// Without the metric's name; a `__name__` in them is not written.
  public var labels: Labels
  public var value: Double
  /// Left out for a scrape, which takes its own time; given for a federation.
  public var timestamp: Timestamp?

  public init(
    suffix: String = "", labels: Labels, value: Double, timestamp: Timestamp? = nil
  ) {
    self.suffix = suffix
    self.labels = labels
    self.value = value
    self.timestamp = timestamp
  }
}
