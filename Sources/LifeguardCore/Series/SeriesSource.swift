/// Where PromQL reads samples from: the head, a snapshot of it, chunks on disk, a test's arrays.
///
/// References instead of series objects keep the common case cheap: a rule that needs the newest
/// sample of one series costs a look into an array, and nothing is copied.
public protocol SeriesSource: Sendable {
  /// Changes whenever the set of series changes, so that a selection made earlier can be reused
  /// while it is the same; `nil` when the source cannot tell.
  var generation: UInt64? { get }

  /// The series that match all `matchers` and may have samples in `(after, through]`.
  ///
  /// A source may return series without samples in the interval.
  func select(
    _ matchers: [Matcher], after: Timestamp, through: Timestamp
  ) throws(SeriesSourceError) -> [SeriesReference]

  /// The same with what the samples are for: a source with down-sampled data picks the figure by
  /// it, and its references remember it. By default nothing depends on it.
  func select(
    _ matchers: [Matcher], after: Timestamp, through: Timestamp, use: SampleUse
  ) throws(SeriesSourceError) -> [SeriesReference]

  func labels(of reference: SeriesReference) -> Labels

  /// Whether the series has samples that were not collected on this host.
  func isRemote(_ reference: SeriesReference) -> Bool

  /// The newest sample in `(after, through]`, staleness markers included.
  func lastSample(
    of reference: SeriesReference, after: Timestamp, through: Timestamp
  ) -> Sample?

  /// Appends the samples in `(after, through]`, in order of time, staleness markers included.
  func collect(
    _ reference: SeriesReference, after: Timestamp, through: Timestamp,
    into samples: inout [Sample])
}

extension SeriesSource {
  /// False: most sources hold what was collected here.
  public func isRemote(_ reference: SeriesReference) -> Bool { false }
  /// As without `use`: every sample is there, whatever it is for.
  public func select(
    _ matchers: [Matcher], after: Timestamp, through: Timestamp, use: SampleUse
  ) throws(SeriesSourceError) -> [SeriesReference] {
    try select(matchers, after: after, through: through)
  }
}

/// A source could not be read.
public struct SeriesSourceError: Error, Hashable, Sendable, CustomStringConvertible {
  public var message: String

  public init(_ message: String) {
    self.message = message
  }

  public var description: String { message }
}
