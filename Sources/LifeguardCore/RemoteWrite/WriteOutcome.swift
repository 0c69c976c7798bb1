/// What became of a remote write request.
public struct WriteOutcome: Hashable, Sendable {
  /// Samples that are in, those that were there already included.
  public var accepted = 0
  /// Samples for whose time the series has another value.
  public var duplicates = 0
  public var outOfOrder = 0
  /// Samples from too far in the past or the future.
  public var outOfBounds = 0
  /// Series beyond the limit, and those that are collected on this host.
  public var refusedSeries = 0
  /// Series whose labels break a rule.
  public var invalidSeries = 0
  public var skippedExemplars = 0
  public var skippedHistograms = 0
  /// The first thing that went wrong, in Prometheus' words where it has them.
  public var problem: String?
  /// Whether the sender should come again with the same body.
  public var isBusy = false

  public init(problem: String? = nil, isBusy: Bool = false) {
    self.problem = problem
    self.isBusy = isBusy
  }

  /// The HTTP status to answer with: 204 for success; 400 when anything was refused, which tells a
  /// sender not to repeat it, for what was good is in; 503 for later (429 would be dropped).
  public var status: Int {
    if isBusy { return 503 }
    return problem == nil ? 204 : 400
  }

  mutating func note(_ problem: @autoclosure () -> String) {
    if self.problem == nil { self.problem = problem() }
  }

  /// Counts a sample that the head refused.
  mutating func note(_ error: HeadError) {
    switch error {
    case .outOfOrder: outOfOrder += 1
    case .duplicate: duplicates += 1
    case .tooManySeries, .collectedHere, .unknownSeries: refusedSeries += 1
    }
    note(error.description)
  }
}
