import TestSupport

/// An SSM document of `deploy/ssm`: its scripts, run here as the agent of Systems Manager would run
/// them on a server.
struct CommandDocument {
  let name: String
  private let path: String

  static let names = [
    "install-cloudwatch-agent", "install-lifeguard", "restart-service", "run-script",
  ]

  init(_ name: String) {
    self.name = name
    path = SourceTree.path("deploy/ssm/\(name).json")
  }

  /// What a jq filter makes of the document, as raw text.
  func query(_ filter: String) async throws -> String {
    let result = try await ChildProgram.run(["jq", "--raw-output", filter, path])
    guard result.succeeded else { throw CheckFailure("\(name): \(result)") }
    return result.standardOutput
  }

  /// The scripts of all its steps, with values in the places of its parameters.
  func script(_ parameters: [String: String]) async throws -> String {
    var text = try await query(
      ".mainSteps[] | select(.action == \"aws:runShellScript\") | .inputs.runCommand[]")
    for (parameter, value) in parameters {
      text = text.replacing("{{ \(parameter) }}", with: value)
    }
    return text
  }

  /// The names of its parameters.
  func parameters() async throws -> [String] {
    try await query(".parameters | keys[]").split(separator: "\n").map(String.init)
  }
}
