import LifeguardCore
import Synchronization

/// What came in by remote write since the start, and the gate before it.
final class IncomingWrites: Sendable {
  /// Counts for `/metrics`.
  struct Counts: Sendable {
    var requests: UInt64 = 0
    var samples: UInt64 = 0
    var outOfOrder: UInt64 = 0
    var duplicates: UInt64 = 0
    var outOfBounds: UInt64 = 0
    var refusedSeries: UInt64 = 0
    var invalidSeries: UInt64 = 0
    var exemplars: UInt64 = 0
    var histograms: UInt64 = 0
    var malformed: UInt64 = 0
    var busy: UInt64 = 0

    mutating func add(_ outcome: WriteOutcome) {
      requests += 1
      samples += UInt64(outcome.accepted)
      outOfOrder += UInt64(outcome.outOfOrder)
      duplicates += UInt64(outcome.duplicates)
      outOfBounds += UInt64(outcome.outOfBounds)
      refusedSeries += UInt64(outcome.refusedSeries)
      invalidSeries += UInt64(outcome.invalidSeries)
      exemplars += UInt64(outcome.skippedExemplars)
      histograms += UInt64(outcome.skippedHistograms)
      let refused =
        outcome.outOfOrder + outcome.duplicates + outcome.outOfBounds + outcome.refusedSeries
        + outcome.invalidSeries
      if outcome.problem != nil, refused == 0 { malformed += 1 }
    }
  }

  let gate = WriteGate()
  private let counts = Mutex(Counts())

  func count(_ change: (inout Counts) -> Void) { counts.withLock { change(&$0) } }

  /// In the form of `/metrics`; nothing before the first request.
  var families: [ExposedFamily] {
    let counts = counts.withLock { $0 }
    guard counts.requests + counts.busy > 0 else { return [] }
    func counter(_ name: String, _ help: String, _ series: [(Labels, UInt64)]) -> ExposedFamily {
      ExposedFamily(
        family: MetricFamily(name: name, help: help, type: .counter),
        series: series.map { ExposedSeries(labels: $0.0, value: Double($0.1)) })
    }
    let reasons: [(Labels, UInt64)] = [
      (["reason": "out_of_order"], counts.outOfOrder), (["reason": "duplicate"], counts.duplicates),
      (["reason": "out_of_bounds"], counts.outOfBounds),
      (["reason": "series_refused"], counts.refusedSeries),
      (["reason": "invalid_labels"], counts.invalidSeries),
      (["reason": "exemplar"], counts.exemplars), (["reason": "histogram"], counts.histograms),
    ]
    return [
      counter(
        "lifeguard_remote_write_received_requests_total", "Remote write requests received.",
        [([:], counts.requests)]),
      counter(
        "lifeguard_remote_write_received_samples_total", "Samples taken in by remote write.",
        [([:], counts.samples)]),
      counter(
        "lifeguard_remote_write_received_refused_total",
        "Samples and series received by remote write and not taken in, by reason.", reasons),
      counter(
        "lifeguard_remote_write_received_malformed_total",
        "Remote write requests that could not be read.", [([:], counts.malformed)]),
      counter(
        "lifeguard_remote_write_received_busy_total",
        "Remote write requests sent away because too many came at once.", [([:], counts.busy)]),
    ]
  }
}
