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

  /// - Parameter common: Added to every stored series: job, instance and external labels.
  init(common: Labels) {
    self.common = common
  }

  func newRow(at time: Timestamp) -> SampleRow {
    SampleRow(timestamp: time, series: [], values: [])
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
      guard let slot = collector.slots[index] else { continue }
      let value = batch.values[index]
      collector.slots[index]?.value = value
      guard let reference = slot.reference else { continue }
      do {
        try turn.head.append(reference, at: batch.takenAt, value)
        row.series.append(slot.number)
        row.values.append(value)
      } catch {
        // Counted by the head: out of order after a clock that jumped back. It is over by itself.
        continue
      }
    }
    for index in batch.ended {
      if let slot = collector.slots[index] { row.ended.append(slot.number) }
      collector.slots[index] = nil
    }
    collectors[batch.collector] = collector
  }

  private mutating func begin(
    _ started: StartedSeries, _ batch: CollectedBatch, _ turn: inout Turn,
    _ row: inout SampleRow
  ) -> Slot {
    var labels = common
    for label in started.labels { labels[label.name] = label.value }
    labels[Labels.metricName] = started.family.name
    if batch.interval > .seconds(1) {
      turn.sourceIntervals[started.family.name] = batch.interval
    }
    let number = nextNumber
    nextNumber += 1
    // The head counts what its limit refuses; the series is shown on `/metrics` all the same.
    let reference = try? turn.head.reference(for: labels)
    if reference != nil { row.introduced.append((number, labels)) }
    return Slot(
      family: started.family, labels: started.labels, reference: reference, value: .nan,
      number: number)
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
