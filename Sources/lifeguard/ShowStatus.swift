import ArgumentParser
import LifeguardAgent
import LifeguardCore
import LifeguardServer

/// `lifeguard status`.
struct ShowStatus: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "What is going on.",
    discussion: """
      Services, open incidents with what was tried and what comes next, alerts, and problems of \
      Lifeguard itself.

      Example: lifeguard status
               lifeguard status --json | jq '.incidents[].title'
      """)

  @OptionGroup var agent: AgentOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    try agent.withAgent { client throws(AgentClient.Failure) in
      let (status, json) = try client.get(StatusView.self, "/api/v1/status")
      output.print(json) { StatusText(status, .standardOutput).print() }
    }
  }
}

/// The status as text.
struct StatusText {
  let status: StatusView
  let terminal: Terminal
  let now: Timestamp

  init(_ status: StatusView, _ terminal: Terminal) {
    self.status = status
    self.terminal = terminal
    now = status.now.timestamp
  }

  func print() {
    head()
    problems()
    services()
    incidents()
    alerts()
    silences()
  }

  private func head() {
    let explanation =
      switch status.mode {
      case "observe": "observe: it only tells"
      case "shadow": "shadow: it decides, and does nothing"
      case "approve": "approve: it asks before it acts"
      default: "\(status.mode): it acts"
      }
    let mode = "  mode \(explanation)"
    line(terminal.paint(terminal.fit(status.host, after: mode.count), .bold) + mode)
    let up = TimeText.rounded(now - status.startedAt.timestamp)
    line(
      terminal.paint(
        terminal.fit(
          "Lifeguard \(status.version), up \(up) · \(status.series) series, "
            + "\(status.rules) rules · \(status.listening)"), .dim))
    if let frozen = status.frozen {
      line(terminal.paint(terminal.fit("FROZEN: nothing is done. \(frozen)"), .red))
    }
  }

  private func problems() {
    var lines = status.configurationProblems.map { "configuration: \($0)" }
    lines += status.ruleProblems.sorted { $0.key < $1.key }.map { "rule \($0): \($1)" }
    lines += status.collectors.compactMap { collector in
      collector.problem.map { "collector \(collector.name): \($0)" }
    }
    if status.storage.state != "durable" { lines.append("state: \(status.storage.state)") }
    if !["on", "off"].contains(status.storage.samples) {
      lines.append("samples: \(status.storage.samples)")
    }
    lines += status.notificationProblems
    if status.pendingNotifications > 0 {
      lines.append("messages that wait to be delivered: \(status.pendingNotifications)")
    }
    guard !lines.isEmpty else { return }
    heading("LIFEGUARD ITSELF")
    for text in lines { line("  \(terminal.paint(terminal.fit(text, after: 2), .yellow))") }
  }

  private func services() {
    guard !status.services.isEmpty else { return }
    heading("SERVICES")
    var table = Table()
    for service in status.services {
      let colour: Terminal.Colour? =
        switch service.state {
        case "up": .green
        case "down": .red
        default: .yellow
        }
      let words =
        service.sentence.isEmpty ? service.pid.map { "pid \($0)" } ?? "" : service.sentence
      table.add(
        Table.Cell(service.name), Table.Cell(service.state, colour),
        Table.Cell(service.since.map(ago) ?? "", .dim), Table.Cell(words))
    }
    table.print(terminal)
  }

  private func incidents() {
    guard !status.incidents.isEmpty else {
      line("")
      line(terminal.paint("No open incident.", .green))
      return
    }
    heading("OPEN INCIDENTS")
    for incident in status.incidents { IncidentText(incident, terminal, now).printOpen() }
  }

  private func alerts() {
    guard !status.alerts.isEmpty else { return }
    heading("ALERTS")
    var table = Table()
    for alert in AlertView.byUrgency(status.alerts) {
      let isFiring = alert.state == "firing"
      let colour: Terminal.Colour? =
        !isFiring ? .dim : alert.labels["severity"] == "critical" ? .red : .yellow
      table.add(
        Table.Cell(alert.name), Table.Cell(alert.noData ? "no data" : alert.state, colour),
        Table.Cell(ago(alert.since), .dim), Table.Cell(alert.summary))
    }
    table.print(terminal)
  }

  private func silences() {
    guard !status.silences.isEmpty else { return }
    heading("SILENCES")
    var table = Table(columnMax: 40)
    for silence in status.silences {
      let ends = TimeText.relative(silence.until.timestamp, to: now)
      table.add(
        Table.Cell(silence.id), Table.Cell(silence.matchers.joined(separator: " ")),
        Table.Cell("ends \(ends)", .dim), Table.Cell("\(silence.by) \(silence.comment)"))
    }
    table.print(terminal)
  }

  private func heading(_ text: String) {
    line("")
    line(terminal.paint(text, .bold))
  }

  private func ago(_ time: WallTime) -> String { TimeText.relative(time.timestamp, to: now) }

  private func line(_ text: String) { Swift.print(text) }
}
