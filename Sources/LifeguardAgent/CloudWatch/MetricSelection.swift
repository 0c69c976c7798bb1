import LifeguardConfiguration
import LifeguardCore

/// Picks what is published out of all samples, and folds series of one name into one value.
///
/// ```
/// DiskUtilization{mountpoint="/"} 40 ─┐
/// DiskUtilization{mountpoint="/var"} 91 ─┴─ fold max ─▶ DiskUtilization 91
/// ```
struct MetricSelection: Sendable {
  /// One metric, and the values of the labels that keep its series apart.
  struct Key: Hashable, Sendable {
    var metric: Int
    var group: [String]
  }

  struct Value: Hashable, Sendable {
    var key: Key
    var time: Timestamp
    var value: Double
  }

  /// What is known of a series by its place in the head.
  private struct Known {
    var epoch: UInt32
    /// Most series are not published.
    var keys: [Key] = []
  }

  private struct Spot: Hashable {
    var key: Key
    var time: Int64
  }

  let metrics: [CloudMetric]
  private let bySeries: [String: [Int]]
  private var known: [Known] = []

  init(_ metrics: [CloudMetric]) {
    self.metrics = metrics
    var bySeries: [String: [Int]] = [:]
    for (index, metric) in metrics.enumerated() { bySeries[metric.series, default: []] += [index] }
    self.bySeries = bySeries
  }

  /// The values of the metrics in these samples, one for each metric, group and time.
  ///
  /// - Parameter describe: the labels of a series, and whether it comes from elsewhere; asked once
  ///   for each series.
  mutating func fold(
    _ entries: [JournalEntry], describe: (SeriesReference) -> (labels: Labels, isRemote: Bool)
  ) -> [Value] {
    var folded: [Spot: Double] = [:]
    for entry in entries {
      let slot = Int(entry.reference.slot)
      if slot >= known.count {
        known += Array(repeating: Known(epoch: 0), count: slot + 1 - known.count)
      }
      if known[slot].epoch != entry.reference.epoch {
        let (labels, isRemote) = describe(entry.reference)
        known[slot] = Known(
          epoch: entry.reference.epoch, keys: keys(of: labels, isRemote: isRemote))
      }
      guard entry.sample.value.isFinite else { continue }
      for key in known[slot].keys {
        let spot = Spot(key: key, time: entry.sample.timestamp.milliseconds)
        guard let other = folded[spot] else {
          folded[spot] = entry.sample.value
          continue
        }
        switch metrics[key.metric].fold {
        case .max: folded[spot] = max(other, entry.sample.value)
        case .sum: folded[spot] = other + entry.sample.value
        }
      }
    }
    return folded.map {
      Value(key: $0.key.key, time: Timestamp(milliseconds: $0.key.time), value: $0.value)
    }
  }

  private func keys(of labels: Labels, isRemote: Bool) -> [Key] {
    (bySeries[labels.metric] ?? []).compactMap { index in
      let metric = metrics[index]
      if metric.isOwnOnly, isRemote { return nil }
      return Key(metric: index, group: metric.per.map { labels[$0] ?? "" })
    }
  }
}
