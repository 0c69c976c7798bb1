import ArgumentParser
import LifeguardCore
import LifeguardServer

/// `lifeguard token`.
struct ShowToken: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Prints the token of the HTTP API, or a link to the page.",
    discussion: """
      Only root and the agent's own user can read the token. A link signs a browser in once and \
      is good for 15 minutes.

      Example: curl -H "Authorization: Bearer $(lifeguard token)" \
      http://127.0.0.1:9911/api/v1/status
               lifeguard token --link
      """)

  @Flag(help: "Print a link that signs a browser in.")
  var link = false

  @OptionGroup var agent: AgentOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    if link {
      try agent.withAgent { client throws(AgentClient.Failure) in
        let answer = try client.post("/api/v1/sign-in", [:])
        let text = (answer["address"]?.string ?? "") + (answer["path"]?.string ?? "")
        output.print(["link": .string(text)]) { print(text) }
      }
      return
    }
    let directories =
      agent.data.map { [Places.absolute($0)] }
      ?? [Places.dataDirectory, "\(Places.dataDirectory)-quickstart"]
    do throws(ServerError) {
      for directory in directories {
        guard let token = try AccessToken.read(AccessToken.path(inDirectory: directory)) else {
          continue
        }
        output.print(["token": .string(token)]) { print(token) }
        return
      }
    } catch {
      StandardError.write("lifeguard: \(error)\n")
      throw ExitCode.problem
    }
    let places = directories.joined(separator: " or ")
    StandardError.write(
      "lifeguard: there is no token in \(places): it is made when the agent starts; start it with "
        + "`lifeguard run`, or name its data directory with --data\n")
    throw ExitCode.problem
  }
}
