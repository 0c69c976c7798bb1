/// A source without its samples up to a time: what verification looks at, so that nothing from
/// before an action can prove that it helped.
public struct EvidenceView<Base: SeriesSource>: SeriesSource {
  private let base: Base
  private let cut: Timestamp

  public init(_ base: Base, after cut: Timestamp) {
    self.base = base
    self.cut = cut
  }

  public var generation: UInt64? { base.generation }

  public func select(
    _ matchers: [Matcher], after: Timestamp, through: Timestamp
  ) throws(SeriesSourceError) -> [SeriesReference] {
    try base.select(matchers, after: max(after, cut), through: through)
  }

  public func labels(of reference: SeriesReference) -> Labels { base.labels(of: reference) }

  public func isRemote(_ reference: SeriesReference) -> Bool { base.isRemote(reference) }

  public func lastSample(
    of reference: SeriesReference, after: Timestamp, through: Timestamp
  ) -> Sample? {
    base.lastSample(of: reference, after: max(after, cut), through: through)
  }

  public func collect(
    _ reference: SeriesReference, after: Timestamp, through: Timestamp,
    into samples: inout [Sample]
  ) {
    base.collect(reference, after: max(after, cut), through: through, into: &samples)
  }
}
