/// Why a message could not be handed over; carries no secret, so it may be shown anywhere.
public struct DeliveryError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Whether the same message may succeed later. False: it never will, so it is given up.
  public var isRetryable: Bool
  /// How long the receiver asked to be left alone.
  public var after: Duration?
  /// What happened, for an operator: `the server answered 550: no such user`.
  public var reason: String

  public init(retryable: Bool, after: Duration? = nil, _ reason: String) {
    isRetryable = retryable
    self.after = after
    self.reason = reason
  }

  public var description: String { reason }
}
