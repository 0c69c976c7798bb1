/// The samples of the last hours, in memory: one writer, any number of readers of snapshots.
///
/// A value: a copy is a snapshot. Copies share everything and the writer then copies only what it
/// changes, which is the open part of a series (at most 120 samples), never sealed chunks.
///
/// ```
/// labels ──▶ reference ──▶ series[slot]: sealed chunk · sealed chunk · … · open samples
///    └─────▶ index: name → value → slots
/// ```
public struct Head: Sendable {
  /// Counts since the head was made, for the agent's own metrics.
  public struct Counters: Hashable, Sendable {
    public var appended: UInt64 = 0
    public var outOfOrder: UInt64 = 0
    public var duplicates: UInt64 = 0
    public var refusedSeries: UInt64 = 0
  }

  /// No more series than this; the next one is refused and counted.
  public var seriesMax: Int
  public private(set) var counters = Counters()
  /// By slot; a slot that is free holds a series of epoch 0.
  private var series: [HeadSeries] = []
  private var free: [Int32] = []
  private var references: [Labels: SeriesReference] = [:]
  private var index = LabelIndex()
  private var changes: UInt64 = 0
  private var nextEpoch: UInt32 = 1
  /// How many series were not collected on this host.
  public private(set) var remoteSeriesCount = 0
  /// Whether samples are noted for `takeJournal`, which whoever switches it on must empty.
  public var keepsJournal = false
  private var journal: [JournalEntry] = []

  public init(seriesMax: Int = 200_000) {
    self.seriesMax = seriesMax
  }

  public var seriesCount: Int { references.count }

  /// The handle for a label set, which is a new series when it has not been seen.
  ///
  /// What is collected here outranks what others send: a local series takes no samples from
  /// outside, and begins anew where a remote one of the same labels was.
  ///
  /// - Throws: `HeadError.tooManySeries` when it would be a new one too many,
  ///   `HeadError.collectedHere` when a remote series would be a local one.
  public mutating func reference(
    for labels: Labels, origin: SeriesOrigin = .local
  ) throws(HeadError) -> SeriesReference {
    if let known = references[labels] {
      let isForeign = series[Int(known.slot)].isForeign
      if isForeign == (origin == .remote) { return known }
      guard isForeign else { throw .collectedHere }
      remove([Int(known.slot)])
    }
    guard references.count < seriesMax else {
      counters.refusedSeries += 1
      throw .tooManySeries(limit: seriesMax)
    }
    let slot = free.popLast() ?? Int32(series.count)
    let reference = SeriesReference(slot: slot, epoch: nextEpoch)
    nextEpoch &+= 1
    var new = HeadSeries(labels: labels, slot: Int(slot), epoch: reference.epoch)
    if origin == .remote {
      new.isForeign = true
      remoteSeriesCount += 1
    }
    if Int(slot) == series.count { series.append(new) } else { series[Int(slot)] = new }
    references[labels] = reference
    index.insert(labels, slot: slot)
    changes += 1
    return reference
  }

  /// The handle of a series that exists.
  public func existingReference(for labels: Labels) -> SeriesReference? { references[labels] }

  /// Adds a sample; the very same sample again is accepted and ignored, as Prometheus does.
  ///
  /// - Throws: when it is not newer than the series' newest one, or the series is gone.
  public mutating func append(
    _ reference: SeriesReference, at time: Timestamp, _ value: Double
  ) throws(HeadError) {
    let slot = Int(reference.slot)
    guard slot >= 0, slot < series.count, series[slot].epoch == reference.epoch else {
      throw .unknownSeries
    }
    if time <= series[slot].lastTime {
      try refuse(slot, time, value)
      return
    }
    series[slot].append(Sample(timestamp: time, value: value))
    counters.appended += 1
    if keepsJournal {
      journal.append(
        JournalEntry(reference: reference, sample: Sample(timestamp: time, value: value)))
    }
  }

  private mutating func refuse(
    _ slot: Int, _ time: Timestamp, _ value: Double
  ) throws(HeadError) {
    if time < series[slot].lastTime {
      counters.outOfOrder += 1
      throw .outOfOrder
    }
    if value.bitPattern == series[slot].lastValue.bitPattern { return }
    counters.duplicates += 1
    throw .duplicate
  }

  /// Says that a series has ended: readers stop seeing it at once instead of after the lookback.
  public mutating func markStale(
    _ reference: SeriesReference, at time: Timestamp
  ) throws(HeadError) {
    try append(reference, at: time, .staleMarker)
  }

  /// Forgets sealed chunks that ended before `time`, and series without anything newer.
  ///
  /// A chunk goes as a whole, so up to two minutes more than asked for may stay.
  ///
  /// - Parameters:
  ///   - part: which part of the series is looked at, from 0.
  ///   - parts: into how many the work is divided.
  public mutating func removeSamples(before time: Timestamp, part: Int = 0, of parts: Int = 1) {
    var gone: [Int] = []
    let first = series.count * part / parts
    for slot in first..<(series.count * (part + 1) / parts) where series[slot].epoch != 0 {
      guard series[slot].hasSamples else { continue }
      if series[slot].lastTime < time {
        gone.append(slot)
      } else if let oldest = series[slot].sealed.first, oldest.end < time {
        let expired = series[slot].sealed.prefix { $0.end < time }.count
        series[slot].sealed.removeFirst(expired)
      }
    }
    remove(gone)
  }

  /// Forgets samples later than `time`; their series stay.
  ///
  /// After the clock was set back they would hide what is collected from then on, which is older by
  /// the clock, and would be taken for new when the clock comes to them once more.
  public mutating func removeSamples(after time: Timestamp) {
    for slot in series.indices where series[slot].epoch != 0 {
      series[slot].removeSamples(after: time)
    }
  }

  /// - Parameter slots: ascending.
  private mutating func remove(_ slots: [Int]) {
    guard !slots.isEmpty else { return }
    index.remove(slots.map { (series[$0].labels, Int32($0)) })
    for slot in slots {
      if series[slot].isRemote { remoteSeriesCount -= 1 }
      references[series[slot].labels] = nil
      series[slot] = HeadSeries(labels: Labels(), slot: slot, epoch: 0)
    }
    // The lowest is used again first: the index likes them in order.
    free += slots.reversed().map { Int32($0) }
    changes += 1
  }

  /// What readers elsewhere get; later changes to the head do not show in it.
  public func snapshot() -> Snapshot { Snapshot(self) }

  /// Label names in use, sorted by their bytes.
  public var labelNames: [String] { index.names }

  /// The values of one label, sorted by their bytes.
  public func labelValues(_ name: String) -> [String] { index.values(of: name) }

  /// Samples held and the bytes they take, without labels and index.
  public var usage: (samples: Int, bytes: Int) {
    var samples = 0
    var bytes = 0
    for one in series {
      samples += one.open.count + one.sealed.reduce(0) { $0 + $1.count }
      bytes += one.open.capacity * MemoryLayout<Sample>.stride
      bytes += one.sealed.reduce(0) { $0 + $1.byteCount }
    }
    return (samples, bytes)
  }

  /// Sealed chunks and open samples of a series, for whoever writes them to disk.
  public func contents(
    of reference: SeriesReference
  ) -> (sealed: [Chunk], open: [Sample])? {
    guard let one = existing(reference) else { return nil }
    return (one.sealed, one.open)
  }

  /// Says that a series that is calculated here had samples from elsewhere among its inputs.
  public mutating func markRemote(_ reference: SeriesReference) {
    guard existing(reference)?.isRemote == false else { return }
    series[Int(reference.slot)].isTainted = true
    remoteSeriesCount += 1
    changes += 1
  }

  /// Every series that was collected or calculated here and has not ended.
  public var liveReferences: [SeriesReference] {
    series.indices.compactMap { slot in
      let one = series[slot]
      guard one.epoch != 0, !one.isForeign, one.hasSamples, !one.lastValue.isStaleMarker else {
        return nil
      }
      return SeriesReference(slot: Int32(slot), epoch: one.epoch)
    }
  }

  /// The samples appended since the last call, in order; empty unless `keepsJournal`.
  public mutating func takeJournal() -> [JournalEntry] {
    let taken = journal
    journal = []
    return taken
  }

  private func existing(_ reference: SeriesReference) -> HeadSeries? {
    let slot = Int(reference.slot)
    guard slot >= 0, slot < series.count, series[slot].epoch == reference.epoch else { return nil }
    return series[slot]
  }
}

extension Head: SeriesSource {
  public var generation: UInt64? { changes }

  /// Whatever the interval: the head looks at labels only.
  public func select(
    _ matchers: [Matcher], after: Timestamp, through: Timestamp
  ) throws(SeriesSourceError) -> [SeriesReference] {
    var found: [SeriesReference] = []
    for slot in index.candidates(matchers) {
      let one = series[Int(slot)]
      if matchers.allSatisfy({ $0.matches(one.labels) }) {
        found.append(SeriesReference(slot: slot, epoch: one.epoch))
      }
    }
    return found
  }

  public func isRemote(_ reference: SeriesReference) -> Bool {
    remoteSeriesCount > 0 && existing(reference)?.isRemote == true
  }

  /// Empty for a series that has been removed.
  public func labels(of reference: SeriesReference) -> Labels {
    existing(reference)?.labels ?? Labels()
  }

  /// The newest sample in `(after, through]`, staleness markers included.
  public func lastSample(
    of reference: SeriesReference, after: Timestamp, through: Timestamp
  ) -> Sample? {
    let slot = Int(reference.slot)
    guard slot >= 0, slot < series.count, series[slot].epoch == reference.epoch else {
      return nil
    }
    // The common case without copying the series out of the array.
    let newest = series[slot].lastTime
    if newest <= through {
      guard newest > after, series[slot].hasSamples else { return nil }
      return Sample(timestamp: newest, value: series[slot].lastValue)
    }
    return series[slot].lastSample(after: after, through: through)
  }

  /// Appends the samples in `(after, through]`, staleness markers included.
  public func collect(
    _ reference: SeriesReference, after: Timestamp, through: Timestamp,
    into samples: inout [Sample]
  ) {
    let slot = Int(reference.slot)
    guard slot >= 0, slot < series.count, series[slot].epoch == reference.epoch else { return }
    series[slot].collect(after: after, through: through, into: &samples)
  }
}
