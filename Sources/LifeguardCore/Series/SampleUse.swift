/// What a query does with the samples of a selector, and so which figure of a down-sampled bucket
/// it has to read.
///
/// Sources that hold every sample ignore it.
public enum SampleUse: UInt8, Hashable, Sendable, CaseIterable {
  /// The value at a time, as an instant selector reads it.
  case instant
  /// Single samples, where no other figure fits: `last_over_time`, `delta`, `deriv`, quantiles.
  case last
  case minimum
  case maximum
  case sum
  /// The sum divided by the count.
  case average
  case count
  /// The value of a counter as if it had never been reset.
  case counter

  /// What a function over a range reads.
  public init(_ function: Function) {
    switch function {
    case .rate, .increase, .irate: self = .counter
    case .minOverTime, .tsOfMinOverTime: self = .minimum
    case .maxOverTime, .tsOfMaxOverTime: self = .maximum
    case .sumOverTime: self = .sum
    case .avgOverTime: self = .average
    case .countOverTime: self = .count
    default: self = .last
    }
  }

  /// The figure in words, for messages.
  public var words: String {
    switch self {
    case .instant, .last: "last values"
    case .minimum: "minima"
    case .maximum: "maxima"
    case .sum: "sums"
    case .average: "averages"
    case .count: "counts"
    case .counter: "reset-corrected counters"
    }
  }
}
