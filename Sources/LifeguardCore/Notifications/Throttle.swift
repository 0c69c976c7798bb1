/// A receiver's cap: at most so many messages in any window, and what was held back is counted and
/// named in the next message.
///
/// Pages, approvals and ends are counted but never held back: a cap that hides the one message
/// that matters would be worse than none.
public struct Throttle: Hashable, Sendable, Codable {
  private var limit: UsageLimit
  private var sent: [Moment] = []
  /// Messages held back since the last one that went out.
  public private(set) var suppressed = 0

  public init(_ limit: UsageLimit) {
    self.limit = limit
  }

  /// Takes a new limit over, as after a reload; what was counted stays.
  public mutating func setLimit(_ limit: UsageLimit) { self.limit = limit }

  /// The message to send, with the number of those held back before it; nil holds it back too.
  public mutating func admit(_ announcement: Announcement, at now: Moment) -> Announcement? {
    sent.removeAll { now.elapsed(since: $0) >= limit.window }
    guard sent.count < limit.count || Throttle.passes(announcement.kind) else {
      suppressed += 1
      return nil
    }
    var result = announcement
    result.suppressed = suppressed
    suppressed = 0
    sent.append(now)
    // Those that pass above the cap need not be remembered without bound.
    if sent.count > max(limit.count, 1) { sent.removeFirst() }
    return result
  }

  private static func passes(_ kind: Announcement.Kind) -> Bool {
    kind == .escalated || kind == .approvalNeeded || kind.isFinal
  }
}
