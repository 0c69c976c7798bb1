import LifeguardCore

/// What the function remembers between invocations: the monitor's state, the samples that rules
/// still read, messages on their way, and who is at work on what.
struct FleetDocument: Sendable, Codable {
  /// The form of this value; a newer one is not read.
  static let version = 1

  /// A series' samples, oldest first.
  struct Series: Sendable, Codable {
    var labels: Labels
    var times: [Int64]
    /// nil is the marker that says that the series ended.
    var values: [Double?]
  }

  /// A message that was decided and is not known to be delivered.
  struct Message: Sendable, Codable {
    var receiver: String
    var announcement: Announcement
    /// Whoever wrote it sends it until then; afterwards anybody may.
    var leaseUntil: Int64
  }

  var form = FleetDocument.version
  var state = MonitorState()
  var series: [Series] = []
  var outbox: [Message] = []
  /// By attempt: until when whoever runs it must be left alone, milliseconds since 1970.
  var leases: [String: Int64] = [:]
  /// When a server was last heard of, milliseconds since 1970.
  var instances: [String: Int64] = [:]
  /// Servers that a step was about to stop and to start again, by attempt, until it is known that
  /// they were started. Nil, as in states of before: none.
  var starts: [String: Start]?
  /// What holds the actions of an alarm back, by the alarm's name.
  var suppressed: [String: String]?
  /// When servers last went bad in numbers, milliseconds since 1970; nil when all is calm (G5).
  var stormAt: Int64?

  /// A server that must be started again.
  struct Start: Sendable, Codable {
    var instance: String
    /// Milliseconds since 1970.
    var since: Int64
  }

  init() {}

  /// DynamoDB takes items up to 400 KB; the rest is for names and claims.
  static let bytesMax = 380_000
  /// More is not kept; the oldest go first.
  static let messagesMax = 50
  static let instancesMax = 2000
  static let seriesMax = 500
  static let samplesMax = 8000

  /// After that, somebody else has to look after a server that could not be started.
  static let startsKept: Int64 = 24 * 3_600_000

  mutating func noteInstances(_ names: some Sequence<String>, at now: Timestamp) {
    for name in names { instances[name] = now.milliseconds }
    let oldest = now.milliseconds - 3_600_000
    instances = instances.filter { $0.value >= oldest }
    dropInstances(to: Self.instancesMax)
  }

  mutating func dropExpiredLeases(at now: Timestamp) {
    leases = leases.filter { $0.value > now.milliseconds }
  }

  /// Drops what can be missed, least first, until the state fits into an item.
  ///
  /// - Parameter step: from 0, one after the other.
  /// - Returns: what was dropped; nil when there is no such step.
  mutating func shed(_ step: Int) -> String? {
    switch step {
    case 0:
      keepSamples { max($0 / 2, 1) }
      return "the older half of every window"
    case 1:
      keepSamples { _ in 1 }
      return "all windows but the newest sample of each series"
    case 2:
      dropInstances(to: Self.instancesMax / 10)
      return "servers that were not heard of lately, so that the fleet counts as smaller"
    case 3:
      outbox = Array(outbox.suffix(10))
      return "messages but the newest 10"
    default: return nil
    }
  }

  private mutating func keepSamples(_ count: (Int) -> Int) {
    for index in series.indices {
      let kept = count(series[index].times.count)
      series[index].times = Array(series[index].times.suffix(kept))
      series[index].values = Array(series[index].values.suffix(kept))
    }
  }

  private mutating func dropInstances(to most: Int) {
    guard instances.count > most else { return }
    let kept = instances.sorted { $0.value > $1.value }.prefix(most)
    instances = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
  }
}

extension FleetDocument {
  /// Series of alarms' states, with their last values; nil for one that says nothing at present.
  var alarms: [(labels: Labels, value: Double?)] {
    series.filter { $0.labels.metric == AlarmEvent.metricName }.map { series in
      var labels = series.labels
      labels[Labels.metricName] = nil
      return (labels, series.values.last ?? nil)
    }
  }

  /// Servers by the names that EC2 and Systems Manager give: what else writes into a log, such as a
  /// function, makes no fleet larger.
  var servers: [String] {
    instances.keys.filter { $0.hasPrefix("i-") || $0.hasPrefix("mi-") }.sorted()
  }

  /// Takes in what holds alarms back, and which ones nothing does any more.
  mutating func hold(_ alarms: [String: String?]) {
    var known = suppressed ?? [:]
    for (alarm, by) in alarms { known[alarm] = by }
    suppressed = known.isEmpty ? nil : known
  }
}
