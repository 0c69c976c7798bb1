import LifeguardAgent
import LifeguardCore
import LifeguardServer

/// What a replay came to, for people and for programs.
struct BacktestReport {
  let test: Backtest
  let first: Timestamp
  let last: Timestamp
  let series: Int

  /// What happened first, then what it adds up to.
  func show(_ terminal: Terminal, configuration: String) {
    var lines: [(at: Timestamp, text: String)] = test.entries.map { entry in
      (entry.at.wall, line(entry, terminal))
    }
    lines += test.notifications.map { ($0.at, line($0, terminal)) }
    // Stable: what was decided at one time stays in its order, messages after decisions.
    for (_, one) in lines.enumerated().sorted(by: { ($0.1.at, $0.0) < ($1.1.at, $1.0) }) {
      StandardOutput.write(one.text + "\n")
    }
    let range = "\(TimeText.full(first)) to \(TimeText.full(last))"
    StandardOutput.write(
      Printable.text(
        "\n\(configuration) over \(range): \(test.samples) samples of \(series) series")
        + "\n")
    for (name, text) in summary {
      StandardOutput.write("\(terminal.paint(name, .dim))\(pad(name, 15))\(Printable.text(text))\n")
    }
    for problem in test.problems {
      StandardError.write(Printable.text("lifeguard: warning: rule \(problem)") + "\n")
    }
    if test.refusedSamples > 0 {
      StandardError.write(
        "lifeguard: warning: \(test.refusedSamples) samples were out of order or came twice\n")
    }
  }

  private var summary: [(String, String)] {
    [
      ("alerts", tally(test.entries.filter { $0.kind == .opened || $0.kind == .joined }.count)),
      (
        "notifications",
        tally(test.notifications.count, by: test.notifications.map(\.receiver))
      ),
      ("actions", tally(count(.wouldAct)) + (count(.wouldAct) > 0 ? ", none carried out" : "")),
      (
        "refused",
        tally(count(.refused), by: test.entries.filter { $0.kind == .refused }.map(\.code))
      ),
    ]
  }

  private func count(_ kind: TimelineEntry.Kind) -> Int { test.entries.count { $0.kind == kind } }

  private func tally(_ count: Int, by names: [String] = []) -> String {
    let counts = Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +)
    let parts = counts.sorted { $0.key < $1.key }.map { "\($0.key) ×\($0.value)" }
    return parts.isEmpty ? "\(count)" : "\(count): \(parts.joined(separator: ", "))"
  }

  private func line(_ entry: TimelineEntry, _ terminal: Terminal) -> String {
    let incident = entry.incident.map { "#\($0) " } ?? ""
    let title = terminal.paint(entry.kind.title, IncidentText.colour(of: EntryView(entry)))
    return "\(TimeText.full(entry.at.wall))  \(title)\(pad(entry.kind.title, 17))"
      + Printable.text(incident + entry.sentence)
  }

  private func line(_ notification: Backtest.Notification, _ terminal: Terminal) -> String {
    let said = notification.announcement
    return "\(TimeText.full(notification.at))  \(terminal.paint("Would tell", .dim))"
      + pad("Would tell", 17)
      + Printable.text(
        "#\(said.incident) \(notification.receiver): \(said.kind.rawValue): \(said.title)")
  }

  private func pad(_ name: String, _ width: Int) -> String {
    String(repeating: " ", count: max(1, width - name.count))
  }

  func json(configuration: String?) -> JSON {
    let entries = test.entries.map { entry -> JSON in
      [
        "time": .string(entry.at.wall.text),
        "incident": entry.incident.map { .integer(Int64($0)) } ?? .null,
        "kind": .string(entry.kind.rawValue), "code": .string(entry.code),
        "sentence": .string(entry.sentence),
      ]
    }
    let notifications = test.notifications.map { one -> JSON in
      [
        "time": .string(one.at.text), "receiver": .string(one.receiver),
        "kind": .string(one.announcement.kind.rawValue),
        "incident": .integer(Int64(one.announcement.incident)),
        "title": .string(one.announcement.title),
      ]
    }
    return [
      "configuration": configuration.map { .string($0) } ?? .null,
      "from": .string(first.text), "to": .string(last.text),
      "series": .integer(Int64(series)), "samples": .integer(Int64(test.samples)),
      "refusedSamples": .integer(Int64(test.refusedSamples)),
      "ruleProblems": .array(test.problems.map { .string($0) }),
      "entries": .array(entries), "notifications": .array(notifications),
    ]
  }
}
