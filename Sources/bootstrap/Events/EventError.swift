/// Why an event cannot be used, for its sender and for the log; never holds the event itself.
struct EventError: Error, Hashable, CustomStringConvertible {
  enum Kind: String, Hashable {
    /// No JSON, or not the shape that its sender documents.
    case malformed = "Handler.BadEvent"
    /// Some other service's event.
    case unknownKind = "Handler.UnknownEvent"
    /// Larger than what this function unpacks.
    case tooLarge = "Handler.EventTooLarge"
    /// It came from this function's own log group.
    case ownLogGroup = "Handler.OwnLogGroup"
  }

  var kind: Kind
  var reason: String

  init(_ kind: Kind, _ reason: String) {
    self.kind = kind
    self.reason = reason
  }

  var description: String { reason }
}
