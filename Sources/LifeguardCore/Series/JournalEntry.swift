/// A sample as it was appended to a head, for whoever passes samples on.
public struct JournalEntry: Hashable, Sendable {
  /// Of the head that noted it.
  public var reference: SeriesReference
  public var sample: Sample

  public init(reference: SeriesReference, sample: Sample) {
    self.reference = reference
    self.sample = sample
  }
}
