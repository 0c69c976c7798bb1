import ArgumentParser
import LifeguardCore
import LifeguardStore

/// `lifeguard db verify`.
struct DatabaseVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Reads all stored samples and lists what is damaged.",
    discussion: """
      Exit status 0 when all is sound, 1 when something is damaged. A running agent sets a file
      aside that it cannot use and leaves damaged chunks out of its answers, saying so.

      Example: lifeguard db verify --data /var/lib/lifeguard
      """)

  @OptionGroup var database: DatabaseOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    var findings: [SampleFile.Finding] = []
    try database.withErrors {
      let file = try SampleFile(path: database.path)
      var progress = DatabaseProgress()
      findings = try file.verify { progress.show("verifying", $0, of: $1) }
      progress.end()
    }
    let list = findings.map { finding -> JSON in
      ["place": .string(finding.place), "problem": .string(finding.problem)]
    }
    output.print(["file": .string(database.path), "findings": .array(list)]) {
      for finding in findings { print("\(finding.place): \(finding.problem)") }
      print(
        findings.isEmpty
          ? "\(database.path): sound" : "\(database.path): \(findings.count) problems")
    }
    if !findings.isEmpty { throw ExitCode.problem }
  }
}
