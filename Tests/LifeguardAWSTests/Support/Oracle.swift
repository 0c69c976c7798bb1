import Glibc
import LifeguardCore
import TestSupport

/// Python with moto and botocore, as `scripts/setup.sh test` installs it.
enum Oracle {
  static let python = SourceTree.path(".build/venv/bin/python")

  static var requirement: Requirement {
    Requirement(
      isMet: access(SourceTree.path(".build/venv/bin/moto_server"), X_OK) == 0,
      reason: "needs moto and botocore: run `scripts/setup.sh test`")
  }

  /// Runs a program of `Oracles` and returns what it wrote.
  static func run(
    _ name: String, _ arguments: [String] = [], input: String? = nil,
    timeout: Duration = .seconds(120)
  ) async throws -> String {
    let script = SourceTree.path("Tests/LifeguardAWSTests/Oracles/\(name)")
    let result = try await ChildProgram.run(
      [python, script] + arguments, environment: ["PYTHONDONTWRITEBYTECODE": "1"], input: input,
      timeout: timeout)
    guard result.succeeded else { throw OracleError(description: "\(name): \(result)") }
    return result.standardOutput
  }
}

struct OracleError: Error, CustomStringConvertible {
  let description: String
}
