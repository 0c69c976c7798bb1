/// What a restart does to alerts that wait for their `for`, after Prometheus' rules
/// (rules/group.go, RestoreForState).
extension Turn {
  /// Rules that wait less than this wait anew after a restart; others wait at least this long
  /// (`rules.alert.for-grace-period`).
  static let forGracePeriod: Duration = .seconds(600)
  /// After a longer outage every wait begins anew (`rules.alert.for-outage-tolerance`).
  static let outageTolerance: Duration = .seconds(3600)

  /// Time in which nobody looked does not count towards `for`, for the rules of rule files.
  ///
  /// Alerts that fire go on firing, because their incidents go on: Prometheus, which remembers
  /// nothing but `ALERTS_FOR_STATE`, would wait for `for` once more when that is short.
  mutating func restoreWaits(at now: Moment) {
    let pending = monitor.state.tracker.alerts.values.filter { $0.state == .pending }
    guard !pending.isEmpty else { return }
    for alert in pending.sorted(by: { $0.key < $1.key }) {
      guard let rule = monitor.policy.rules[alert.key.rule], rule.origin == .ruleFile,
        rule.hold > .zero
      else { continue }
      let since = Turn.activeSince(
        alert, hold: rule.hold, lastSeen: lastSeen(alert, before: now), now: now)
      monitor.restartWait(of: alert.key, from: since)
    }
  }

  /// When the agent last knew the alert: from its own series, or from the state that it left.
  private func lastSeen(_ alert: Alert, before now: Moment) -> Timestamp {
    var labels = alert.key.labels
    labels[Labels.metricName] = "ALERTS_FOR_STATE"
    var seen = max(alert.evaluatedAt.wall, monitor.state.lastSeen?.wall ?? alert.evaluatedAt.wall)
    if let reference = head.existingReference(for: labels),
      let sample = head.lastSample(
        of: reference, after: now.wall - Turn.outageTolerance, through: now.wall)
    {
      seen = max(seen, sample.timestamp)
    }
    return min(seen, now.wall)
  }

  static func activeSince(
    _ alert: Alert, hold: Duration, lastSeen: Timestamp, now: Moment
  ) -> Moment {
    let outage = now.wall - lastSeen
    guard hold >= forGracePeriod, outage <= outageTolerance else { return now }
    let spent = max(lastSeen - alert.activeSince.wall, .zero)
    let remaining = hold - spent
    if remaining <= .zero { return alert.activeSince }
    return now.advanced(by: max(remaining, forGracePeriod) - hold)
  }
}
