import LifeguardCore

/// What a list shows of an incident; the rest is in `json`, in a form that the caller chooses.
public struct IncidentSummary: Hashable, Sendable {
  public var id: String
  public var opened: Timestamp
  /// Nil while the incident is open.
  public var closed: Timestamp?
  public var target: String
  public var json: String

  public init(
    id: String, opened: Timestamp, closed: Timestamp? = nil, target: String, json: String
  ) {
    self.id = id
    self.opened = opened
    self.closed = closed
    self.target = target
    self.json = json
  }
}

/// One thing that happened in an incident; together they are the audit.
public struct TimelineRecord: Hashable, Sendable {
  public var incident: String
  /// Counts within the incident; writing a number again replaces its entry.
  public var sequence: Int
  public var at: Timestamp
  public var kind: String
  public var json: String

  public init(incident: String, sequence: Int, at: Timestamp, kind: String, json: String) {
    self.incident = incident
    self.sequence = sequence
    self.at = at
    self.kind = kind
    self.json = json
  }
}
