import LifeguardCore

/// A moto server that verifies keys, signatures and permissions, with users, instances and the rest
/// that `moto_setup.py` makes in it.
public final class MotoServer: Sendable {
  public let endpoint: String
  /// What was made: `facts["allowed"]` has a user's `key` and `secret`.
  public let facts: JSON
  private let program: ChildProgram

  private init(program: ChildProgram, endpoint: String, facts: JSON) {
    self.program = program
    self.endpoint = endpoint
    self.facts = facts
  }

  /// It did not come up.
  public struct NotUp: Error, CustomStringConvertible {
    public let description: String
  }

  public static var requirement: Requirement {
    Requirement(
      isMet: TextFile.exists(SourceTree.path(".build/venv/bin/moto_server")),
      reason: "needs moto and botocore: run `scripts/setup.sh test`")
  }

  /// Starts one and prepares it.
  public static func start() async throws -> MotoServer {
    let port = try FreePort.tcp()
    let endpoint = "http://127.0.0.1:\(port)"
    let program = try ChildProgram(
      [SourceTree.path(".build/venv/bin/moto_server"), "-H", "127.0.0.1", "-p", "\(port)"],
      environment: ["PYTHONDONTWRITEBYTECODE": "1"])
    guard await eventually(within: .seconds(90), { FreePort.answers(port) }) else {
      throw NotUp(description: "moto does not listen: \(program.standardError.suffix(2000))")
    }
    let setup = try await ChildProgram.run(
      [
        SourceTree.path(".build/venv/bin/python"),
        SourceTree.path("Tests/LifeguardAWSTests/Oracles/moto_setup.py"), endpoint,
      ], environment: ["PYTHONDONTWRITEBYTECODE": "1"], timeout: .seconds(300))
    guard setup.succeeded else { throw NotUp(description: "moto_setup.py: \(setup)") }
    return MotoServer(
      program: program, endpoint: endpoint, facts: try JSON.parse(setup.standardOutput))
  }

  /// Ends it.
  public func stop() { program.kill() }
}
