/// What holds now, for receivers that forget what they are not told again.
extension Monitor {
  /// An open incident with every alert that it has now, in the form of a message without news; nil
  /// when there is no such incident.
  public func standing(_ id: Int, at now: Moment) -> Announcement? {
    guard let incident = state.incidents[id], incident.isOpen else { return nil }
    var standing = announcement(
      Saying(incident: id, kind: .reminder, sentence: sentence(of: incident)), incident, at: now)
    standing.alerts = incident.alerts.filter { state.tracker.alerts[$0] != nil }
      .map { announced($0, incident, at: now) }
    return standing
  }

  /// What an incident is about, by the first of its alerts.
  func sentence(of incident: Incident) -> String {
    incident.alerts.first.flatMap { state.tracker.alerts[$0] }.map(summary) ?? incident.title
  }
}
