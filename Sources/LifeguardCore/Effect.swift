/// Everything that a `Monitor` can ask for. The agent makes the state durable first, then carries
/// these out in order.
public enum Effect: Sendable {
  /// Collect evidence and check preconditions, then report `prepared`.
  case prepare(PreparationRequest)
  /// Carry out a step, then report `stepFinished`. Its intent is part of the state.
  case run(StepRequest)
  /// Collect evidence beside the action.
  case collectEvidence(EvidenceRequest)
  /// Ask a service once more, at once.
  case probe(service: String, timeout: Duration)
  /// Something worth saying, for whoever looks: the terminal, the page.
  case announce(Announcement)
  /// Deliver it to a receiver, through the durable queue.
  case notify(Announcement, receiver: String)
  /// Write into an incident's timeline, or, without one, into the audit log.
  case record(TimelineEntry)
}

/// What to collect, and how long that may take.
public struct EvidenceRequest: Hashable, Sendable, Codable {
  public var incident: Int
  public var target: Target
  public var service: String?
  public var limit: Duration

  public init(incident: Int, target: Target, service: String?, limit: Duration) {
    self.incident = incident
    self.target = target
    self.service = service
    self.limit = limit
  }
}

/// What to look at before an action; the preconditions are those of the plan and the service.
public struct PreparationRequest: Hashable, Sendable {
  public var attempt: String
  public var plan: String
  public var rung: Int
  public var evidence: EvidenceRequest

  public init(attempt: String, plan: String, rung: Int, evidence: EvidenceRequest) {
    self.attempt = attempt
    self.plan = plan
    self.rung = rung
    self.evidence = evidence
  }
}

/// A step to carry out.
public struct StepRequest: Sendable {
  public var attempt: Attempt
  public var incident: Int
  public var step: Step
  public var service: Service?
  public var alert: AlertContext

  public init(
    attempt: Attempt, incident: Int, step: Step, service: Service?, alert: AlertContext
  ) {
    self.attempt = attempt
    self.incident = incident
    self.step = step
    self.service = service
    self.alert = alert
  }
}

/// What a recovery script is told about its alert.
public struct AlertContext: Hashable, Sendable, Codable {
  public var name: String
  public var labels: Labels
  public var annotations: [String: String]
  public var value: Double
  public var since: Timestamp
  public var incident: Int
  public var target: Target

  public init(
    name: String, labels: Labels, annotations: [String: String], value: Double,
    since: Timestamp, incident: Int, target: Target
  ) {
    self.name = name
    self.labels = labels
    self.annotations = annotations
    self.value = value
    self.since = since
    self.incident = incident
    self.target = target
  }
}

/// One line of what happened and why.
public struct TimelineEntry: Hashable, Sendable, Codable {
  public enum Kind: String, Hashable, Sendable, Codable {
    case alert
    case opened
    case joined
    case evidence
    case refused
    case wouldAct = "would_act"
    case approval
    case intended
    case acted
    case outcome
    case escalated
    case breaker
    case closed
    case command
    case clock
    case started
  }

  public var incident: Int?
  public var at: Moment
  public var kind: Kind
  /// Stable, for programs.
  public var code: String
  /// For people.
  public var sentence: String

  public init(incident: Int?, at: Moment, kind: Kind, code: String, _ sentence: String) {
    self.incident = incident
    self.at = at
    self.kind = kind
    self.code = code
    self.sentence = sentence
  }
}
