import ArgumentParser
import LifeguardCore
import LifeguardServer

/// `lifeguard query EXPR`.
struct QueryNow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query", abstract: "A PromQL query over what the agent has in memory, now.",
    discussion: """
      Example: lifeguard query CPUUtilization
               lifeguard query 'rate(node_network_receive_bytes_total[1m])'
      """)

  @Argument(help: "A PromQL expression.")
  var expression: String

  @OptionGroup var agent: AgentOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    try agent.withAgent { client throws(AgentClient.Failure) in
      let answer = try client.get("/api/v1/query", [("query", expression)])
      output.print(answer) { show(answer) }
    }
  }

  private func show(_ answer: JSON) {
    guard case .array(let rows) = answer["result"] ?? .null else { return }
    if answer["resultType"]?.string == "scalar" || answer["resultType"]?.string == "string" {
      print(Printable.text(rows.last?.string ?? ""))
      return
    }
    if rows.isEmpty { print("Nothing matches.") }
    for row in rows {
      let labels = Labels(
        (row["metric"]?.object?.members ?? []).map {
          Label(name: $0.key, value: $0.value.string ?? "")
        })
      let values = row["values"]?.array ?? (row["value"].map { [$0] } ?? [])
      for value in values {
        print("\(Printable.text(labels.description)) \(Printable.text(value[1]?.string ?? ""))")
      }
    }
  }
}
