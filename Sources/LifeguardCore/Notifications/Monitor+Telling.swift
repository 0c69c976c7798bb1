/// What people are told, and when.
extension Monitor {
  mutating func tell(
    _ id: Int, _ kind: Announcement.Kind, _ sentence: String, receiver: String? = nil,
    at now: Moment
  ) {
    guard let incident = state.incidents[id] else { return }
    state.incidents[id]?.sequence = incident.sequence + 1
    state.incidents[id]?.lastToldAt = now
    touch()
    effects.append(.announce(Announcement(incident: id, kind: kind, text: sentence)))
  }
  mutating func remind(at now: Moment) {}
}
