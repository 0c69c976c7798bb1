import LifeguardCore

/// Log lines that CloudWatch turns into metrics: the embedded metric format ("CloudWatch Embedded
/// Metric Format Specification", docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring).
public struct EmbeddedMetrics: Sendable {
  /// A metric of a line.
  public struct Metric: Hashable, Sendable {
    public var name: String
    public var value: Double
    public var unit: String?
    public var isHighResolution: Bool

    /// A metric with its value.
    public init(
      _ name: String, _ value: Double, unit: String? = nil, isHighResolution: Bool = false
    ) {
      self.name = name
      self.value = value
      self.unit = unit
      self.isHighResolution = isHighResolution
    }
  }

  /// Metrics of one line.
  public static let metricsMax = 100
  /// Names of one set of dimensions.
  public static let dimensionsMax = 30

  public var namespace: String
  /// The metrics are kept under each of these sets; all their values stand in every line.
  public var dimensionSets: [[MetricDimension]]
  /// Told in every line without being dimensions: `host`.
  public var properties: [(name: String, value: JSON)]

  /// A writer of lines in one namespace.
  public init(
    namespace: String, dimensionSets: [[MetricDimension]] = [[]],
    properties: [(name: String, value: JSON)] = []
  ) {
    self.namespace = namespace
    self.dimensionSets = dimensionSets.map { Array($0.prefix(Self.dimensionsMax)) }
    self.properties = properties
  }

  /// As many lines as the metrics need; values that are no finite numbers are left out.
  public func lines(_ metrics: [Metric], at time: Timestamp) -> [LogEvent] {
    var lines: [LogEvent] = []
    var rest = metrics.filter { $0.value.isFinite }[...]
    while !rest.isEmpty {
      // A name can stand in a line once only.
      var names = Set<String>()
      let part = rest.prefix(Self.metricsMax).prefix { names.insert($0.name).inserted }
      lines.append(LogEvent(line(Array(part), time).text(), at: time))
      rest = rest.dropFirst(part.count)
    }
    return lines
  }

  private func line(_ metrics: [Metric], _ time: Timestamp) -> JSON {
    let declared = metrics.map { metric -> JSON in
      var entry = JSONObject()
      entry["Name"] = .string(metric.name)
      entry["Unit"] = metric.unit.map(JSON.string)
      if metric.isHighResolution { entry["StorageResolution"] = 1 }
      return .object(entry)
    }
    var line = JSONObject()
    line["_aws"] = [
      "Timestamp": .integer(time.milliseconds),
      "CloudWatchMetrics": [
        [
          "Namespace": .string(namespace),
          "Dimensions": .array(dimensionSets.map { JSON(strings: $0.map(\.name)) }),
          "Metrics": .array(declared),
        ]
      ],
    ]
    for (name, value) in properties { line[name] = value }
    for dimension in dimensionSets.joined() { line[dimension.name] = .string(dimension.value) }
    for metric in metrics { line[metric.name] = .number(metric.value) }
    return .object(line)
  }
}
