import LifeguardCore

/// Folds values that come every second into one datum a minute for each metric.
///
/// CloudWatch bills by metric and by request: 60 values in a statistic set cost what one does, and
/// keep average, sum, minimum, maximum and number.
public struct MetricAggregator: Sendable {
  private struct Key: Hashable {
    var name: String
    var dimensions: [MetricDimension]
  }

  private struct Entry {
    var unit: String?
    var values = StatisticSet()
  }

  /// The length of a period: a minute, or a second for metrics in high resolution.
  public let period: Duration
  /// Metrics in one period; values of more are counted in `dropped`.
  public let metricsMax: Int
  /// Periods that wait to be taken; older ones are given up and counted.
  public static let periodsMax = 120

  /// Values that found no place.
  public private(set) var dropped = 0
  private var periods: [Int64: [Key: Entry]] = [:]

  /// An empty one.
  ///
  /// - Parameter period: whole seconds, at least one.
  public init(period: Duration = .seconds(60), metricsMax: Int = 1000) {
    self.period = max(period, .seconds(1))
    self.metricsMax = metricsMax
  }

  /// Takes a value in; one that is no finite number is dropped.
  public mutating func add(
    _ name: String, _ value: Double, unit: String? = nil, dimensions: [MetricDimension] = [],
    at time: Timestamp
  ) {
    guard value.isFinite else {
      dropped += 1
      return
    }
    let start = start(of: time)
    let key = Key(name: name, dimensions: dimensions)
    var entries = periods.removeValue(forKey: start) ?? [:]
    defer { periods[start] = entries }
    guard entries[key] != nil || entries.count < metricsMax else {
      dropped += 1
      return
    }
    entries[key, default: Entry(unit: unit)].values.add(value)
    forgetOldest()
  }

  /// The data of every period that ended before `now`, oldest first; they are taken out.
  ///
  /// A value that comes late opens its period again: CloudWatch adds the second set to the first.
  public mutating func take(endedBefore now: Timestamp) -> [MetricDatum] {
    let current = start(of: now)
    var data: [MetricDatum] = []
    for start in periods.keys.sorted() where start < current {
      guard let entries = periods.removeValue(forKey: start) else { continue }
      for (key, entry) in entries {
        data.append(
          MetricDatum(
            key.name, Self.value(entry.values), at: Timestamp(milliseconds: start),
            dimensions: key.dimensions, unit: entry.unit,
            isHighResolution: period < .seconds(60)))
      }
    }
    // A fixed order, so that equal inputs give equal requests.
    return data.sorted {
      ($0.timestamp.milliseconds, $0.name, "\($0.dimensions)")
        < ($1.timestamp.milliseconds, $1.name, "\($1.dimensions)")
    }
  }

  /// Every period, the current one included: when there will be no later chance.
  public mutating func takeAll() -> [MetricDatum] {
    take(endedBefore: Timestamp(milliseconds: .max))
  }

  private static func value(_ set: StatisticSet) -> MetricDatum.Value {
    set.count == 1 ? .single(set.sum) : .statistics(set)
  }

  private func start(of time: Timestamp) -> Int64 {
    let length = period.milliseconds
    let (quotient, remainder) = time.milliseconds.quotientAndRemainder(dividingBy: length)
    return (remainder < 0 ? quotient - 1 : quotient) * length
  }

  private mutating func forgetOldest() {
    while periods.count >= Self.periodsMax, let oldest = periods.keys.min() {
      dropped += periods.removeValue(forKey: oldest)?.count ?? 0
    }
  }
}
