import Glibc
import LifeguardCore
import TestSupport

/// A `lifeguard run` of a test's own, with its data in a private folder.
final class RunningAgent: Sendable {
  let folder: TemporaryFolder
  let program: ChildProgram
  let lifeguard: String

  struct NotUp: Error, CustomStringConvertible {
    var description: String
  }

  /// Starts it and waits until it answers.
  ///
  /// - Parameters:
  ///   - arguments: beside `run`, `--config`, `--data` and `--listen`.
  ///   - environment: added to the tests' own.
  init(
    _ configuration: String, arguments: [String] = [], environment: [String: String] = [:]
  ) async throws {
    guard let lifeguard = Program.lifeguard else { throw NotUp(description: "no command") }
    self.lifeguard = lifeguard
    folder = try TemporaryFolder()
    try TextFile.write(configuration, to: folder / "lifeguard.yaml")
    chmod(folder / "lifeguard.yaml", 0o600)
    program = try ChildProgram(
      [
        lifeguard, "run", "--config", folder / "lifeguard.yaml", "--data", folder / "data",
        "--listen", "127.0.0.1:0",
      ] + arguments, environment: environment)
    let program = program
    let isUp = await eventually(within: .seconds(30)) {
      program.standardOutput.contains("page") || program.standardOutput.contains("\"started\"")
        || !program.isRunning
    }
    guard isUp, program.isRunning else {
      throw NotUp(description: "\(program.standardOutput)\n\(program.standardError)")
    }
  }

  /// Ends the agent and the services that it supervises, by their process ids.
  func end() async {
    let status = try? await json(["status"])  // an agent that is gone has nothing to end
    let children = (status?["services"]?.array ?? []).compactMap { $0["pid"]?.integer }
    await program.terminate(grace: .seconds(20))
    for pid in children { kill(pid_t(pid), SIGKILL) }
    folder.remove()
  }

  /// Runs a command against this agent.
  func command(_ arguments: [String]) async throws -> ProgramResult {
    try await ChildProgram.run([lifeguard] + arguments + ["--data", folder / "data"])
  }

  /// The same with `--json`, parsed.
  func json(_ arguments: [String]) async throws -> JSON {
    let result = try await command(arguments + ["--json"])
    return try JSON.parse(Array(result.standardOutput.utf8))
  }

  /// Where the API listens.
  var port: Int {
    get throws {
      let line = program.standardOutput.split(separator: "\n").first { $0.hasPrefix("page") } ?? ""
      let digits = line.split(separator: ":").last.map { $0.prefix { $0.isNumber } } ?? ""
      guard let port = Int(digits) else { throw NotUp(description: "no page in \(line)") }
      return port
    }
  }
}
