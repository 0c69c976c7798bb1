import ArgumentParser
import LifeguardConfiguration
import LifeguardCore

/// `lifeguard check [F…]`.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Validates configuration and rule files; lists all problems at once.",
    discussion: """
      Without a file it checks what `lifeguard run` would read. Exit status 0 when there is no \
      error, 1 when there is.

      Example: lifeguard check lifeguard.yaml rules/*.yaml
      """)

  @Argument(help: "Configurations and Prometheus rule files.")
  var files: [String] = []

  @OptionGroup var output: OutputOptions

  func run() throws {
    let loader = Loading.loader
    let main = Loading.mainFile(nil, loader)
    let problems = files.isEmpty ? loader.load(mainFile: main).problems : loader.check(files)
    let errors = problems.filter { $0.severity == .error }
    let checked = files.isEmpty ? [main ?? "the defaults"] : files
    output.print(json(problems, checked)) {
      Loading.report(problems)
      let names = checked.joined(separator: ", ")
      if errors.isEmpty {
        print("\(names): fine\(problems.isEmpty ? "" : ", \(problems.count) warnings")")
      }
    }
    if !errors.isEmpty { throw ExitCode.problem }
  }

  private func json(_ problems: [ConfigurationProblem], _ files: [String]) -> JSON {
    let list = problems.map { problem -> JSON in
      [
        "severity": .string(problem.severity.rawValue),
        "file": problem.location.map { .string($0.file) } ?? .null,
        "line": problem.location.map { .integer(Int64($0.line)) } ?? .null,
        "column": problem.location.map { .integer(Int64($0.column)) } ?? .null,
        "message": .string(problem.message),
      ]
    }
    return ["files": .array(files.map { .string($0) }), "problems": .array(list)]
  }
}
