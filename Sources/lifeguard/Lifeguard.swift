import ArgumentParser

/// The command `lifeguard`: an agent, and what talks to it.
@main
struct Lifeguard: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lifeguard",
    abstract: "Watches this host, gets it out of trouble, and proves that it helped.",
    discussion: """
      Start with `lifeguard run`, then look with `lifeguard status`. Without a configuration it
      watches this host with the default rules and touches nothing.

      Exit statuses: 0 fine; 1 a problem, which is printed; 3 no agent can be reached; \
      64 the command line is wrong.
      """,
    version: "lifeguard \(Version.text)",
    groupedSubcommands: [
      CommandGroup(
        name: "Agent",
        subcommands: [
          Run.self, Check.self, TestCommand.self, BacktestCommand.self, ShowToken.self,
        ]),
      CommandGroup(
        name: "Looking",
        subcommands: [
          ShowStatus.self, ShowIncidents.self, Why.self, Explain.self, Top.self, QueryNow.self,
        ]),
      CommandGroup(
        name: "A hand on the brake",
        subcommands: [
          Freeze.self, Thaw.self, SilenceAlerts.self, Acknowledge.self, Approve.self,
        ]),
      CommandGroup(name: "Stored samples", subcommands: [DatabaseCommand.self]),
      CommandGroup(name: "Demonstration", subcommands: [DemoService.self]),
    ])
}
