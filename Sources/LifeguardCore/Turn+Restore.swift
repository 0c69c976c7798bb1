/// What a restart does to alerts that wait for their `for`, after Prometheus' rules
/// (rules/group.go, RestoreForState).
extension Turn {
  /// After a longer outage every wait begins anew (`rules.alert.for-outage-tolerance`).
  static let outageTolerance: Duration = .seconds(3600)

  /// Time in which nobody looked does not count towards `for`, for the rules of rule files.
  ///
  /// Prometheus lets waits of less than ten minutes begin anew, because it remembers no more than
  /// its last sample; the state here is durable, so that every wait goes on.
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
    guard now.wall - lastSeen <= outageTolerance else { return now }
    let spent = max(lastSeen - alert.activeSince.wall, .zero)
    return spent >= hold ? alert.activeSince : now.advanced(by: .zero - spent)
  }
}
