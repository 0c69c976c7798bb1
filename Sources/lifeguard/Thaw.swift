import ArgumentParser
import LifeguardCore

/// `lifeguard thaw`.
struct Thaw: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Ends a freeze: recovery works again.", discussion: "Example: lifeguard thaw")

  @OptionGroup var agent: AgentOptions
  @OptionGroup var output: OutputOptions

  func run() throws { try Command.send("thaw", [:], agent, output) }
}
