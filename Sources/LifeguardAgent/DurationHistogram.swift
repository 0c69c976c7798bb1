import LifeguardCore

/// Counts of durations by size, as a histogram of the Prometheus text format.
struct DurationHistogram: Sendable {
  /// Seconds: from what nobody notices to what a one-second cycle cannot bear.
  static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

  /// Not cumulative; the last one counts what is above every bound.
  private var counts = [UInt64](repeating: 0, count: bounds.count + 1)
  private var sum = 0.0

  mutating func add(_ duration: Duration) {
    let seconds = duration.seconds
    let place = DurationHistogram.bounds.firstIndex { seconds <= $0 }
    counts[place ?? DurationHistogram.bounds.count] += 1
    sum += seconds
  }

  func family(_ name: String, _ help: String) -> ExposedFamily {
    var series: [ExposedSeries] = []
    var total: UInt64 = 0
    let labels = DurationHistogram.bounds.map { "\($0)" } + ["+Inf"]
    for (count, bound) in zip(counts, labels) {
      total += count
      series.append(
        ExposedSeries(suffix: "_bucket", labels: ["le": bound], value: Double(total)))
    }
    series.append(ExposedSeries(suffix: "_sum", labels: Labels(), value: sum))
    series.append(ExposedSeries(suffix: "_count", labels: Labels(), value: Double(total)))
    return ExposedFamily(
      family: MetricFamily(name: name, help: help, type: .histogram, unit: "seconds"),
      series: series)
  }
}
