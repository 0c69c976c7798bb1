import LifeguardCore
import Synchronization

/// What one store has been sent, for `/metrics`; names follow `prometheus_remote_storage_*`.
final class RemoteWriteStatus: Sendable {
  private struct Counts {
    var samples: UInt64 = 0
    var requests: UInt64 = 0
    var bytes: UInt64 = 0
    var retried: UInt64 = 0
    var failed: UInt64 = 0
    var dropped: UInt64 = 0
    var waiting = 0
    var spoolBytes = 0
    var newest: Timestamp?
    var lastError = ""
    var dropReason = ""
    /// On CLOCK_BOOTTIME.
    var droppedAt: Duration?
    var trouble = ""
  }

  private let name: String
  private let counts = Mutex(Counts())

  init(name: String) {
    self.name = name
  }

  func sent(_ request: RemoteWriteRequest) {
    counts.withLock { counts in
      counts.samples += UInt64(request.samples)
      counts.requests += 1
      counts.bytes += UInt64(request.body.count)
      counts.newest = max(counts.newest ?? request.newest, request.newest)
      counts.lastError = ""
    }
  }

  func retry(_ request: RemoteWriteRequest, _ why: String) {
    counts.withLock { counts in
      counts.retried += UInt64(request.samples)
      counts.lastError = why
    }
  }

  /// The store said that it will never take a request.
  func fail(_ request: RemoteWriteRequest, _ why: String, at now: Duration) {
    counts.withLock { counts in
      counts.failed += UInt64(request.samples)
      counts.lastError = why
      counts.dropReason = why
      counts.droppedAt = now
    }
  }

  /// Samples that never reached the store, because there was no room for them.
  func drop(_ samples: Int, because reason: String, at now: Duration) {
    guard samples > 0 else { return }
    counts.withLock { counts in
      counts.dropped += UInt64(samples)
      counts.dropReason = reason
      counts.droppedAt = now
    }
  }

  func waiting(samples: Int, bytes: Int) {
    counts.withLock { counts in
      counts.waiting = samples
      counts.spoolBytes = bytes
    }
  }

  /// Why the queue's folder cannot be used.
  var trouble: String {
    get { counts.withLock { $0.trouble } }
    set { counts.withLock { $0.trouble = newValue } }
  }

  var dropReason: String { counts.withLock { $0.dropReason } }

  func hasDropped(within length: Duration, at now: Duration) -> Bool {
    counts.withLock { $0.droppedAt.map { now - $0 < length } ?? false }
  }

  /// Samples that wait, and samples that were taken by the store.
  var progress: (waiting: Int, sent: UInt64) {
    counts.withLock { ($0.waiting, $0.samples) }
  }

  /// In the form of `/metrics`, one family after the other with one series each.
  var families: [ExposedFamily] {
    let counts = counts.withLock { $0 }
    let labels: Labels = ["remote_name": name]
    func family(
      _ name: String, _ type: MetricType, _ help: String, _ value: Double
    ) -> ExposedFamily {
      ExposedFamily(
        family: MetricFamily(name: "lifeguard_remote_write_\(name)", help: help, type: type),
        series: [ExposedSeries(labels: labels, value: value)])
    }
    return [
      family("samples_total", .counter, "Samples taken by the store.", Double(counts.samples)),
      family("requests_total", .counter, "Requests taken by the store.", Double(counts.requests)),
      family(
        "bytes_total", .counter, "Bytes sent in requests that were taken, compressed.",
        Double(counts.bytes)),
      family(
        "samples_retried_total", .counter, "Samples sent again after an error that may pass.",
        Double(counts.retried)),
      family(
        "samples_failed_total", .counter, "Samples that the store refused for good.",
        Double(counts.failed)),
      family(
        "samples_dropped_total", .counter,
        "Samples that were lost because the queue was full or the disk took nothing.",
        Double(counts.dropped)),
      family("samples_pending", .gauge, "Samples that wait.", Double(counts.waiting)),
      family(
        "spool_bytes", .gauge, "Bytes on disk of samples that wait.", Double(counts.spoolBytes)),
      family(
        "queue_highest_sent_timestamp_seconds", .gauge,
        "Time of the newest sample that the store took.", counts.newest?.seconds ?? 0),
    ]
  }
}
