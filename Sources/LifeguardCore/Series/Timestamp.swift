/// Wall-clock time in milliseconds since 1970-01-01T00:00:00Z, as in the Prometheus data model.
public struct Timestamp: Hashable, Comparable, Sendable, Codable {
  public var milliseconds: Int64

  public init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  /// The nearest millisecond. What no `Timestamp` can hold becomes the nearest one that can, and
  /// NaN 1970: whoever reads numbers from outside refuses both first.
  public init(seconds: Double) {
    let rounded = (seconds * 1000).rounded()
    milliseconds = Int64(exactly: rounded) ?? (rounded > 0 ? .max : rounded < 0 ? .min : 0)
  }

  public init(from decoder: any Decoder) throws {
    self.milliseconds = try decoder.singleValueContainer().decode(Int64.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(milliseconds)
  }

  /// 285,000 years before and after 1970: samples lie between them, so that what is calculated from
  /// their times stays within `Int64`.
  public static let earliest = Timestamp(milliseconds: -9_000_000_000_000_000)
  public static let latest = Timestamp(milliseconds: 9_000_000_000_000_000)

  /// Whether a sample may have this time.
  public var isWithinBounds: Bool {
    self >= Timestamp.earliest && self <= Timestamp.latest
  }

  /// Seconds since the epoch.
  public var seconds: Double { Double(milliseconds) / 1000 }

  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.milliseconds < right.milliseconds
  }

  // Times come from outside too, so what is calculated from them ends at the bounds of `Int64`
  // instead of ending the process.

  public static func + (left: Timestamp, right: Duration) -> Timestamp {
    let (sum, overflows) = left.milliseconds.addingReportingOverflow(right.milliseconds)
    return Timestamp(milliseconds: overflows ? (sum < 0 ? .max : .min) : sum)
  }

  public static func - (left: Timestamp, right: Duration) -> Timestamp {
    Timestamp(milliseconds: difference(left.milliseconds, right.milliseconds))
  }

  /// The time from `right` to `left`; negative when `left` is the earlier one.
  public static func - (left: Timestamp, right: Timestamp) -> Duration {
    .milliseconds(difference(left.milliseconds, right.milliseconds))
  }

  private static func difference(_ left: Int64, _ right: Int64) -> Int64 {
    let (difference, overflows) = left.subtractingReportingOverflow(right)
    return overflows ? (difference < 0 ? .max : .min) : difference
  }
}

extension Duration {
  /// Whole milliseconds, rounded towards zero; of a length beyond `Int64`, the nearest bound.
  public var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflows) = seconds.multipliedReportingOverflow(by: 1000)
    let (sum, exceeds) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
    return overflows || exceeds ? (seconds < 0 ? .min : .max) : sum
  }

  /// Seconds with their fraction.
  public var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) / 1e18
  }
}
