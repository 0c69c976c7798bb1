import LifeguardCore

/// A notification that is to be delivered.
public struct OutboxMessage: Hashable, Sendable {
  public enum State: String, Hashable, Sendable {
    /// To be sent when its time comes.
    case pending
    /// Handed to the receiver; after a crash it is sent again with the same key.
    case inFlight
    /// Given up; kept until somebody removes it.
    case abandoned
  }

  /// What makes a repetition recognisable for the receiver; unique.
  public var key: String
  public var receiver: String
  public var channel: String
  /// Empty for messages about the agent itself.
  public var incident: String
  public var payload: String
  public var attempts: Int
  public var nextAttempt: Timestamp
  public var state: State

  public init(
    key: String, receiver: String, channel: String, incident: String, payload: String,
    attempts: Int = 0, nextAttempt: Timestamp, state: State = .pending
  ) {
    self.key = key
    self.receiver = receiver
    self.channel = channel
    self.incident = incident
    self.payload = payload
    self.attempts = attempts
    self.nextAttempt = nextAttempt
    self.state = state
  }
}

/// What happens to the queue of notifications in one transaction.
public enum OutboxChange: Hashable, Sendable {
  /// Adds the message or replaces the one with its key.
  case put(OutboxMessage)
  case remove(key: String)

  var key: String {
    switch self {
    case .put(let message): message.key
    case .remove(let key): key
    }
  }
}
