import LifeguardCore

/// What a query needs from the disk, packed as it was there: read once, evaluated anywhere.
///
/// Series of the same labels are one, whoever wrote them. Down-sampled data stands in where single
/// samples have expired, each selector getting the figure that its function asks for; `infos` says
/// so.
public struct StoredSource: SeriesSource {
  struct Series: Sendable {
    var labels: Labels
    var isRemote: Bool
    /// In order of time.
    var pieces: [StoredPiece] = []
    /// What the log holds, in order of time.
    var tail: [Sample] = []
    /// Whether pieces or the tail overlap in time, so that reading has to sort.
    var overlaps = false
  }

  let series: [Series]
  private let query: Query?
  let reads: [SelectorRead]
  /// The series that each read's matchers pick.
  private let matched: [[Int32]]
  /// Chunks that were damaged and are missing.
  public let damaged: Int

  /// Without a read of its own, a reference remembers its use in the epoch above this.
  private static let plainEpoch: UInt32 = 1 << 31

  init(
    series: [Series], query: Query?, reads: [SelectorRead], matched: [[Int32]], damaged: Int
  ) {
    self.series = series
    self.query = query
    self.reads = reads
    self.matched = matched
    self.damaged = damaged
  }

  /// Nothing changes here.
  public var generation: UInt64? { 0 }

  public var seriesCount: Int { series.count }

  /// That damaged data was left out.
  public var warnings: [Annotation] {
    guard let query, damaged > 0 else { return [] }
    return [.damagedSamples(damaged, in: query.text)]
  }

  /// That a selector read down-sampled data.
  public var infos: [Annotation] {
    guard let query else { return [] }
    var infos: [Annotation] = []
    for (index, read) in reads.enumerated() {
      var newest = Int64.min
      var coarsest = Resolution.raw
      for slot in matched[index] {
        for piece in series[Int(slot)].pieces where piece.resolution != .raw {
          guard piece.end > read.after.milliseconds, piece.start <= read.through.milliseconds
          else { continue }
          newest = max(newest, piece.end)
          coarsest = max(coarsest, piece.resolution)
        }
      }
      if coarsest == .raw { continue }
      infos.append(
        .downsampled(
          read.use, before: Timestamp(milliseconds: newest),
          resolution: .milliseconds(coarsest.milliseconds), at: read.position, in: query.text))
    }
    return infos
  }

  /// As for an instant selector.
  public func select(
    _ matchers: [Matcher], after: Timestamp, through: Timestamp
  ) throws(SeriesSourceError) -> [SeriesReference] {
    try select(matchers, after: after, through: through, use: .instant)
  }

  /// The series that were read for these matchers and this use.
  public func select(
    _ matchers: [Matcher], after: Timestamp, through: Timestamp, use: SampleUse
  ) throws(SeriesSourceError) -> [SeriesReference] {
    var best: Int?
    for (index, read) in reads.enumerated()
    where read.use == use && read.matchers == matchers
      && read.window < best.map({ reads[$0].window }) ?? .seconds(Int64.max / 4)
    { best = index }
    if let best {
      return matched[best].map { SeriesReference(slot: $0, epoch: UInt32(best)) }
    }
    let epoch = Self.plainEpoch | UInt32(use.rawValue)
    return series.indices.filter { index in
      matchers.allSatisfy { $0.matches(series[index].labels) }
    }.map { SeriesReference(slot: Int32($0), epoch: epoch) }
  }

  public func labels(of reference: SeriesReference) -> Labels {
    series[Int(reference.slot)].labels
  }

  /// Whether the series was written from elsewhere.
  public func isRemote(_ reference: SeriesReference) -> Bool {
    series[Int(reference.slot)].isRemote
  }

  /// The newest sample in `(after, through]`, staleness markers included.
  public func lastSample(
    of reference: SeriesReference, after: Timestamp, through: Timestamp
  ) -> Sample? {
    let one = series[Int(reference.slot)]
    var found: [Sample] = []
    if one.overlaps {
      collect(reference, after: after, through: through, into: &found)
      return found.last
    }
    if let last = one.tail.last(where: { $0.timestamp <= through }) {
      return last.timestamp > after ? last : nil
    }
    for piece in one.pieces.reversed() where piece.start <= through.milliseconds {
      guard piece.end > after.milliseconds else { return nil }
      if piece.resolution != .raw {
        collect(reference, after: after, through: through, into: &found)
        return found.last
      }
      var reader = reader(reference, after: after, through: through)
      reader.read([piece], into: &found)
      if let last = found.last { return last }
    }
    return nil
  }

  /// Appends the samples in `(after, through]`, staleness markers included.
  public func collect(
    _ reference: SeriesReference, after: Timestamp, through: Timestamp,
    into samples: inout [Sample]
  ) {
    let one = series[Int(reference.slot)]
    var reader = reader(reference, after: after, through: through)
    guard one.overlaps else {
      reader.read(one.pieces, before: one.tail.first?.timestamp, into: &samples)
      for sample in one.tail where sample.timestamp > after && sample.timestamp <= through {
        samples.append(sample)
      }
      return
    }
    var mixed: [Sample] = []
    reader.read(one.pieces.filter { $0.resolution != .raw }, into: &mixed)
    // What was stored first stays.
    for piece in one.pieces.filter({ $0.resolution == .raw }).sorted(by: { $0.block < $1.block }) {
      reader.read([piece], into: &mixed)
    }
    mixed += one.tail.filter { $0.timestamp > after && $0.timestamp <= through }
    _ = mixed.sortByTime()
    samples += mixed
  }

  private func reader(
    _ reference: SeriesReference, after: Timestamp, through: Timestamp
  ) -> PieceReader {
    if reference.epoch >= Self.plainEpoch {
      let use = SampleUse(rawValue: UInt8(truncatingIfNeeded: reference.epoch)) ?? .instant
      return PieceReader(use: use, window: 300_000, after: after, through: through)
    }
    let read = reads[Int(reference.epoch)]
    return PieceReader(
      use: read.use, window: read.window.milliseconds, after: after, through: through)
  }

  /// A handle on a series by its position, without one of the query's reads.
  func plain(_ index: Int, _ use: SampleUse) -> SeriesReference {
    SeriesReference(slot: Int32(index), epoch: Self.plainEpoch | UInt32(use.rawValue))
  }
}
