import LifeguardCore

/// Which alerts the Alertmanagers must hear of, and again.
///
/// Alertmanager forgets an alert that is not repeated before its `endsAt`, and may be restarted
/// itself, so Prometheus posts firing alerts again every minute and ended ones for 15 minutes
/// (rules/alerting.go, `resolvedRetention`). What fires is taken from the incidents each time, so
/// that nothing is lost with a restart and an alert ends there when it ends here, whether or not
/// there is a message about it. A value that decides; the agent posts.
struct AlertmanagerRefresh {
  /// An open incident of which a receiver knows.
  struct Told: Hashable {
    var receiver: String
    var incident: Int
    /// The labels of its alerts.
    var alerts: [Labels]
  }

  /// Alerts to post to a receiver's Alertmanagers now.
  struct Post: Hashable {
    var receiver: String
    var announcement: Announcement
  }

  /// Alertmanager tells alerts apart by nothing but their labels.
  private struct Key: Hashable {
    var receiver: String
    var labels: Labels
  }

  private struct Entry {
    /// As it was posted last, with this alert alone.
    var announcement: Announcement
    var postedAt: Moment
    var endedAt: Moment?
  }

  /// Prometheus' `--rules.alert.resend-delay`.
  static let resendDelay: Duration = .seconds(60)
  static let resolvedRetention: Duration = .seconds(900)

  private var entries: [Key: Entry] = [:]

  var isEmpty: Bool { entries.isEmpty }

  /// Takes over what a message to a receiver says of its alerts.
  mutating func posted(_ announcement: Announcement, to receiver: String, at now: Moment) {
    for alert in announcement.alerts {
      var own = announcement
      own.alerts = [alert]
      let isOver = alert.endsAt != nil || announcement.kind.isFinal
      if isOver, alert.endsAt == nil { own.alerts[0].endsAt = announcement.at }
      entries[Key(receiver: receiver, labels: alert.labels)] = Entry(
        announcement: own, postedAt: now, endedAt: isOver ? now : nil)
    }
  }

  /// What is to be posted now; it counts as posted.
  ///
  /// - Parameters:
  ///   - told: every incident that is open, for each receiver that knows of it.
  ///   - receivers: those that still are configured; what others were told is forgotten.
  ///   - standing: an incident with all its alerts as they are now; asked for those due only.
  mutating func due(
    _ told: [Told], receivers: Set<String>, at now: Moment, standing: (Int) -> Announcement?
  ) -> [Post] {
    entries = entries.filter { receivers.contains($0.key.receiver) }
    var firing: Set<Key> = []
    var posts: [Post] = []
    for one in told {
      let keys = one.alerts.map { Key(receiver: one.receiver, labels: $0) }
      firing.formUnion(keys)
      guard keys.contains(where: { isDue($0, at: now) }), let announcement = standing(one.incident)
      else { continue }
      posts.append(Post(receiver: one.receiver, announcement: announcement))
      posted(announcement, to: one.receiver, at: now)
    }
    return posts + ended(except: firing, at: now)
  }

  /// An alert that fires is due when it is new there, and again and again.
  private func isDue(_ key: Key, at now: Moment) -> Bool {
    guard let entry = entries[key], entry.endedAt == nil else { return true }
    return now.elapsed(since: entry.postedAt) >= AlertmanagerRefresh.resendDelay
  }

  private mutating func ended(except firing: Set<Key>, at now: Moment) -> [Post] {
    var posts: [Post] = []
    for key in entries.keys.filter({ !firing.contains($0) }).sorted(by: { $0.labels < $1.labels }) {
      guard var entry = entries[key] else { continue }
      if let end = entry.endedAt {
        guard now.elapsed(since: end) < AlertmanagerRefresh.resolvedRetention else {
          entries[key] = nil
          continue
        }
        guard now.elapsed(since: entry.postedAt) >= AlertmanagerRefresh.resendDelay else {
          continue
        }
      } else {
        entry.endedAt = now
        entry.announcement.alerts[0].endsAt = now.wall
      }
      entry.postedAt = now
      entries[key] = entry
      let place = posts.firstIndex {
        $0.receiver == key.receiver && $0.announcement.thread == entry.announcement.thread
      }
      if let place {
        posts[place].announcement.alerts += entry.announcement.alerts
      } else {
        posts.append(Post(receiver: key.receiver, announcement: entry.announcement))
      }
    }
    return posts
  }
}
