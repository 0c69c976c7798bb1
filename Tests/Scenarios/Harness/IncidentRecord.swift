/// An incident as the API shows it; only what the scenarios look at.
struct IncidentRecord: Decodable, Sendable {
  var id: Int
  /// `open`, `recovered` or `closed`.
  var state: String
  var title: String
  var target: String?
  var alerts: [String]
  var phase: String?
  var next: String?
  var attempts: [AttemptRecord]
  var evidence: String?

  /// Steps that were really taken, in order.
  var steps: [String] { attempts.filter { !$0.isShadow }.map(\.step) }
}

/// One use of one rung.
struct AttemptRecord: Decodable, Sendable {
  var id: String
  var rung: Int
  var step: String
  var result: String?
  var succeeded: Bool?
  var outcome: String?
  var outcomeReason: String?
  var wasInterrupted: Bool
  var isObserved: Bool
  var isShadow: Bool
}

/// One line of a timeline.
struct StoryLine: Decodable, Sendable {
  var kind: String
  var code: String
  var sentence: String
}

/// An incident with all that happened in it.
struct IncidentStory: Decodable, Sendable, CustomStringConvertible {
  var incident: IncidentRecord
  var timeline: [StoryLine]
  var evidenceFiles: [String]

  func has(_ kind: String, _ code: String? = nil) -> Bool {
    timeline.contains { $0.kind == kind && (code == nil || $0.code == code) }
  }

  var description: String {
    (["incident \(incident.id) \(incident.state): \(incident.title)"]
      + timeline.map { "  \($0.kind) \($0.code): \($0.sentence)" }).joined(separator: "\n")
  }
}

/// What is going on.
struct StatusRecord: Decodable, Sendable {
  var mode: String
  var frozen: String?
  var services: [ServiceRecord]
  var alerts: [AlertRecord]
  var approvals: [ApprovalRecord]
  var storage: StorageRecord
  var pendingNotifications: Int

  func service(_ name: String) -> ServiceRecord? { services.first { $0.name == name } }
}

struct ServiceRecord: Decodable, Sendable {
  var name: String
  var state: String
  var sentence: String
  var pid: Int32?
}

struct AlertRecord: Decodable, Sendable {
  var name: String
  var state: String
}

struct ApprovalRecord: Decodable, Sendable {
  var id: String
  var incident: Int
}

struct StorageRecord: Decodable, Sendable {
  var state: String
}
