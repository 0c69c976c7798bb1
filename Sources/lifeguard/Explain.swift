import ArgumentParser
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore
import LifeguardServer

/// `lifeguard explain RULE` and `lifeguard explain aws`.
struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "A rule as resolved: what it sees now, its plan and its guard rails.",
    discussion: """
      `aws` shows what is handed to CloudWatch, how that goes, and what it costs a month; with \
      --config it is calculated from a file, without an agent.

      Example: lifeguard explain HostCPUBusy
      """)

  @Argument(help: "The rule's name, or aws.")
  var rule: String

  @Option(help: ArgumentHelp("A configuration, for aws.", valueName: "file"))
  var config: String?

  @OptionGroup var agent: AgentOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard config != nil, rule != "aws" else { return }
    throw ValidationError("--config is for `lifeguard explain aws`; an agent explains its rules")
  }

  func run() throws {
    if rule == "aws" { return try explainCloud() }
    try agent.withAgent { client throws(AgentClient.Failure) in
      let (explanation, json) = try client.get(
        Explanation.self, "/api/v1/explain", [("rule", rule)])
      output.print(json) { show(explanation, .standardOutput) }
    }
  }

  private func explainCloud() throws {
    if let config {
      let loaded = Loading.loader.load(mainFile: config)
      Loading.report(loaded.problems)
      guard let configuration = loaded.configuration else { throw ExitCode.problem }
      let report = CloudReport(configuration.aws)
      output.print(try JSONCoder.json(report)) {
        ExplainCloud(report: report, terminal: .standardOutput).show()
      }
      return
    }
    try agent.withAgent { client throws(AgentClient.Failure) in
      let (report, json) = try client.get(CloudReport.self, "/api/v1/aws")
      output.print(json) { ExplainCloud(report: report, terminal: .standardOutput).show() }
    }
  }

  private func show(_ rule: Explanation, _ terminal: Terminal) {
    func fact(_ name: String, _ text: String?) {
      guard let text, !text.isEmpty else { return }
      let padding = String(repeating: " ", count: max(1, 12 - name.count))
      for (index, line) in terminal.wrap(text, indent: 12).enumerated() {
        print(index == 0 ? terminal.paint(name, .dim) + padding + line : "            " + line)
      }
    }
    print(terminal.paint(Printable.text(rule.rule), .bold))
    fact("from", [rule.origin, rule.location].compactMap(\.self).joined(separator: ", "))
    fact("expression", rule.expression)
    fact("clear", rule.clear)
    fact("for", rule.forText)
    fact("samples", rule.samples)
    fact(
      "labels",
      rule.labels.sorted { $0.key < $1.key }.map { "\($0)=\"\($1)\"" }.joined(separator: " "))
    for (name, text) in rule.annotations.sorted(by: { $0.key < $1.key }) { fact(name, text) }
    fact("problem", rule.problem)
    fact("now", rule.matches.isEmpty ? "matches nothing" : "\(rule.matches.count) matches")
    for match in rule.matches.prefix(10) { fact("", "\(match.labels) = \(match.value)") }
    fact("mode", rule.mode)
    fact("plan", rule.plan ?? "none: people are told, nothing is done")
    fact("target", rule.target)
    for (index, step) in rule.steps.enumerated() { fact("step \(index + 1)", step) }
    fact("verify", rule.verify)
    for rail in rule.guardRails { fact("guard rail", rail) }
    for refusal in rule.refusals { fact("refused now", refusal) }
  }
}
