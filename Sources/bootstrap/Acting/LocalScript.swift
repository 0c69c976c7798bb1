import LifeguardCore
import LifeguardHost
import Synchronization

/// Runs scripts in this sandbox: from a layer, with a time limit, ended as a whole.
final class LocalScript: Sendable {
  private let runner = Mutex<CommandRunner?>(nil)

  /// Nothing is started before the first script.
  private func existingRunner() throws -> CommandRunner {
    if let runner = runner.withLock({ $0 }) { return runner }
    // A sandbox lets nobody make control groups.
    let made = CommandRunner(
      reactor: try Reactor(), threads: try BlockingThreads(), launcher: Launcher(groups: nil))
    return runner.withLock { runner in
      runner = runner ?? made
      return runner ?? made
    }
  }

  /// - Parameter limit: what is left of the invocation.
  func run(_ command: Command, _ request: StepRequest, within limit: Duration) async -> StepResult {
    var command = command
    command.timeout = min(
      command.timeout, max(limit - Self.grace - Self.endTime, .milliseconds(100)))
    var options = CommandRunner.Options()
    options.grace = Self.grace
    options.environment = request.alert.environment(
      target: request.attempt.target, plan: request.attempt.plan, rung: request.attempt.rung,
      attempt: request.attempt.id)
    let result: CommandResult
    do {
      options.standardInput = try JSONCoder.encode(request.alert)
      result = try await existingRunner().run(command, options: options)
    } catch {
      return StepResult(status: .failed, summary: "the script cannot be started: \(error)")
    }
    let line = result.lastLine.map { ": \(TextEscape.line(String($0.prefix(300))))" } ?? ""
    let summary = "\(result.summary) after \(result.duration.text)\(line)"
    switch result.ending {
    case .exited(code: 0): return StepResult(status: .succeeded, summary: summary)
    case .cancelled: return StepResult(status: .unknown, summary: summary)
    case .exited, .signaled, .timedOut, .couldNotStart:
      return StepResult(status: .failed, summary: summary)
    }
  }

  /// Between SIGTERM and SIGKILL: there is little time, and the sandbox is frozen after it.
  private static let grace: Duration = .milliseconds(500)
  /// For its end to be seen: a process in the kernel is waited for even after SIGKILL, and a
  /// sandbox of little memory has little processor time.
  private static let endTime: Duration = .seconds(1)
}
