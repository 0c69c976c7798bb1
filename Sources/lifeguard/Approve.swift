import ArgumentParser
import LifeguardCore

/// `lifeguard approve ID`.
struct Approve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lets an action go ahead that waits for a person (mode approve).",
    discussion: """
      The guard rails look once more before it runs.

      Example: lifeguard approve 12
      """)

  @Argument(help: "The approval, or the number of the incident that waits for it.")
  var id: String

  @OptionGroup var agent: AgentOptions
  @OptionGroup var output: OutputOptions

  func run() throws { try Command.send("approve", ["id": .string(id)], agent, output) }
}
