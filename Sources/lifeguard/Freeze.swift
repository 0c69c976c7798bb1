import ArgumentParser
import LifeguardCore

/// `lifeguard freeze`.
struct Freeze: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Stops everything that acts; watching and telling go on.",
    discussion: """
      Works without an agent too: a file named freeze in the data directory does the same.

      Example: lifeguard freeze --reason 'moving the database'
      """)

  @Option(help: "Why, for those who look.")
  var reason = ""

  @OptionGroup var agent: AgentOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    try Command.send("freeze", ["reason": .string(reason)], agent, output)
  }
}
