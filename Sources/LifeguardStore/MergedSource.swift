import LifeguardCore

/// Memory where it has samples, the disk before that; a series of both is one series.
public struct MergedSource: SeriesSource {
  private let newer: Snapshot
  private let older: StoredSource
  /// For each series of the disk, the one in memory.
  private let twins: [SeriesReference?]
  private let isTwin: Set<SeriesReference>

  public init(newer: Snapshot, older: StoredSource) {
    self.newer = newer
    self.older = older
    twins = older.series.map { newer.existingReference(for: $0.labels) }
    isTwin = Set(twins.compactMap { $0 })
  }

  public var generation: UInt64? { newer.generation }

  /// What the disk's part of an answer has to say.
  public var infos: [Annotation] { older.infos }
  public var warnings: [Annotation] { older.warnings }

  /// As for an instant selector.
  public func select(
    _ matchers: [Matcher], after: Timestamp, through: Timestamp
  ) throws(SeriesSourceError) -> [SeriesReference] {
    try select(matchers, after: after, through: through, use: .instant)
  }

  /// Series of the disk have negative slots here: −1 − slot.
  public func select(
    _ matchers: [Matcher], after: Timestamp, through: Timestamp, use: SampleUse
  ) throws(SeriesSourceError) -> [SeriesReference] {
    var found = try older.select(matchers, after: after, through: through, use: use)
      .map { SeriesReference(slot: -1 - $0.slot, epoch: $0.epoch) }
    for reference in try newer.select(matchers, after: after, through: through, use: use)
    where !isTwin.contains(reference) { found.append(reference) }
    return found
  }

  private func stored(_ reference: SeriesReference) -> SeriesReference? {
    reference.slot < 0
      ? SeriesReference(slot: -1 - reference.slot, epoch: reference.epoch) : nil
  }

  public func labels(of reference: SeriesReference) -> Labels {
    if let stored = stored(reference) { return older.labels(of: stored) }
    return newer.labels(of: reference)
  }

  /// The newest sample in `(after, through]`, staleness markers included.
  public func lastSample(
    of reference: SeriesReference, after: Timestamp, through: Timestamp
  ) -> Sample? {
    guard let stored = stored(reference) else {
      return newer.lastSample(of: reference, after: after, through: through)
    }
    if let twin = twins[Int(stored.slot)],
      let sample = newer.lastSample(of: twin, after: after, through: through)
    {
      return sample
    }
    return older.lastSample(of: stored, after: after, through: through)
  }

  /// Appends the samples in `(after, through]`, staleness markers included.
  public func collect(
    _ reference: SeriesReference, after: Timestamp, through: Timestamp,
    into samples: inout [Sample]
  ) {
    guard let stored = stored(reference) else {
      newer.collect(reference, after: after, through: through, into: &samples)
      return
    }
    guard let twin = twins[Int(stored.slot)] else {
      older.collect(stored, after: after, through: through, into: &samples)
      return
    }
    let first = samples.count
    newer.collect(twin, after: after, through: through, into: &samples)
    var end = through
    if first < samples.count { end = samples[first].timestamp - .milliseconds(1) }
    guard end > after else { return }
    var before: [Sample] = []
    older.collect(stored, after: after, through: end, into: &before)
    samples.insert(contentsOf: before, at: first)
  }
}
