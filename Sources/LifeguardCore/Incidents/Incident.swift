/// One trouble from first alert to end: its alerts, what was tried, and what people were told.
public struct Incident: Hashable, Sendable, Codable {
  public enum State: String, Hashable, Sendable, Codable {
    case open
    /// Fresh samples showed that the symptom is gone.
    case recovered
    /// Over without such proof: the series ended, or the rule was removed.
    case closed
  }

  /// Counts up on this host.
  public var id: Int
  /// The canonical target, else alert name and instance: alerts with one key are one incident.
  public var key: String
  public var target: Target?
  public var state: State = .open
  public var openedAt: Moment
  public var endedAt: Moment?
  /// The alert that opened it.
  public var title: String
  public var severity: String
  /// Firing now.
  public var alerts: [Alert.Key]
  /// The alert that opened it, kept when it has ended.
  public var openingAlert: Alert.Key
  /// All that ever belonged to it, by name, at most `namesMax`.
  public var alertNames: [String]
  public var ladder: Ladder?
  /// The last attempts, oldest first, at most `attemptsMax`.
  public var attempts: [Attempt] = []
  /// All attempts so far: numbers them, over every ladder and reopening (G17).
  public var attemptCount = 0
  /// The last alerts that ended, as they were then, for the message about its end; at most
  /// `endedMax`, nil without any.
  public var ended: [AnnouncedAlert]?
  /// Alerts that ended without proof of health: with any, it closes without being recovered.
  public var unproven: [Alert.Key] = []
  public var evidence: String?
  public var acknowledgedBy: String?
  public var hasPaged = false
  /// An action made it worse: no ladder of it does anything any more (G8).
  public var isHandedOver = false
  /// Messages so far: the next one's place in its thread.
  public var sequence = 0
  public var lastToldAt: Moment?
  /// What each receiver was told last.
  public var told: [String: RepeatPolicy.Sent] = [:]

  static let attemptsMax = 10
  static let namesMax = 20
  static let endedMax = 5

  init(id: Int, key: String, target: Target?, alert: Alert, at moment: Moment) {
    self.id = id
    self.key = key
    self.target = target
    openedAt = moment
    title = alert.name
    severity = alert.severity
    alerts = [alert.key]
    openingAlert = alert.key
    alertNames = [alert.name]
  }

  public var isOpen: Bool { state == .open }

  /// Takes an alert in; true when that makes the incident more severe.
  mutating func join(_ alert: Alert) -> Bool {
    if !alerts.contains(alert.key) { alerts.append(alert.key) }
    unproven.removeAll { $0 == alert.key }
    if !alertNames.contains(alert.name), alertNames.count < Incident.namesMax {
      alertNames.append(alert.name)
    }
    forget(ended: alert.key)
    guard Incident.rank(alert.severity) > Incident.rank(severity) else { return false }
    severity = alert.severity
    return true
  }

  /// The order of the severities that everybody knows; any other one is as bad as a warning.
  private static func rank(_ severity: String) -> Int {
    switch severity {
    case "": 0
    case "info": 1
    case "critical": 3
    default: 2
    }
  }

  /// Keeps what an alert that ended was like. The one that opened the incident stays longest: the
  /// incident is named for it.
  mutating func remember(ended alert: AnnouncedAlert, key: Alert.Key) {
    forget(ended: key)
    var list = ended ?? []
    if key == openingAlert { list.insert(alert, at: 0) } else { list.append(alert) }
    if list.count > Incident.endedMax {
      list.remove(at: list[0].labels == openingAlert.labels ? 1 : 0)
    }
    ended = list
  }

  private mutating func forget(ended key: Alert.Key) {
    ended?.removeAll { $0.labels == key.labels }
    if ended?.isEmpty == true { ended = nil }
  }

  mutating func remember(_ attempt: Attempt) {
    attempts.append(attempt)
    if attempts.count > Incident.attemptsMax { attempts.removeFirst() }
  }
}
