import LifeguardAgent
import LifeguardCore
import LifeguardServer

/// What `lifeguard run` says: state changes as they happen, a line each, for people or as JSON.
struct EventLines: Sendable {
  let terminal: Terminal
  /// One object a line: `{"type": "entry", "entry": {…}}`, `started` with the whole status, or
  /// `note` with a text.
  let isJSON: Bool

  func print(_ entry: TimelineEntry) {
    let view = EntryView(entry)
    guard !isJSON else { return write("entry", "entry", view) }
    let incident = entry.incident.map { "#\($0) " } ?? ""
    let title = entry.kind.title
    let padding = String(repeating: " ", count: max(1, 17 - title.count))
    let time = terminal.paint(TimeText.clock(entry.at.wall), .dim)
    let name = terminal.paint(title, IncidentText.colour(of: view))
    StandardOutput.write("\(time)  \(name)\(padding)\(Printable.text(incident + entry.sentence))\n")
  }

  /// What is watched, once it is known; `text` says it for people.
  func introduce(_ status: AgentStatus, _ text: String) {
    guard isJSON else { return StandardOutput.write(text) }
    write("started", "status", StatusView(status, nextSteps: [:]))
  }

  func note(_ text: String) {
    guard isJSON else { return StandardOutput.write(text + "\n") }
    write("note", "text", text)
  }

  private func write(_ type: String, _ member: String, _ value: some Encodable) {
    do {
      let json = JSON.object(
        JSONObject([("type", .string(type)), (member, try JSONCoder.json(value))]))
      StandardOutput.write(json.text() + "\n")
    } catch {
      StandardError.write("lifeguard: \(JSONCoder.describe(error))\n")
    }
  }
}
