import LifeguardCore
import LifeguardServer

/// Sends an operator's command and prints what became of it.
enum Command {
  static func send(
    _ name: String, _ body: JSON, _ agent: AgentOptions, _ output: OutputOptions
  ) throws {
    try agent.withAgent { client throws(AgentClient.Failure) in
      let answer = try client.post("/api/v1/\(name)", body)
      output.print(answer) { print(Printable.text(answer["message"]?.string ?? "done")) }
    }
  }
}
