/// One message for people: everything that any channel needs to say what happened, since when,
/// the value and the threshold, what was tried, the result, what comes next and how to stop it.
///
/// A value without references to anything else, so that it can wait in the durable queue as JSON
/// and still be whole after a restart. Texts are plain; each channel escapes them for itself.
public struct Announcement: Hashable, Sendable, Codable {
  /// Why it is sent.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    /// It began, began again, or became more severe.
    case opened
    /// A step was not taken; the sentence says why.
    case refused
    /// A step was taken and did not help.
    case attemptFailed = "attempt_failed"
    /// A person is needed: the ladder's `page`, or its end.
    case escalated
    case approvalNeeded = "approval_needed"
    /// Fresh samples show that the symptom is gone.
    case recovered
    /// Over without such proof.
    case resolved
    /// Nothing new, still open.
    case reminder

    /// Whether the incident is over.
    public var isFinal: Bool { self == .recovered || self == .resolved }
  }

  /// The incident's number on its host.
  public var incident: Int
  /// Place in the incident's thread, from 1.
  public var sequence: Int
  public var kind: Kind
  /// `critical`, `warning`, `info` or what the alert's label says; may be empty.
  public var severity: String
  /// What the incident is called; the same in all its messages.
  public var title: String
  /// The host's name.
  public var host: String
  public var externalLabels: Labels
  /// `service:web`; nil when the incident has none.
  public var target: String?
  public var alerts: [AnnouncedAlert]
  /// When the incident was opened.
  public var since: Timestamp
  public var whatHappened: String
  /// Oldest first.
  public var tried: [AnnouncedAttempt]
  /// `restarted, symptom gone for 20s`.
  public var result: String?
  /// `restart web in 42s`.
  public var next: String?
  public var mode: Mode
  /// Why nothing is done, when an operator has frozen the agent.
  public var frozen: String?
  /// A few lines of what was collected.
  public var evidence: String?
  /// A receiver that gets it whatever the routes say, as a ladder's `page` names it.
  public var receiver: String?
  public var acknowledgedBy: String?
  /// What stops it where there is no command line; nil takes Lifeguard's own commands.
  public var stopCommands: [String]?
  /// Messages that the receiver's cap held back before this one; set by `Throttle`.
  public var suppressed: Int
  /// Wall-clock time of the decision.
  public var at: Timestamp

  public init(
    incident: Int, sequence: Int, kind: Kind, severity: String = "", title: String, host: String,
    externalLabels: Labels = Labels(), target: String? = nil, alerts: [AnnouncedAlert] = [],
    since: Timestamp, whatHappened: String, tried: [AnnouncedAttempt] = [],
    result: String? = nil, next: String? = nil, mode: Mode = .observe, frozen: String? = nil,
    evidence: String? = nil, receiver: String? = nil, acknowledgedBy: String? = nil,
    suppressed: Int = 0, at: Timestamp
  ) {
    self.incident = incident
    self.sequence = sequence
    self.kind = kind
    self.severity = severity
    self.title = title
    self.host = host
    self.externalLabels = externalLabels
    self.target = target
    self.alerts = alerts
    self.since = since
    self.whatHappened = whatHappened
    self.tried = tried
    self.result = result
    self.next = next
    self.mode = mode
    self.frozen = frozen
    self.evidence = evidence
    self.receiver = receiver
    self.acknowledgedBy = acknowledgedBy
    self.suppressed = suppressed
    self.at = at
  }

  /// Names the thread of all messages about this incident; unique among hosts, and among incidents
  /// that got the same number after the state was lost.
  public var thread: String {
    let name = host.utf8.map { byte -> Character in
      let scalar = Unicode.Scalar(byte)
      return scalar.properties.isAlphabetic && byte < 0x80 || byte >= 0x30 && byte <= 0x39
        || byte == 0x2D ? Character(scalar) : "_"
    }
    return "\(String(name))-\(incident)-\(since.milliseconds)"
  }

  /// The idempotency key: the same for every attempt to deliver this message.
  public var id: String { "\(thread)-\(sequence)" }

  /// The commands that stop what Lifeguard does about it.
  public var howToStop: [String] {
    if let stopCommands { return kind.isFinal ? [] : stopCommands }
    var commands = kind.isFinal ? [] : ["lifeguard freeze", "lifeguard ack \(incident)"]
    if kind == .approvalNeeded { commands.insert("lifeguard approve \(incident)", at: 0) }
    if frozen != nil { commands = ["lifeguard thaw", "lifeguard ack \(incident)"] }
    return commands
  }

  /// The labels that routes are matched against: the alerts' common ones, the external ones, and
  /// `alertname`, `severity`, `incident`, `kind`, `host` and `target` of the message itself.
  public var routingLabels: Labels {
    var labels = alerts.first?.labels ?? Labels()
    for label in labels where !alerts.allSatisfy({ $0.labels[label.name] == label.value }) {
      labels[label.name] = nil
    }
    for label in externalLabels where labels[label.name] == nil { labels[label.name] = label.value }
    if labels["alertname"] == nil { labels["alertname"] = alerts.first?.name ?? title }
    if !severity.isEmpty { labels["severity"] = severity }
    if labels["host"] == nil { labels["host"] = host }
    if let target, labels["target"] == nil { labels["target"] = target }
    labels["incident"] = "\(incident)"
    labels["kind"] = kind.rawValue
    return labels
  }
}

/// One alert of an incident.
public struct AnnouncedAlert: Hashable, Sendable, Codable {
  public var name: String
  public var labels: Labels
  public var annotations: [String: String]
  public var value: Double
  /// What it is compared with: the rule's expression, such as `CPUUtilization > 80`.
  public var condition: String
  public var startsAt: Timestamp
  /// nil while it fires.
  public var endsAt: Timestamp?

  public init(
    name: String, labels: Labels, annotations: [String: String] = [:], value: Double,
    condition: String, startsAt: Timestamp, endsAt: Timestamp? = nil
  ) {
    self.name = name
    self.labels = labels
    self.annotations = annotations
    self.value = value
    self.condition = condition
    self.startsAt = startsAt
    self.endsAt = endsAt
  }
}

/// One step that was taken.
public struct AnnouncedAttempt: Hashable, Sendable, Codable {
  public var at: Timestamp
  /// Its place in the ladder, from 1.
  public var rung: Int
  /// `restart`.
  public var step: String
  /// `exited 0 after 1.2s; not recovered: probe still times out`.
  public var outcome: String

  public init(at: Timestamp, rung: Int, step: String, outcome: String) {
    self.at = at
    self.rung = rung
    self.step = step
    self.outcome = outcome
  }
}
