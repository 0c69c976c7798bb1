import ArgumentParser
import LifeguardCore
import LifeguardServer

/// `lifeguard why TARGET`.
struct Why: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The chain of decisions about something: acted, refused, deferred, and why.",
    discussion: """
      The subject is a service, a target such as unit:nginx.service or host, an alert's name, or \
      an incident's number. The last five incidents about it are shown, the newest last.

      Example: lifeguard why web
               lifeguard why HostOutOfDiskSpace
      """)

  @Argument(help: "A service, kind:name, an alert's name, or an incident's number.")
  var target: String

  @OptionGroup var agent: AgentOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    try agent.withAgent { client throws(AgentClient.Failure) in
      let (chains, json) = try client.get(
        [IncidentDetail].self, "/api/v1/why", [("subject", target)])
      output.print(json) {
        if chains.isEmpty {
          print("Nothing was decided about \(Printable.text(target)): it has had no incident.")
        }
        let now = WallClock.now()
        for (index, chain) in chains.enumerated() {
          if index > 0 { print("") }
          IncidentText(chain.incident, .standardOutput, now).print(
            chain.timeline, evidence: chain.evidenceFiles)
        }
      }
    }
  }
}
