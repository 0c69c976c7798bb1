import LifeguardCore

/// An incident as the API shows it.
public struct IncidentView: Sendable, Codable {
  public var id: Int
  /// `open`, `recovered` (proven by fresh samples), or `closed`.
  public var state: String
  public var title: String
  public var severity: String
  public var target: String?
  public var openedAt: WallTime
  public var endedAt: WallTime?
  /// The names of all alerts that ever belonged to it.
  public var alerts: [String]
  /// The labels of those that fire now.
  public var firing: [Labels]
  /// The plan in use, and where it stands.
  public var plan: String?
  public var phase: String?
  /// What comes next, in one clause; nil when it is over.
  public var next: String?
  public var attempts: [AttemptView]
  /// In a few words; the files are named with the incident's details.
  public var evidence: String?
  public var acknowledgedBy: String?

  /// - Parameter next: what comes next, as the agent says.
  public init(_ incident: Incident, next: String?) {
    id = incident.id
    state = incident.state.rawValue
    title = incident.title
    severity = incident.severity
    target = incident.target?.description
    openedAt = WallTime(incident.openedAt.wall)
    endedAt = incident.endedAt.map { WallTime($0.wall) }
    alerts = incident.alertNames
    firing = incident.isOpen ? incident.alerts.map(\.labels) : []
    plan = incident.ladder?.plan
    phase = incident.isOpen ? incident.ladder.map { IncidentView.phase($0.phase) } : nil
    self.next = next
    attempts = incident.attempts.map(AttemptView.init)
    if let current = incident.ladder?.current, !attempts.contains(where: { $0.id == current.id }),
      incident.isOpen
    {
      attempts.append(AttemptView(current))
    }
    evidence = incident.evidence
    acknowledgedBy = incident.acknowledgedBy
  }

  public var isOpen: Bool { state == Incident.State.open.rawValue }

  private static func phase(_ phase: Ladder.Phase) -> String {
    switch phase {
    case .deciding: "deciding"
    case .preparing: "preparing"
    case .awaitingApproval: "awaiting approval"
    case .running: "running"
    case .verifying: "verifying"
    }
  }
}

/// One use of one rung of a plan.
public struct AttemptView: Sendable, Codable {
  public var id: String
  public var plan: String
  /// From 1.
  public var rung: Int
  public var step: String
  public var target: String
  public var intendedAt: WallTime
  public var endedAt: WallTime?
  /// What the step itself said; no proof of recovery.
  public var result: String?
  public var succeeded: Bool?
  /// `recovered`, `not_recovered`, `worse` or `inconclusive`; nil until it is verified.
  public var outcome: String?
  public var outcomeAt: WallTime?
  public var outcomeReason: String?
  /// The agent ended between intent and outcome: verified, never run again.
  public var wasInterrupted: Bool
  /// Done by somebody else, such as systemd.
  public var isObserved: Bool
  /// Decided, not done.
  public var isShadow: Bool

  init(_ attempt: Attempt) {
    id = attempt.id
    plan = attempt.plan
    rung = attempt.rung + 1
    step = attempt.step
    target = attempt.target.description
    intendedAt = WallTime(attempt.intendedAt.wall)
    endedAt = attempt.endedAt.map { WallTime($0.wall) }
    result = attempt.result
    succeeded = attempt.succeeded
    outcome = attempt.outcome?.rawValue
    outcomeAt = attempt.outcomeAt.map { WallTime($0.wall) }
    outcomeReason = attempt.outcomeReason
    wasInterrupted = attempt.wasInterrupted
    isObserved = attempt.isObserved
    isShadow = attempt.isShadow
  }
}

/// One line of a timeline.
public struct EntryView: Sendable, Codable {
  public var incident: Int?
  public var at: WallTime
  public var kind: String
  /// Stable, for programs.
  public var code: String
  /// For people.
  public var sentence: String

  public init(_ entry: TimelineEntry) {
    incident = entry.incident
    at = WallTime(entry.at.wall)
    kind = entry.kind.rawValue
    code = entry.code
    sentence = entry.sentence
  }
}

/// An incident with all that happened in it.
public struct IncidentDetail: Sendable, Codable {
  public var incident: IncidentView
  /// Oldest first.
  public var timeline: [EntryView]
  /// Files on the host, oldest first.
  public var evidenceFiles: [String]

  public init(incident: IncidentView, timeline: [EntryView], evidenceFiles: [String]) {
    self.incident = incident
    self.timeline = timeline
    self.evidenceFiles = evidenceFiles
  }
}
