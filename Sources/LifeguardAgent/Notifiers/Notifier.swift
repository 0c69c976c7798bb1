import LifeguardCore

/// Hands messages to one channel of one receiver.
///
/// A new channel is a type that conforms, and a line in `NotifierFactory`.
public protocol Notifier: Sendable {
  /// Returns when the receiver has taken the message.
  ///
  /// - Parameter timeout: for the whole delivery; after it the message counts as not delivered.
  /// - Returns: who of several did not get it, and why; nil when everybody did.
  @discardableResult
  func send(_ message: OutgoingMessage, timeout: Duration) async throws(DeliveryError) -> String?
}

/// A message on its way.
public struct OutgoingMessage: Hashable, Sendable {
  public var announcement: Announcement
  /// The same for every attempt, so that a receiver can tell a repetition from news.
  public var idempotencyKey: String
  /// From 1.
  public var attempt: Int
  /// Wall-clock time of this attempt.
  public var now: Timestamp
  /// The evaluation interval of the rules, from which Alertmanager's `endsAt` follows.
  public var interval: Duration

  public init(
    _ announcement: Announcement, idempotencyKey: String, attempt: Int = 1, now: Timestamp,
    interval: Duration = .seconds(1)
  ) {
    self.announcement = announcement
    self.idempotencyKey = idempotencyKey
    self.attempt = attempt
    self.now = now
    self.interval = interval
  }
}
