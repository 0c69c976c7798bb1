import ArgumentParser
import LifeguardCore

/// `lifeguard ack ID`.
struct Acknowledge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ack",
    abstract: "Takes an incident over: no further step and no reminder until it is over.",
    discussion: "Example: lifeguard ack 12")

  @Argument(help: "The incident's number.")
  var id: Int

  @OptionGroup var agent: AgentOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    try Command.send("ack", ["incident": .integer(Int64(id))], agent, output)
  }
}
