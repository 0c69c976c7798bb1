import LifeguardCore

/// One of the things that tell equal metrics apart: `InstanceId` = `i-0123`.
public struct MetricDimension: Hashable, Sendable {
  public var name: String
  public var value: String

  /// A dimension with its value.
  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }

  var json: JSON { ["Name": .string(name), "Value": .string(value)] }

  init?(_ json: JSON) {
    guard let name = json["Name"]?.string else { return nil }
    self.init(name, json["Value"]?.string ?? "")
  }
}

/// Many values in four numbers; CloudWatch can give their average, sum, minimum and maximum.
public struct StatisticSet: Hashable, Sendable {
  public var count: Double
  public var sum: Double
  public var minimum: Double
  public var maximum: Double

  /// No values yet.
  public init() {
    self.init(count: 0, sum: 0, minimum: .infinity, maximum: -.infinity)
  }

  /// A set from its parts.
  public init(count: Double, sum: Double, minimum: Double, maximum: Double) {
    self.count = count
    self.sum = sum
    self.minimum = minimum
    self.maximum = maximum
  }

  /// Takes one more value in.
  public mutating func add(_ value: Double) {
    count += 1
    sum += value
    minimum = min(minimum, value)
    maximum = max(maximum, value)
  }
}

/// Values of a metric at a time.
public struct MetricDatum: Hashable, Sendable {
  public enum Value: Hashable, Sendable {
    case single(Double)
    case statistics(StatisticSet)
    /// Distinct values, at most 150, and how often each was seen: keeps percentiles.
    case distribution(values: [Double], counts: [Double])
  }

  public var name: String
  /// At most 30.
  public var dimensions: [MetricDimension]
  public var timestamp: Timestamp
  public var value: Value
  /// `Percent`, `Bytes/Second` …; CloudWatch knows 27 of them.
  public var unit: String?
  /// Kept by the second for three hours, not by the minute.
  public var isHighResolution: Bool

  /// A datum from its parts.
  public init(
    _ name: String, _ value: Value, at timestamp: Timestamp, dimensions: [MetricDimension] = [],
    unit: String? = nil, isHighResolution: Bool = false
  ) {
    self.name = name
    self.value = value
    self.timestamp = timestamp
    self.dimensions = dimensions
    self.unit = unit
    self.isHighResolution = isHighResolution
  }

  var json: JSON {
    var object = JSONObject()
    object["MetricName"] = .string(name)
    if !dimensions.isEmpty { object["Dimensions"] = .array(dimensions.map(\.json)) }
    object["Timestamp"] = JSON(timestamp)
    switch value {
    case .single(let value): object["Value"] = .number(value)
    case .statistics(let set):
      object["StatisticValues"] = [
        "SampleCount": .number(set.count), "Sum": .number(set.sum),
        "Minimum": .number(set.minimum), "Maximum": .number(set.maximum),
      ]
    case .distribution(let values, let counts):
      object["Values"] = .array(values.map(JSON.number))
      object["Counts"] = .array(counts.map(JSON.number))
    }
    object["Unit"] = unit.map(JSON.string)
    if isHighResolution { object["StorageResolution"] = 1 }
    return .object(object)
  }

  private static let dimensionsMax = 30
  private static let valuesMax = 150
  /// Beyond 2^360 either way values are refused.
  private static let magnitudeMax = 0x1p360
  private static let agesMax: Duration = .seconds(14 * 86_400)
  private static let aheadMax: Duration = .seconds(2 * 3600)

  /// Why CloudWatch would refuse it, and the whole request with it; nil when it would not
  /// (docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html).
  func problem(at now: Timestamp) -> String? {
    if name.isEmpty || name.utf8.count > 255 { return "a name of \(name.utf8.count) bytes" }
    if dimensions.count > Self.dimensionsMax {
      return "\(dimensions.count) dimensions; at most \(Self.dimensionsMax)"
    }
    for dimension in dimensions {
      if dimension.name.isEmpty || dimension.name.utf8.count > 255
        || dimension.name.hasPrefix(":") || !Self.isText(dimension.name)
      {
        return "the dimension name \"\(TextEscape.line(dimension.name))\""
      }
      if dimension.value.isEmpty || dimension.value.utf8.count > 1024
        || !Self.isText(dimension.value)
      {
        return "the value of dimension \(dimension.name)"
      }
    }
    if Set(dimensions.map(\.name)).count != dimensions.count { return "a dimension named twice" }
    if now - timestamp > Self.agesMax { return "older than two weeks" }
    if timestamp - now > Self.aheadMax { return "more than two hours ahead" }
    return valueProblem
  }

  private var valueProblem: String? {
    let values: [Double]
    switch value {
    case .single(let value): values = [value]
    case .statistics(let set):
      guard set.count > 0 else { return "a statistic set without values" }
      values = [set.count, set.sum, set.minimum, set.maximum]
    case .distribution(let distinct, let counts):
      guard !distinct.isEmpty, distinct.count <= Self.valuesMax, distinct.count == counts.count,
        counts.allSatisfy({ $0 > 0 })
      else { return "\(distinct.count) values with \(counts.count) counts; at most 150 of each" }
      values = distinct + counts
    }
    let strange = values.first { !$0.isFinite || $0.magnitude > Self.magnitudeMax }
    return strange.map { "the value \($0)" }
  }

  /// ASCII without control characters.
  private static func isText(_ text: String) -> Bool {
    text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
      && text.utf8.contains { $0 != 0x20 }
  }
}

/// What became of an upload of metrics.
public struct MetricUpload: Sendable {
  /// How many the service took.
  public var accepted = 0
  /// Those that were not sent because the service would refuse them, by their place.
  public var refused: [(index: Int, reason: String)] = []
  /// Requests that succeeded.
  public var requests = 0
  /// Why the rest was not sent. When it `mayHaveBeenDone`, the first request of the rest may have
  /// been taken: sending it again would count its values twice.
  public var failure: AWSError?
  /// Those that were not taken because of `failure`, in order.
  public var remaining: [MetricDatum] = []
  /// How many of `remaining`, from its start, were in the request that failed.
  public var uncertain = 0
}
