/// Whether news about an incident goes to a receiver now: a thread is updated, not repeated.
public enum RepeatPolicy {
  /// What a receiver was last told about an incident; part of the durable state.
  public struct Sent: Hashable, Sendable, Codable {
    public var kind: Announcement.Kind
    /// What was said, so that the same is not said again.
    public var content: String
    public var at: Moment

    public init(_ announcement: Announcement, at moment: Moment) {
      kind = announcement.kind
      content = RepeatPolicy.content(of: announcement)
      at = moment
    }
  }

  /// A code for programs and a sentence for people stand behind each.
  public enum Reason: String, Hashable, Sendable, Codable {
    case first
    /// Something happened that has not been said.
    case news
    /// Nothing new, but the repeat interval is over.
    case repeatIntervalElapsed = "repeat_interval_elapsed"
    /// The end is always told to those who know of the beginning.
    case ended
    /// A person is asked for: never held back.
    case urgent
    case unchanged
    /// It ended before this receiver was told of it.
    case neverTold = "never_told"
    /// Somebody takes care; only its end and pages are told.
    case acknowledged
  }

  public enum Verdict: Hashable, Sendable {
    /// Begins the thread.
    case send(Reason)
    /// Continues it.
    case update(Reason)
    case suppress(Reason)

    public var isSent: Bool {
      if case .suppress = self { false } else { true }
    }
  }

  /// - Parameters:
  ///   - sent: the last message of this incident to this receiver; nil when there is none.
  ///   - repeatInterval: of the route; only reminders wait for it.
  public static func verdict(
    for announcement: Announcement, after sent: Sent?, repeatInterval: Duration, at now: Moment
  ) -> Verdict {
    let isUrgent = announcement.kind == .escalated || announcement.kind == .approvalNeeded
    guard let sent else {
      // The end of what nobody was told of is no news, unless something was done about it.
      if announcement.kind.isFinal, announcement.tried.isEmpty { return .suppress(.neverTold) }
      return .send(.first)
    }
    if announcement.kind.isFinal {
      return sent.kind.isFinal ? .suppress(.unchanged) : .update(.ended)
    }
    let isOver = now.elapsed(since: sent.at) >= repeatInterval
    if content(of: announcement) == sent.content, announcement.kind == sent.kind {
      return isOver ? .update(.repeatIntervalElapsed) : .suppress(.unchanged)
    }
    if isUrgent { return .update(.urgent) }
    if announcement.acknowledgedBy != nil { return .suppress(.acknowledged) }
    if announcement.kind == .reminder {
      return isOver ? .update(.repeatIntervalElapsed) : .suppress(.unchanged)
    }
    return .update(.news)
  }

  /// What makes two messages the same to a reader; times and values that tick are not part of it.
  static func content(of announcement: Announcement) -> String {
    let attempts = announcement.tried.map { "\($0.rung)\($0.step)\($0.outcome)" }
    let text = [
      announcement.severity, announcement.whatHappened, announcement.result ?? "",
      announcement.frozen ?? "", attempts.joined(separator: "|"),
    ].joined(separator: "\u{1F}")
    return fingerprint(text)
  }

  /// FNV-1a: the same in every process, and it keeps the state small.
  static func fingerprint(_ text: String) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return String(hash, radix: 16)
  }
}
