import LifeguardCore

/// A CloudWatch alarm that changed its state, by whichever way it came.
struct AlarmEvent: Hashable {
  enum State: String, Hashable {
    case ok = "OK"
    case alarm = "ALARM"
    case insufficientData = "INSUFFICIENT_DATA"
  }

  /// A metric that the alarm looks at.
  struct Metric: Hashable {
    var namespace = ""
    var name = ""
    var dimensions: [String: String] = [:]
    /// Seconds.
    var period: Double?
    var statistic = ""
    /// Whether the alarm compares its values; with metric math the inputs are not.
    var returnsData = true
  }

  var arn: String
  var name: String
  var account = ""
  var region = ""
  var state: State
  var previousState: State?
  /// When the state changed.
  var time: Timestamp
  var reason = ""
  /// What holds the actions back, such as a composite alarm's suppressor: then nothing is done.
  var suppressedBy: String?
  var metrics: [Metric] = []
  /// The newest value that was compared, with its time.
  var value: Double?
  var valueTime: Timestamp?

  /// The same by every route, so that one change is one event.
  var key: String { "alarm|\(arn)|\(state.rawValue)|\(time.milliseconds)" }

  /// The dimensions that all its metrics agree on.
  var dimensions: [String: String] {
    guard let first = metrics.first else { return [:] }
    return metrics.dropFirst().reduce(first.dimensions) { common, metric in
      common.filter { metric.dimensions[$0.key] == $0.value }
    }
  }

  /// Of the alarm itself: its name, its place, and what it watches.
  var labels: Labels {
    var labels = Labels()
    for (name, value) in dimensions where !Self.own.contains(name) { labels[name] = value }
    labels["alarm"] = name
    labels["region"] = region
    labels["account"] = account
    labels["instance"] = dimensions["InstanceId"] ?? name
    return labels
  }

  private static let own: Set<String> = ["alarm", "region", "account", "instance"]

  /// The series that says how alarms stand: 1 in ALARM, 0 in OK.
  static let metricName = "cloudwatch_alarm_state"

  /// What it tells as samples: its own state, and the value behind it.
  ///
  /// - Parameter isKnown: whether it was in ALARM before. One that is held back begins nothing new;
  ///   but it does not become healthy by being held back.
  func samples(into batch: inout SampleBatch, isKnown: Bool = false) {
    var own = labels
    own[Labels.metricName] = Self.metricName
    switch state {
    case .alarm: if suppressedBy == nil || isKnown { batch.add(own, at: time, 1) }
    case .ok: batch.add(own, at: time, 0)
    // Neither health nor a fault; often our own doing, when an instance was stopped.
    case .insufficientData: batch.add(own, at: time, .staleMarker)
    }
    guard let value, let valueTime, metrics.count == 1, let metric = metrics.first else { return }
    var series = Labels()
    for (name, value) in metric.dimensions { series[name] = value }
    series["instance"] = metric.dimensions["InstanceId"] ?? name
    series[Labels.metricName] = WantedMetrics.name(metric.name)
    batch.add(series, at: valueTime, metric.perSecond(value))
  }
}

extension AlarmEvent.Metric {
  /// `NetworkIn` and `NetworkOut` are bytes a second, as on a host: CloudWatch's sum over a period
  /// divided by it.
  func perSecond(_ value: Double) -> Double {
    guard name == "NetworkIn" || name == "NetworkOut", statistic.uppercased() == "SUM",
      let period, period > 0
    else { return value }
    return value / period
  }
}
