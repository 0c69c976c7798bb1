import LifeguardAgent
import LifeguardCore

/// What is going on, as the API shows it.
public struct StatusView: Sendable, Codable {
  public var host: String
  public var version: String
  public var mode: String
  /// Why nothing is done at all; nil when things are.
  public var frozen: String?
  public var startedAt: WallTime
  public var now: WallTime
  public var listening: String
  public var configurationFile: String?
  /// Of a reload that was refused, when the last good configuration is in force; else what the
  /// last one changed for the next start only.
  public var configurationProblems: [String]
  public var series: Int
  public var rules: Int
  /// Rules that cannot be evaluated, and why.
  public var ruleProblems: [String: String]
  public var collectors: [CollectorStatus]
  public var services: [ServiceView]
  public var alerts: [AlertView]
  /// Those that are open.
  public var incidents: [IncidentView]
  public var silences: [SilenceView]
  public var approvals: [ApprovalView]
  public var storage: StorageStatus
  public var pendingNotifications: Int
  /// Receivers that take no messages, and why.
  public var notificationProblems: [String]
  public var turnMilliseconds: Double

  /// - Parameter nextSteps: what comes next in each open incident.
  public init(_ status: AgentStatus, nextSteps: [Int: String]) {
    host = status.host
    version = status.version
    mode = status.mode
    frozen = status.frozen
    startedAt = WallTime(status.startedAt)
    now = WallTime(status.now)
    listening = status.listening
    configurationFile = status.configurationFile
    configurationProblems = status.configurationProblems
    series = status.series
    rules = status.rules
    ruleProblems = status.ruleProblems
    collectors = status.collectors
    services = status.services.map(ServiceView.init)
    alerts = status.alerts.map(AlertView.init)
    incidents = status.incidents.map { IncidentView($0, next: nextSteps[$0.id]) }
    silences = status.silences.map(SilenceView.init)
    approvals = status.approvals.map(ApprovalView.init)
    storage = status.storage
    pendingNotifications = status.pendingNotifications
    notificationProblems = status.notificationProblems
    turnMilliseconds = status.turnMilliseconds
  }
}

/// A service and how it is.
public struct ServiceView: Sendable, Codable {
  public var name: String
  public var target: String
  /// `up`, `starting`, `down`, `stopped`, `changing` or `unknown`.
  public var state: String
  public var sentence: String
  public var pid: Int32?
  public var since: WallTime?
  public var mode: String

  init(_ service: ServiceStatus) {
    name = service.name
    target = service.target
    state = service.state
    sentence = service.sentence
    pid = service.pid
    since = service.since.map(WallTime.init)
    mode = service.mode
  }
}

/// An alert that is pending or firing.
public struct AlertView: Sendable, Codable {
  public var name: String
  public var state: String
  public var labels: Labels
  public var annotations: [String: String]
  public var value: Double
  public var since: WallTime
  public var noData: Bool
  public var summary: String

  init(_ alert: AlertStatus) {
    name = alert.name
    state = alert.state
    labels = alert.labels
    annotations = alert.annotations
    value = alert.value
    since = WallTime(alert.since)
    noData = alert.noData
    summary = alert.summary
  }

  /// Firing before pending, critical before the rest, else as they came.
  public static func byUrgency(_ alerts: [AlertView]) -> [AlertView] {
    func rank(_ alert: AlertView) -> Int {
      (alert.state == "firing" ? 0 : 10)
        + (["critical": 0, "info": 2][alert.labels["severity"] ?? ""] ?? 1)
    }
    return alerts.enumerated().sorted {
      (rank($0.element), $0.offset) < (rank($1.element), $1.offset)
    }.map(\.element)
  }
}

/// A silence and until when it holds.
public struct SilenceView: Sendable, Codable {
  public var id: String
  public var matchers: [String]
  public var by: String
  public var comment: String
  public var from: WallTime
  public var until: WallTime

  init(_ silence: Silence) {
    id = silence.id
    matchers = silence.conditions.map { "\($0.name)\($0.kind)\"\($0.value)\"" }
    by = silence.by
    comment = silence.comment
    from = WallTime(silence.from.wall)
    until = WallTime(silence.from.wall + silence.length)
  }
}

/// An action that waits for a person.
public struct ApprovalView: Sendable, Codable {
  public var id: String
  public var incident: Int
  public var sentence: String
  public var askedAt: WallTime

  init(_ approval: ApprovalStatus) {
    id = approval.id
    incident = approval.incident
    sentence = approval.sentence
    askedAt = WallTime(approval.askedAt)
  }
}
