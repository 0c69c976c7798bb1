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
  /// When an instance was last heard of, milliseconds since 1970.
  var instances: [String: Int64] = [:]

  init() {}

  /// DynamoDB takes items up to 400 KB; the rest is for names and claims.
  static let bytesMax = 380_000
  /// More is not kept; the oldest go first.
  static let messagesMax = 50
  static let instancesMax = 2000
  static let seriesMax = 500
  static let samplesMax = 8000

  mutating func noteInstances(_ names: some Sequence<String>, at now: Timestamp) {
    for name in names { instances[name] = now.milliseconds }
    let oldest = now.milliseconds - 3_600_000
    instances = instances.filter { $0.value >= oldest }
    guard instances.count > Self.instancesMax else { return }
    let kept = instances.sorted { $0.value > $1.value }.prefix(Self.instancesMax)
    instances = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
  }

  mutating func dropExpiredLeases(at now: Timestamp) {
    leases = leases.filter { $0.value > now.milliseconds }
  }
}
