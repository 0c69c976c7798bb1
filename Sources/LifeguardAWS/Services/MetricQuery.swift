import LifeguardCore

/// A metric, or an expression over others, whose values are asked for.
public struct MetricQuery: Sendable {
  let json: JSON

  /// A metric.
  ///
  /// - Parameters:
  ///   - id: begins with a lower-case letter; expressions name it.
  ///   - period: from a minute, or 1, 5, 10, 20 or 30 s of a metric in high resolution.
  ///   - statistic: `Average`, `Sum`, `Minimum`, `Maximum`, `SampleCount` or `p99`.
  public static func metric(
    id: String, namespace: String, name: String, dimensions: [MetricDimension], period: Duration,
    statistic: String, label: String? = nil, returnsData: Bool = true
  ) -> MetricQuery {
    var query = JSONObject()
    query["Id"] = .string(id)
    query["MetricStat"] = [
      "Metric": [
        "Namespace": .string(namespace), "MetricName": .string(name),
        "Dimensions": .array(dimensions.map(\.json)),
      ],
      "Period": .integer(period.components.seconds), "Stat": .string(statistic),
    ]
    query["Label"] = label.map(JSON.string)
    query["ReturnData"] = .bool(returnsData)
    return MetricQuery(json: .object(query))
  }

  /// Metric math over other queries: `m1 / PERIOD(m1)`.
  public static func expression(
    id: String, _ expression: String, period: Duration? = nil, label: String? = nil,
    returnsData: Bool = true
  ) -> MetricQuery {
    var query = JSONObject()
    query["Id"] = .string(id)
    query["Expression"] = .string(expression)
    query["Period"] = period.map { .integer($0.components.seconds) }
    query["Label"] = label.map(JSON.string)
    query["ReturnData"] = .bool(returnsData)
    return MetricQuery(json: .object(query))
  }
}

/// A value at the start of a period.
public struct MetricPoint: Hashable, Sendable {
  public var time: Timestamp
  public var value: Double
}

/// The values of one query.
public struct MetricResult: Hashable, Sendable {
  public var id: String
  public var label: String
  /// Oldest first.
  public var points: [MetricPoint]
  /// `Complete`, `PartialData`, `InternalError` or `Forbidden`.
  public var status: String
  public var messages: [String]
}

/// The answers to all queries of a call.
public struct MetricData: Hashable, Sendable {
  /// In the order in which they came first.
  public var results: [MetricResult] = []
  /// Whether every page was read.
  public var isComplete = false
  public var messages: [String] = []

  /// No answers yet.
  public init() {}

  /// Takes a page in: one query's values may come on several.
  mutating func add(_ page: JSON) {
    messages += (page["Messages"]?.array ?? []).compactMap { $0["Value"]?.string }
    for entry in page["MetricDataResults"]?.array ?? [] {
      let times = entry["Timestamps"]?.array ?? []
      let values = entry["Values"]?.array ?? []
      let points = zip(times, values).compactMap { time, value -> MetricPoint? in
        guard let time = time.timestamp, let value = value.double else { return nil }
        return MetricPoint(time: time, value: value)
      }
      let notes = (entry["Messages"]?.array ?? []).compactMap { $0["Value"]?.string }
      let id = entry["Id"]?.string ?? ""
      let label = entry["Label"]?.string ?? ""
      let status = entry["StatusCode"]?.string ?? ""
      // One expression may return several series: they share the id and differ in the label.
      if let known = results.firstIndex(where: { $0.id == id && $0.label == label }) {
        results[known].points += points
        results[known].status = status
        results[known].messages += notes
      } else {
        results.append(
          MetricResult(id: id, label: label, points: points, status: status, messages: notes))
      }
    }
  }

  mutating func sort() {
    for index in results.indices { results[index].points.sort { $0.time < $1.time } }
  }
}
