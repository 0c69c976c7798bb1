import LifeguardCore

/// What is going on, for `lifeguard status`, the status page and `/api/v1/status`.
public struct AgentStatus: Sendable, Codable {
  public var host: String
  public var version: String
  public var mode: String
  /// Why nothing is done at all; nil when things are.
  public var frozen: String?
  public var startedAt: Timestamp
  public var now: Timestamp
  public var listening: String
  public var configurationFile: String?
  /// Problems of a reload that was refused, when the last good configuration is in force; else
  /// what the last one changed for the next start only.
  public var configurationProblems: [String]
  public var series: Int
  public var rules: Int
  public var ruleProblems: [String: String]
  public var collectors: [CollectorStatus]
  public var services: [ServiceStatus]
  public var alerts: [AlertStatus]
  public var incidents: [Incident]
  public var silences: [Silence]
  public var approvals: [ApprovalStatus]
  public var storage: StorageStatus
  public var pendingNotifications: Int
  /// Receivers that take no messages, and why.
  public var notificationProblems: [String]
  /// The last turn's length in milliseconds.
  public var turnMilliseconds: Double
}

/// How one collector does.
public struct CollectorStatus: Sendable, Codable {
  public var name: String
  public var series: Int
  public var milliseconds: Double
  public var problem: String?
}

/// How one service does.
public struct ServiceStatus: Sendable, Codable {
  public var name: String
  public var target: String
  /// `up`, `down`, `stopped`, `changing`, `unknown`.
  public var state: String
  public var sentence: String
  public var pid: Int32?
  public var since: Timestamp?
  public var mode: String
}

/// One alert, pending or firing.
public struct AlertStatus: Sendable, Codable {
  public var name: String
  public var state: String
  public var labels: Labels
  public var annotations: [String: String]
  public var value: Double
  public var since: Timestamp
  /// When its condition ended, while `keep_firing_for` holds it.
  public var keepFiringSince: Timestamp?
  public var noData: Bool
  public var summary: String
}

/// One step that waits for a person.
public struct ApprovalStatus: Sendable, Codable {
  public var id: String
  public var incident: Int
  public var sentence: String
  public var askedAt: Timestamp
}

/// Whether what is decided is on the disk.
public struct StorageStatus: Sendable, Codable {
  /// `durable`, or why decisions are kept in memory only.
  public var state: String
  /// `on`, `off`, or why samples are in memory only or missing.
  public var samples: String
  public var directory: String
}
