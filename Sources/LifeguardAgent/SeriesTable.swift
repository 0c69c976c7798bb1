import LifeguardCore
import LifeguardHost
import LifeguardStore

/// What the agent remembers of each collector: where its slots' samples go, and its last values.
struct SeriesTable {
  struct Slot {
    var family: MetricFamily
    var labels: Labels
    var reference: SeriesReference?
    var value: Double
    /// Its number in `samples.db`'s rows.
    var number: Int
  }

  struct Collector {
    var slots: [Slot?] = []
    var duration: Duration = .zero
    var problem: String?

    var seriesCount: Int { slots.count { $0 != nil } }
  }

  private(set) var collectors: [String: Collector] = [:]
  private let common: Labels
  private var nextNumber = 0
  /// Series that found no room in memory and still have none.
  private(set) var withoutRoom = 0
  /// What rows that were lost said of series; the next one says it.
  private var untold: (introduced: [(series: Int, labels: Labels)], ended: [Int]) = ([], [])

  /// - Parameter common: Added to every stored series: job, instance and external labels.
  init(common: Labels) {
    self.common = common
  }

  mutating func newRow(at time: Timestamp) -> SampleRow {
    defer { untold = ([], []) }
    return SampleRow(
      timestamp: time, series: [], values: [], introduced: untold.introduced, ended: untold.ended)
  }

  /// Hands a row to the disk without waiting. The samples of one that finds no room are lost there;
  /// what it says of series is kept for the next row, or they would be lost for good.
  ///
  /// - Returns: false when it was lost.
  mutating func hand(_ row: SampleRow, to samples: SampleStore) -> Bool {
    if !row.series.isEmpty, samples.offer(row) { return true }
    let introduced = Set(row.introduced.map(\.series))
    let ended = Set(row.ended)
    untold.introduced = row.introduced.filter { !ended.contains($0.series) }
    untold.ended = row.ended.filter { !introduced.contains($0) }
    return row.series.isEmpty
  }

  /// Puts a batch into the head and into the row for the disk; nothing is hashed unless a series
  /// is new.
  mutating func take(
    _ batch: CollectedBatch, into turn: inout Turn, row: inout SampleRow
  ) {
    var collector = collectors.removeValue(forKey: batch.collector) ?? Collector()
    collector.duration = batch.duration
    // What this host does not have is no problem.
    collector.problem = batch.failure.flatMap { $0.isAbsence ? nil : "\($0)" }
    if collector.slots.count < batch.values.count {
      collector.slots += Array(repeating: nil, count: batch.values.count - collector.slots.count)
    }
    for started in batch.started {
      collector.slots[started.slot] = begin(started, batch, &turn, &row)
    }
    for index in batch.values.indices {
      if collector.slots[index]?.reference == nil { placeAgain(index, &collector, &turn, &row) }
      guard let slot = collector.slots[index] else { continue }
      let value = batch.values[index]
      collector.slots[index]?.value = value
      guard let reference = slot.reference else { continue }
      do throws(HeadError) {
        try turn.head.append(reference, at: batch.takenAt, value)
        row.series.append(slot.number)
        row.values.append(value)
      } catch {
        // Out of order after a clock that jumped back is counted by the head, and over by itself.
        // After one that jumped ahead, a series may have been forgotten for its age.
        if error == .unknownSeries {
          collector.slots[index]?.reference = nil
          withoutRoom += 1
          placeAgain(index, &collector, &turn, &row)
        }
      }
    }
    for index in batch.ended {
      if let slot = collector.slots[index] {
        row.ended.append(slot.number)
        if slot.reference == nil { withoutRoom -= 1 }
      }
      collector.slots[index] = nil
    }
    collectors[batch.collector] = collector
  }

  private mutating func begin(
    _ started: StartedSeries, _ batch: CollectedBatch, _ turn: inout Turn,
    _ row: inout SampleRow
  ) -> Slot {
    if batch.interval > .seconds(1) {
      turn.sourceIntervals[started.family.name] = batch.interval
    }
    var slot = Slot(
      family: started.family, labels: started.labels, reference: nil, value: .nan,
      number: nextNumber)
    nextNumber += 1
    refer(&slot, &turn, &row)
    if slot.reference == nil { withoutRoom += 1 }
    return slot
  }

  /// A series that had no room is given some that others have left.
  private mutating func placeAgain(
    _ index: Int, _ collector: inout Collector, _ turn: inout Turn, _ row: inout SampleRow
  ) {
    guard turn.head.seriesCount < turn.head.seriesMax, var slot = collector.slots[index] else {
      return
    }
    refer(&slot, &turn, &row)
    if slot.reference != nil { withoutRoom -= 1 }
    collector.slots[index] = slot
  }

  /// Gives a series its place in memory and on the disk. Without one it is shown on `/metrics` all
  /// the same, and gets its place when others have gone.
  private func refer(_ slot: inout Slot, _ turn: inout Turn, _ row: inout SampleRow) {
    var labels = common
    for label in slot.labels { labels[label.name] = label.value }
    labels[Labels.metricName] = slot.family.name
    do throws(HeadError) {
      slot.reference = try turn.head.reference(for: labels)
      row.introduced.append((slot.number, labels))
    } catch {
      // Counted by the head, and told as a problem.
      return
    }
  }

  /// What the metrics that were collected last mean.
  var descriptions: [MetricFamily] {
    var known: Set<String> = []
    var found: [MetricFamily] = []
    for collector in collectors.values {
      for case .some(let slot) in collector.slots where known.insert(slot.family.name).inserted {
        found.append(slot.family)
      }
    }
    return found
  }

  /// Everything that was collected last, by family, for `/metrics`.
  var families: [ExposedFamily] {
    var byName: [String: ExposedFamily] = [:]
    for collector in collectors.values {
      for case .some(let slot) in collector.slots where !slot.value.isStaleMarker {
        byName[slot.family.name, default: ExposedFamily(family: slot.family, series: [])]
          .series.append(ExposedSeries(labels: slot.labels, value: slot.value))
      }
    }
    return byName.values.sorted { $0.family.name < $1.family.name }
  }
}
