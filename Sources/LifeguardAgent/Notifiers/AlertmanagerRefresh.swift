import LifeguardCore

/// Which alerts Alertmanager must hear of again.
///
/// It forgets an alert that is not repeated before its `endsAt`, and may be restarted itself, so
/// Prometheus posts firing alerts again every minute and ended ones for 15 minutes
/// (rules/alerting.go, `resolvedRetention`). A value that decides; the agent posts.
public struct AlertmanagerRefresh: Sendable {
  private struct Entry {
    var announcement: Announcement
    var postedAt: Moment
    var endedAt: Moment?
  }

  /// Prometheus' `--rules.alert.resend-delay`.
  static let resendDelay: Duration = .seconds(60)
  static let resolvedRetention: Duration = .seconds(900)

  private var entries: [String: Entry] = [:]

  public init() {}

  /// Takes over what was just said about an incident.
  public mutating func announced(_ announcement: Announcement, at now: Moment) {
    entries[announcement.thread] = Entry(
      announcement: announcement, postedAt: now,
      endedAt: announcement.kind.isFinal ? now : nil)
  }

  /// What is to be posted now; it counts as posted.
  public mutating func due(at now: Moment) -> [Announcement] {
    entries = entries.filter { _, entry in
      entry.endedAt.map { now.elapsed(since: $0) < Self.resolvedRetention } ?? true
    }
    var result: [Announcement] = []
    for key in entries.keys.sorted() {
      guard var entry = entries[key], now.elapsed(since: entry.postedAt) >= Self.resendDelay
      else { continue }
      entry.postedAt = now
      entries[key] = entry
      result.append(entry.announcement)
    }
    return result
  }
}
