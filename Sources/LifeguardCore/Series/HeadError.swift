/// Why the head refused a series or a sample; the texts are Prometheus' where it has one.
public enum HeadError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The series limit is reached.
  case tooManySeries(limit: Int)
  /// The sample is older than the newest one of its series.
  case outOfOrder
  /// The series has another value at this time.
  case duplicate
  /// A sample from outside for a series that is collected on this host.
  case collectedHere
  /// The reference belongs to a series that has been removed.
  case unknownSeries

  public var description: String {
    switch self {
    case .tooManySeries(let limit):
      "the limit of \(limit) series is reached; raise it or collect fewer labels"
    case .outOfOrder: "out of order sample"
    case .duplicate: "duplicate sample for timestamp"
    case .collectedHere: "the series is collected on this host and takes no samples from outside"
    case .unknownSeries: "the series has been removed; ask for its reference again"
    }
  }
}
