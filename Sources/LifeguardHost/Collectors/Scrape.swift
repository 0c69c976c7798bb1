import LifeguardCore

/// The place of one series in a collector's batches, fixed as long as the collector keeps it.
public struct Slot: Hashable, Sendable {
  /// Where its value stands in `CollectedBatch.values`.
  public let index: Int
}

/// Where a collector puts its values: each series has a slot, and a value is one store to memory.
///
/// A collector registers a series once and from then on only writes `scrape[slot] = value`. A slot
/// that is not written in a collection has no value then, so the series ends there (a staleness
/// marker); it is announced anew when it is written again. Nothing is hashed in the steady state.
public struct Scrape {
  /// When this collection began, on CLOCK_BOOTTIME, set by who runs it; for figures that are rates.
  public var boottime: Duration = .zero

  private struct Record {
    var family: MetricFamily
    var labels: Labels
    var isAnnounced = false
    var isReleased = false
  }

  /// Marks a slot without a value; a NaN whose bits no measurement has.
  private static let unwritten = Double(bitPattern: 0x7ff0_0000_0000_4c47)

  private var records: ContiguousArray<Record> = []
  private var free: [Int] = []
  private var released: [Int] = []
  private var values: ContiguousArray<Double> = []

  public init() {}

  /// Gives a series a slot. `labels` are those beyond `__name__`, `job` and `instance`.
  public mutating func register(_ family: MetricFamily, _ labels: Labels = Labels()) -> Slot {
    let record = Record(family: family, labels: labels)
    if let index = free.popLast() {
      records[index] = record
      return Slot(index: index)
    }
    records.append(record)
    values.append(Self.unwritten)
    return Slot(index: records.count - 1)
  }

  /// Gives a slot back; its series ends with this collection, whatever was written.
  public mutating func release(_ slot: Slot) {
    guard !records[slot.index].isReleased else { return }
    records[slot.index].isReleased = true
    released.append(slot.index)
  }

  /// Writes the value of a series in this collection.
  public subscript(slot: Slot) -> Double {
    get { values[slot.index] }
    set { values[slot.index] = newValue }
  }

  /// How many slots there are, free ones included.
  public var count: Int { values.count }

  /// Has every series announced again when it is next written.
  mutating func announceAll() {
    for index in records.indices { records[index].isAnnounced = false }
  }

  /// Ends a collection that was run by itself, without a schedule.
  public mutating func finish() -> (
    values: ContiguousArray<Double>, started: [StartedSeries], ended: [Int]
  ) {
    finish(failed: false)
  }

  /// Ends the collection: what has appeared, what has ended, and the values.
  ///
  /// - Parameter failed: The collection failed half-way: what was written is thrown away and
  ///   every series ends, because a partial picture looks like a change of the host.
  mutating func finish(
    failed: Bool
  ) -> (values: ContiguousArray<Double>, started: [StartedSeries], ended: [Int]) {
    var started: [StartedSeries] = []
    var ended: [Int] = []
    if failed { for index in values.indices { values[index] = Self.unwritten } }
    for index in released { values[index] = Self.unwritten }
    for index in values.indices {
      if values[index].bitPattern == Self.unwritten.bitPattern {
        values[index] = .staleMarker
        guard records[index].isAnnounced else { continue }
        records[index].isAnnounced = false
        ended.append(index)
      } else if !records[index].isAnnounced {
        records[index].isAnnounced = true
        started.append(
          StartedSeries(
            slot: index, family: records[index].family, labels: records[index].labels))
      }
    }
    free.append(contentsOf: released)
    released.removeAll(keepingCapacity: true)
    let finished = values
    values = ContiguousArray(repeating: Self.unwritten, count: finished.count)
    return (finished, started, ended)
  }
}
