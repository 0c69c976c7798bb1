import LifeguardCore
import Synchronization

/// How handing things to CloudWatch goes, for `/metrics` and for people.
final class CloudStatus: Sendable {
  struct Counts: Sendable {
    var sent: UInt64 = 0
    var requests: UInt64 = 0
    var dropped: UInt64 = 0
    var waiting = 0
    /// Why the last upload failed; nil after one that did not.
    var failure: String?
    /// On CLOCK_BOOTTIME.
    var failingSince: Duration?
    var droppedAt: Duration?
  }

  /// A missing permission must be heard of long before the first datum is lost.
  private static let patience: Duration = .seconds(600)
  private static let recently: Duration = .seconds(300)

  /// `metrics` or `logs`.
  let kind: String
  private let state = Mutex(Counts())

  init(_ kind: String) { self.kind = kind }

  var counts: Counts { state.withLock { $0 } }

  /// Notes an upload.
  ///
  /// - Parameter dropped: all that were given up since the start.
  /// - Returns: whether its failure is another than the last one, and worth a line in the log.
  func uploaded(
    _ accepted: Int, requests: Int, failure: String?, dropped: Int, waiting: Int, at now: Duration
  ) -> Bool {
    state.withLock { state in
      state.sent += UInt64(accepted)
      state.requests += UInt64(requests)
      if UInt64(dropped) > state.dropped { state.droppedAt = now }
      state.dropped = UInt64(dropped)
      state.waiting = waiting
      let isNew = failure != nil && state.failure == nil
      state.failure = failure
      if failure == nil { state.failingSince = nil }
      if failure != nil, state.failingSince == nil { state.failingSince = now }
      return isNew
    }
  }

  /// What a person should know now; nil while all is well.
  func trouble(at now: Duration) -> String? {
    let counts = counts
    let why = counts.failure ?? "there were too many at once"
    if let at = counts.droppedAt, now - at < Self.recently {
      return "\(kind) for CloudWatch are lost: \(why)"
    }
    if let since = counts.failingSince, now - since >= Self.patience {
      return "\(kind) for CloudWatch wait since \((now - since).text): \(why)"
    }
    return nil
  }

  /// One series of each family.
  var families: [ExposedFamily] {
    let counts = counts
    let labels: Labels = ["kind": kind]
    func family(
      _ name: String, _ type: MetricType, _ help: String, _ value: Double
    ) -> ExposedFamily {
      ExposedFamily(
        family: MetricFamily(name: "lifeguard_cloudwatch_\(name)", help: help, type: type),
        series: [ExposedSeries(labels: labels, value: value)])
    }
    return [
      family("sent_total", .counter, "Data and lines that CloudWatch took.", Double(counts.sent)),
      family(
        "requests_total", .counter, "Requests that CloudWatch took.", Double(counts.requests)),
      family(
        "dropped_total", .counter, "Data and lines that were given up.", Double(counts.dropped)),
      family("waiting", .gauge, "Data and lines that wait.", Double(counts.waiting)),
    ]
  }
}
