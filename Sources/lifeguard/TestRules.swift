import ArgumentParser
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore
import LifeguardServer

/// `lifeguard test …`.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Tests of what you have configured.",
    subcommands: [TestRules.self])
}

/// `lifeguard test rules F…`.
struct TestRules: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules",
    abstract: "Runs rule tests in promtool's format, with the same verdict.",
    discussion: """
      Beside alert_rule_test and promql_expr_test a test may carry recoveries: which plan of the \
      configuration would answer an alert. Exit status 1 when a test fails.

      Example: lifeguard test rules --config lifeguard.yaml rules/*.test.yaml
      """)

  @Argument(help: "Files of rule tests.")
  var files: [String]

  @Option(
    help: ArgumentHelp(
      "The configuration whose recoveries, plans and inline rules are meant.", valueName: "path"))
  var config: String?

  @OptionGroup var output: OutputOptions

  private struct Outcome {
    var file: String
    var problems: [ConfigurationProblem]
    var failures: [RuleTestFailure]

    var hasPassed: Bool {
      failures.isEmpty && !problems.contains { $0.severity == .error }
    }
  }

  func run() throws {
    let loader = Loading.loader
    var configuration: Configuration?
    if let config {
      let loaded = loader.load(mainFile: config)
      Loading.report(loaded.problems)
      guard let usable = loaded.configuration else { throw ExitCode.problem }
      configuration = usable
    }
    var hasPassed = true
    var results: [JSON] = []
    for file in files {
      if !output.json { print("Unit Testing:  \(Printable.text(file))") }
      let outcome = run(file, loader, configuration)
      if !outcome.hasPassed { hasPassed = false }
      results.append(json(outcome))
      if !output.json { show(outcome) }
    }
    if output.json {
      print(JSON.object(JSONObject([("files", .array(results))])).text(indented: true))
    }
    if !hasPassed { throw ExitCode.problem }
  }

  private func run(
    _ file: String, _ loader: ConfigurationLoader, _ configuration: Configuration?
  ) -> Outcome {
    let (tests, problems) = loader.loadRuleTests(file)
    guard let tests else { return Outcome(file: file, problems: problems, failures: []) }
    let policy = configuration.map { Policy($0, host: "localhost") }
    let runner = RuleTestRunner(tests, policy: policy, inlineRules: configuration?.rules ?? [])
    return Outcome(file: file, problems: problems, failures: runner.run())
  }

  private func show(_ outcome: Outcome) {
    Loading.report(outcome.problems.filter { $0.severity == .warning })
    guard !outcome.hasPassed else {
      print("  SUCCESS\n")
      return
    }
    StandardError.write("  FAILED:\n")
    Loading.report(outcome.problems.filter { $0.severity == .error })
    for failure in outcome.failures { StandardError.write(Self.printable(failure.text) + "\n\n") }
    print("")
  }

  /// Safe for a terminal, line by line.
  private static func printable(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { Printable.text(String($0)) }.joined(separator: "\n")
  }

  private func json(_ outcome: Outcome) -> JSON {
    let failures = outcome.failures.map { failure -> JSON in
      [
        "kind": .string(failure.kind.rawValue), "test": .string(failure.test),
        "subject": .string(failure.subject), "eval_time": .string(failure.time.text),
        "expected": .string(failure.expected), "got": .string(failure.got),
        "text": .string(failure.text),
      ]
    }
    return [
      "file": .string(outcome.file), "passed": .bool(outcome.hasPassed),
      "problems": .array(outcome.problems.map { .string("\($0)") }),
      "failures": .array(failures),
    ]
  }
}
