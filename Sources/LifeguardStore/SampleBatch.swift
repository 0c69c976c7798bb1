import LifeguardCore

/// Samples at times of their own: what was written from elsewhere, scraped or calculated.
public struct SampleBatch: Sendable {
  /// The head's handles, one for each of `samples`.
  public var references: [SeriesReference]
  public var samples: [Sample]
  /// The labels behind handles that no earlier batch has used, and whether they came from
  /// elsewhere.
  public var introduced: [(reference: SeriesReference, labels: Labels, isRemote: Bool)]
  /// Handles that will not be used again.
  public var ended: [SeriesReference]

  public init(
    references: [SeriesReference] = [], samples: [Sample] = [],
    introduced: [(reference: SeriesReference, labels: Labels, isRemote: Bool)] = [],
    ended: [SeriesReference] = []
  ) {
    precondition(references.count == samples.count, "each sample needs its series")
    self.references = references
    self.samples = samples
    self.introduced = introduced
    self.ended = ended
  }
}

/// Makes batches of what was appended to a head, and knows which series the store has not met.
///
/// A slot that has changed hands says that the series before is over, so nobody has to.
public struct SampleJournal: Sendable {
  /// The epoch that was introduced last, by slot; 0 is nobody's.
  private var introduced: [UInt32] = []

  public init() {}

  /// - Parameter series: the labels behind a handle, asked for series that are new.
  public mutating func batch(
    _ entries: some Sequence<(SeriesReference, Sample)>,
    of series: (SeriesReference) -> (labels: Labels, isRemote: Bool)
  ) -> SampleBatch {
    var batch = SampleBatch()
    batch.references.reserveCapacity(entries.underestimatedCount)
    batch.samples.reserveCapacity(entries.underestimatedCount)
    for (reference, sample) in entries {
      let slot = Int(reference.slot)
      guard slot >= 0 else { continue }
      if slot >= introduced.count {
        introduced += [UInt32](repeating: 0, count: slot + 1 - introduced.count)
      }
      if introduced[slot] != reference.epoch {
        if introduced[slot] != 0 {
          batch.ended.append(SeriesReference(slot: reference.slot, epoch: introduced[slot]))
        }
        introduced[slot] = reference.epoch
        let (labels, isRemote) = series(reference)
        batch.introduced.append((reference, labels, isRemote))
      }
      batch.references.append(reference)
      batch.samples.append(sample)
    }
    return batch
  }

  /// After a batch that the store could not take: every series is introduced again.
  public mutating func forget() {
    for slot in introduced.indices { introduced[slot] = 0 }
  }
}
