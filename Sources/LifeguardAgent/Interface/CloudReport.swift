import LifeguardAWS
import LifeguardConfiguration
import LifeguardCore

/// What is handed to CloudWatch and what that costs: `lifeguard explain aws`.
public struct CloudReport: Sendable, Codable {
  /// How one kind of upload goes.
  public struct Progress: Sendable, Codable {
    public var kind: String
    public var sent: UInt64
    public var requests: UInt64
    public var dropped: UInt64
    public var waiting: Int
    public var failure: String?
  }

  /// nil where no metrics are published.
  public var namespace: String?
  public var metrics: [String] = []
  /// With their values where an agent knows them: `InstanceId=i-0123`.
  public var dimensions: [String] = []
  /// `group/stream (json)`; nil where no lines are written.
  public var log: String?
  /// Whether notices of the machine's end are listened for, and the plan that answers them.
  public var listens: Bool
  public var terminationPlan: String?
  /// What an agent counted; of a configuration alone, one series a metric is assumed.
  public var isCounted = false
  public var use: CloudUse
  public var cost: CloudCost
  public var prices = CloudCost.source
  public var progress: [Progress] = []

  /// What a configuration says.
  public init(_ settings: CloudSettings?) { self.init(settings, session: nil) }

  init(_ settings: CloudSettings?, session: CloudSession?) {
    let published = settings?.cloudWatch
    let isPublishing = published != nil || settings?.logs != nil
    let names = isPublishing ? (settings?.metrics ?? []).map(\.name) : []
    let wanted = published?.dimensions ?? []
    let known = published == nil ? nil : session?.context.dimensionSets(wanted)
    let counted = session?.metrics?.metricCount ?? 0
    let measured = session?.logs?.lineBytes ?? 0
    namespace = published?.namespace
    metrics = names
    dimensions =
      known.map { $0.map { $0.map { "\($0.name)=\($0.value)" }.joined(separator: ", ") } }
      ?? wanted.map { $0.joined(separator: ", ") }
    listens = settings?.termination.watches ?? false
    terminationPlan = settings?.termination.plan
    log = settings?.logs.map { logs in
      let written = logs.stream.isEmpty ? "the instance's id" : logs.stream
      return "\(logs.group)/\(session?.logs?.stream ?? written) (\(logs.format.rawValue))"
    }
    isCounted = counted > 0
    use = CloudUse(
      metrics: published == nil ? 0 : counted > 0 ? counted : names.count,
      dimensionSets: known?.count ?? wanted.count,
      resolution: published?.resolution ?? .seconds(60),
      sendEvery: published?.sendEvery ?? .seconds(60),
      lineBytes: settings?.logs.map { logs in
        measured > 0 ? measured : Self.usualBytes(names, logs.format)
      }, lineEvery: settings?.logs?.every)
    cost = CloudCost(use)
    progress = (session?.statuses ?? []).map { status in
      let counts = status.counts
      return Progress(
        kind: status.kind, sent: counts.sent, requests: counts.requests, dropped: counts.dropped,
        waiting: counts.waiting, failure: counts.failure)
    }
  }

  /// Before the first line: a name, a number of six digits and `"":,` for each metric; the embedded
  /// format declares each of them as well.
  private static func usualBytes(_ metrics: [String], _ format: CloudLogSettings.Format) -> Int {
    let line = metrics.reduce(2) { $0 + $1.utf8.count + 10 }
    return format == .json ? line : line + metrics.reduce(250) { $0 + $1.utf8.count + 30 }
  }
}
