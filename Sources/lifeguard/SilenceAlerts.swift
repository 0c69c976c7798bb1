import ArgumentParser
import LifeguardCore

/// `lifeguard silence`.
struct SilenceAlerts: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "silence",
    abstract: "Keeps messages about matching alerts back; detection and recovery go on.",
    discussion: """
      All matchers must match an alert's labels: name="value", with =, !=, =~ or !~.

      Example: lifeguard silence 'service="web"' --for 2h --comment 'deploying'
               lifeguard silence --end 3
      """)

  @Argument(help: "Label matchers, such as 'service=\"web\"'.")
  var matchers: [String] = []

  @Option(name: .customLong("for"), help: "How long, such as 30m, 2h or 1d.")
  var length: String?

  @Option(help: "Why, for those who look.")
  var comment = ""

  @Option(help: ArgumentHelp("Ends the silence with this number.", valueName: "id"))
  var end: String?

  @OptionGroup var agent: AgentOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if end != nil {
      guard matchers.isEmpty, length == nil else {
        throw ValidationError("--end takes neither matchers nor --for")
      }
      return
    }
    guard !matchers.isEmpty else {
      throw ValidationError("a silence needs a matcher, such as 'service=\"web\"'")
    }
    guard length != nil else { throw ValidationError("--for is missing: how long, such as 1h") }
  }

  func run() throws {
    if let end { return try Command.send("unsilence", ["id": .string(end)], agent, output) }
    try Command.send(
      "silence",
      [
        "matchers": .array(matchers.map { .string($0) }), "for": .string(length ?? ""),
        "comment": .string(comment),
      ], agent, output)
  }
}
