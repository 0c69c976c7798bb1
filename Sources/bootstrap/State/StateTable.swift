import LifeguardCore

/// Where the fleet's state and the claims on events are kept.
protocol StateTable: Sendable {
  /// Whether it outlives this sandbox and is shared by all of them.
  var isDurable: Bool { get }

  /// This table with an end for all calls together.
  func within(_ limit: Duration) -> any StateTable

  func load() async throws(StateTableError) -> StoredFleet

  /// Writes the document if nobody else has since it was read.
  ///
  /// - Returns: the new version, or nil when somebody else was faster.
  func save(
    _ document: [UInt8], after version: Int64, by writer: String
  ) async throws(StateTableError) -> Int64?

  /// Says who handles an event, unless somebody does or did.
  func claim(_ claim: EventClaim) async throws(StateTableError) -> EventClaim.Answer

  /// Gives a claim back: nothing was done about the event.
  func release(_ claim: EventClaim) async throws(StateTableError)

  /// Notes how an event ended.
  func finish(_ claim: EventClaim, outcome: String) async throws(StateTableError)
}

/// The fleet's state as it was read.
struct StoredFleet: Sendable {
  /// 0 when there is none yet.
  var version: Int64 = 0
  var document: [UInt8] = []
  /// An operator's brake: why nothing may be done (G26).
  var frozen: String?
}

/// Whoever handles an event claims it first.
struct EventClaim: Sendable {
  enum Answer: Hashable, Sendable {
    case won
    /// Handled already; nothing is left to do.
    case done
    /// Somebody is at it, until then at most.
    case held(until: Timestamp)
    /// Claimed once, never finished: what it did is not known.
    case abandoned
  }

  var key: String
  /// The request; Lambda's own retries of it have the same.
  var holder: String
  var now: Timestamp
  /// When whoever holds it is surely gone.
  var leaseUntil: Timestamp

  /// How long a claim counts: longer than Lambda and its sources retry (24 h).
  static let kept: Duration = .seconds(2 * 86_400)
}

/// The state table did not do what it was asked.
struct StateTableError: Error, CustomStringConvertible {
  var description: String
  /// Whether the same may succeed later.
  var isRetryable: Bool
}
