import LifeguardAgent
import LifeguardCore
import LifeguardServer

/// State changes as they happen, a line each.
struct EventLines: Sendable {
  let terminal: Terminal

  func print(_ entry: TimelineEntry) {
    let view = EntryView(entry)
    let incident = entry.incident.map { "#\($0) " } ?? ""
    let title = entry.kind.title
    let padding = String(repeating: " ", count: max(1, 17 - title.count))
    let time = terminal.paint(TimeText.clock(entry.at.wall), .dim)
    let name = terminal.paint(title, IncidentText.colour(of: view))
    StandardOutput.write("\(time)  \(name)\(padding)\(Printable.text(incident + entry.sentence))\n")
  }
}
