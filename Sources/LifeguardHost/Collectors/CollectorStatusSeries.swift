import LifeguardCore

/// The series about the collectors themselves, under node_exporter's names.
struct CollectorStatusSeries {
  private struct Known {
    var success: Slot
    var duration: Slot
    var quarantined: Slot
    var values: (success: Double, duration: Double, quarantined: Double)
  }

  private let success = MetricFamily(
    name: "node_scrape_collector_success",
    help: "node_exporter: Whether a collector succeeded.", type: .gauge)
  private let duration = MetricFamily(
    name: "node_scrape_collector_duration_seconds",
    help: "node_exporter: Duration of a collector scrape.", type: .gauge, unit: "seconds")
  private let quarantined = MetricFamily(
    name: "lifeguard_collector_quarantined",
    help: "Whether a collector hangs and is left alone for a while.", type: .gauge)
  private var scrape = Scrape()
  private var known: [String: Known] = [:]
  private var hasChanged = false
  private var next: Int64 = 0
  private let every: Int64
  private let interval: Duration

  /// Durations of collectors interest nobody each second: written every 15 s, and at once when a
  /// collector begins or ceases to fail.
  init(tick: Duration) {
    every = max(1, Duration.seconds(15).nanoseconds / tick.nanoseconds)
    interval = .nanoseconds(every * tick.nanoseconds)
  }

  /// Takes down how a collection went. A collector with nothing to collect here is left out.
  mutating func note(_ batch: CollectedBatch) {
    if batch.failure?.isAbsence == true {
      if let gone = known.removeValue(forKey: batch.collector) {
        for slot in [gone.success, gone.duration, gone.quarantined] { scrape.release(slot) }
      }
      return
    }
    let values = (
      success: batch.failure == nil ? 1.0 : 0, duration: batch.duration.seconds,
      quarantined: batch.isQuarantined ? 1.0 : 0
    )
    if known[batch.collector] == nil {
      let labels: Labels = ["collector": batch.collector]
      known[batch.collector] = Known(
        success: scrape.register(success, labels), duration: scrape.register(duration, labels),
        quarantined: scrape.register(quarantined, labels), values: values)
      hasChanged = true
    }
    guard let old = known[batch.collector]?.values else { return }
    if old.success != values.success || old.quarantined != values.quarantined { hasChanged = true }
    known[batch.collector]?.values = values
  }

  /// The batch for tick `number`, when one is due.
  mutating func batch(_ number: Int64, takenAt: Timestamp) -> CollectedBatch? {
    guard hasChanged || number >= next else { return nil }
    hasChanged = false
    next = number + every
    for entry in known.values {
      scrape[entry.success] = entry.values.success
      scrape[entry.duration] = entry.values.duration
      scrape[entry.quarantined] = entry.values.quarantined
    }
    let (values, started, ended) = scrape.finish(failed: false)
    return CollectedBatch(
      collector: "collectors", takenAt: takenAt, duration: .zero, interval: interval,
      started: started, values: values, ended: ended)
  }
}
