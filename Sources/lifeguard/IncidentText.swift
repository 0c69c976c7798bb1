import LifeguardCore
import LifeguardServer

/// An incident as text.
struct IncidentText {
  let incident: IncidentView
  let terminal: Terminal
  let now: Timestamp

  init(_ incident: IncidentView, _ terminal: Terminal, _ now: Timestamp) {
    self.incident = incident
    self.terminal = terminal
    self.now = now
  }

  /// Title, what was tried, what comes next.
  func printOpen() {
    let title = terminal.fit("#\(incident.id) \(incident.title)", after: 2)
    Swift.print("  \(terminal.paint(title, Self.colour(of: incident)))")
    let owner = incident.acknowledgedBy.map { " · \($0) has it" } ?? ""
    let severity = incident.severity.isEmpty ? "" : "\(incident.severity), "
    let since = TimeText.relative(incident.openedAt.timestamp, to: now)
    let facts = "\(severity)\(incident.target ?? "no target"), opened \(since)\(owner)"
    Swift.print("     \(terminal.paint(terminal.fit(facts, after: 5), .dim))")
    for attempt in incident.attempts.suffix(5) {
      Swift.print("     tried  \(terminal.fit(Self.text(of: attempt, now), after: 12))")
    }
    if let next = incident.next {
      for (index, part) in terminal.wrap(next, indent: 12).enumerated() {
        Swift.print("     \(index == 0 ? "next" : "    ")   \(part)")
      }
    }
  }

  /// All that is known, with its timeline.
  func print(_ timeline: [EntryView], evidence: [String]) {
    let title = terminal.fit("#\(incident.id) \(incident.title)", after: incident.state.count + 2)
    Swift.print("\(terminal.paint(title, .bold))  \(terminal.paint(incident.state, stateColour))")
    var facts = incident.severity.isEmpty ? "" : "\(incident.severity), "
    facts +=
      "\(incident.target ?? "no target"), opened \(TimeText.full(incident.openedAt.timestamp))"
    if let ended = incident.endedAt {
      facts += ", took \((ended.timestamp - incident.openedAt.timestamp).text)"
    }
    Swift.print(terminal.paint(terminal.fit(facts), .dim))
    if let next = incident.next {
      for part in terminal.wrap("next: \(next)", indent: 0) { Swift.print(part) }
    }
    Swift.print("")
    for entry in timeline { Self.print(entry, terminal) }
    if !evidence.isEmpty {
      Swift.print("\nevidence:")
      for file in evidence {
        for part in terminal.wrap(file, indent: 2) { Swift.print("  \(part)") }
      }
    }
  }

  /// A line of a timeline; long sentences go on below themselves.
  static func print(_ entry: EntryView, _ terminal: Terminal) {
    let kind = entry.kind.prefix(10)
    let padding = String(repeating: " ", count: 11 - kind.count)
    let parts = terminal.wrap(entry.sentence, indent: 21)
    for (index, part) in parts.enumerated() {
      if index == 0 {
        let time = terminal.paint(TimeText.clock(entry.at.timestamp), .dim)
        Swift.print("\(time)  \(terminal.paint(String(kind), colour(of: entry)))\(padding)\(part)")
      } else {
        Swift.print(String(repeating: " ", count: 21) + part)
      }
    }
  }

  static func text(of attempt: AttemptView, _ now: Timestamp) -> String {
    var text = "\(attempt.step) \(attempt.target)"
    if attempt.isShadow { text += " (shadow: not done)" }
    if attempt.isObserved { text += " (done by somebody else)" }
    text += " \(TimeText.relative(attempt.intendedAt.timestamp, to: now))"
    if let result = attempt.result { text += ", \(result)" }
    let outcome = attempt.outcome.map { String($0.map { $0 == "_" ? " " : $0 }) }
    return text + " → \(outcome ?? "not verified yet")"
  }

  static func colour(of incident: IncidentView) -> Terminal.Colour {
    guard incident.isOpen else { return .green }
    return incident.severity == "critical" ? .red : .yellow
  }

  private var stateColour: Terminal.Colour? {
    switch incident.state {
    case "open": .red
    case "recovered": .green
    default: .dim
    }
  }

  static func colour(of entry: EntryView) -> Terminal.Colour? {
    switch entry.kind {
    case "opened", "escalated", "breaker": .red
    case "alert", "joined", "refused", "would_act", "approval": .yellow
    case "intended", "acted": .blue
    case "closed": .green
    case "outcome": entry.code == "recovered" ? .green : .yellow
    default: .dim
    }
  }
}
