/// A head as it was at one moment, to be read elsewhere while the head goes on.
public struct Snapshot: Sendable {
  private let head: Head

  init(_ head: Head) {
    self.head = head
  }

  public var seriesCount: Int { head.seriesCount }
  public var labelNames: [String] { head.labelNames }
  /// The values of one label, sorted by their bytes.
  public func labelValues(_ name: String) -> [String] { head.labelValues(name) }
  /// The handle of a series that the head had.
  public func existingReference(for labels: Labels) -> SeriesReference? {
    head.existingReference(for: labels)
  }
  /// Sealed chunks and open samples of a series.
  public func contents(of reference: SeriesReference) -> (sealed: [Chunk], open: [Sample])? {
    head.contents(of: reference)
  }
}

extension Snapshot: SeriesSource {
  public var generation: UInt64? { head.generation }

  /// As the head selected at the time.
  public func select(
    _ matchers: [Matcher], after: Timestamp, through: Timestamp
  ) throws(SeriesSourceError) -> [SeriesReference] {
    try head.select(matchers, after: after, through: through)
  }

  /// Empty for a series that the head did not have.
  public func labels(of reference: SeriesReference) -> Labels { head.labels(of: reference) }

  public func isRemote(_ reference: SeriesReference) -> Bool { head.isRemote(reference) }

  /// The newest sample in `(after, through]`, staleness markers included.
  public func lastSample(
    of reference: SeriesReference, after: Timestamp, through: Timestamp
  ) -> Sample? {
    head.lastSample(of: reference, after: after, through: through)
  }

  /// Appends the samples in `(after, through]`, staleness markers included.
  public func collect(
    _ reference: SeriesReference, after: Timestamp, through: Timestamp,
    into samples: inout [Sample]
  ) {
    head.collect(reference, after: after, through: through, into: &samples)
  }
}
