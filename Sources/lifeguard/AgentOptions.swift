import ArgumentParser
import LifeguardCore
import LifeguardServer

/// How to find the agent.
struct AgentOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The agent's Unix socket.", valueName: "path"))
  var socket: String?

  @Option(help: ArgumentHelp("The agent's data directory.", valueName: "directory"))
  var data: String?

  var client: AgentClient {
    if let socket { return AgentClient(sockets: [socket]) }
    if let data {
      return AgentClient(sockets: [Places.socket(dataDirectory: Places.absolute(data))])
    }
    return AgentClient(sockets: Places.sockets)
  }

  /// Runs what talks to the agent; says what went wrong, with its exit status.
  func withAgent(_ body: (AgentClient) throws(AgentClient.Failure) -> Void) throws {
    do throws(AgentClient.Failure) {
      try body(client)
    } catch {
      StandardError.write("lifeguard: \(Printable.text("\(error)"))\n")
      if case .unreachable = error { throw ExitCode.unreachable }
      throw ExitCode.problem
    }
  }
}

/// For commands that show something.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print JSON for programs.")
  var json = false

  /// Prints the answer as it is when programs want it.
  func print(_ answer: JSON, otherwise show: () -> Void) {
    if json { Swift.print(answer.text(indented: true)) } else { show() }
  }
}
