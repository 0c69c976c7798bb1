import ArgumentParser
import LifeguardCore
import LifeguardServer

/// `lifeguard incidents [ID]`.
struct ShowIncidents: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "incidents", abstract: "The incidents of this host, or one with its timeline.",
    discussion: """
      Example: lifeguard incidents
               lifeguard incidents 12
      """)

  @Argument(help: "The number of one incident.")
  var id: Int?

  @Option(help: "How many at most, 1 to 1000.")
  var limit = 20

  @OptionGroup var agent: AgentOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (1...1000).contains(limit) else {
      throw ValidationError("--limit must be from 1 to 1000, not \(limit)")
    }
  }

  func run() throws {
    try agent.withAgent { client throws(AgentClient.Failure) in
      if let id {
        let (detail, json) = try client.get(IncidentDetail.self, "/api/v1/incidents/\(id)")
        output.print(json) {
          IncidentText(detail.incident, .standardOutput, WallClock.now())
            .print(detail.timeline, evidence: detail.evidenceFiles)
        }
        return
      }
      let (incidents, json) = try client.get(
        [IncidentView].self, "/api/v1/incidents", [("limit", "\(limit)")])
      output.print(json) { list(incidents, .standardOutput) }
    }
  }

  private func list(_ incidents: [IncidentView], _ terminal: Terminal) {
    guard !incidents.isEmpty else {
      print("No incident yet.")
      return
    }
    let now = WallClock.now()
    var table = Table(columnMax: 24, indent: 0)
    table.add(
      Table.Cell("ID", .bold), Table.Cell("STATE", .bold), Table.Cell("OPENED", .bold),
      Table.Cell("TOOK", .bold), Table.Cell("TARGET", .bold), Table.Cell("WHAT", .bold))
    for incident in incidents {
      let took = incident.endedAt.map { ($0.timestamp - incident.openedAt.timestamp).text } ?? ""
      let tried = incident.attempts.filter { !$0.isShadow }.map(\.step)
      let steps = tried.isEmpty ? "" : ": \(tried.joined(separator: ", "))"
      table.add(
        Table.Cell("\(incident.id)"), Table.Cell(incident.state, IncidentText.colour(of: incident)),
        Table.Cell(TimeText.relative(incident.openedAt.timestamp, to: now), .dim), Table.Cell(took),
        Table.Cell(incident.target ?? "-"), Table.Cell(incident.title + steps))
    }
    table.print(terminal)
  }
}
