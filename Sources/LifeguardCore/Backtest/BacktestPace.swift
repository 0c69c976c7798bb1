/// How often recorded series have samples, learnt from the recording itself.
///
/// A rule has no data when its newest sample is older than twice its source's interval; a recording
/// with a sample every five minutes is as good as one with a sample a second.
public struct BacktestPace: Sendable {
  /// The median distance of two samples, by metric.
  public private(set) var intervals: [String: Duration] = [:]
  /// How far a turn moves while something is going on.
  public private(set) var step: Duration
  /// How far it moves at the most while nothing is.
  public private(set) var calmStep: Duration
  /// How far back a sample still counts as the value of now: past the next one's usual time.
  public private(set) var lookback: Duration

  /// At most so many distances are looked at for each metric.
  private static let looksMax = 1000

  /// - Parameters:
  ///   - series: some of the recording, in order of time within each series.
  ///   - interval: of the inline rules; no step is shorter.
  public init(_ series: some Sequence<(labels: Labels, times: [Timestamp])>, interval: Duration) {
    var distances: [String: [Duration]] = [:]
    for one in series {
      let known = distances[one.labels.metric]?.count ?? 0
      guard known < Self.looksMax else { continue }
      let found = zip(one.times, one.times.dropFirst()).lazy.map { $1 - $0 }.filter { $0 > .zero }
      distances[one.labels.metric, default: []] += found.prefix(Self.looksMax - known)
    }
    for (metric, found) in distances where !found.isEmpty {
      intervals[metric] = found.sorted()[found.count / 2]
    }
    let shortest = intervals.values.min() ?? interval
    // A fifth of the distance tells apart what samples so far apart can tell.
    step = max(interval, min(shortest / 5, .seconds(60)))
    calmStep = max(step, min(shortest, .seconds(15)))
    lookback = min((intervals.values.max() ?? .zero) * 2, .seconds(7200))
  }
}
