import LifeguardCore

/// How a command ended, with what it wrote.
public struct CommandResult: Hashable, Sendable {
  public enum Ending: Hashable, Sendable {
    case exited(code: Int32)
    case signaled(signal: Int32)
    /// It was ended because its time was up.
    case timedOut
    /// It was ended because nobody waits for it any more.
    case cancelled
    case couldNotStart(reason: String)
  }

  public var ending: Ending
  public var duration: Duration
  public var standardOutput: CapturedOutput
  public var standardError: CapturedOutput
  /// What was still running when this was returned: processes that a successful command has left
  /// behind on purpose (a daemon), or after a timeout those that even SIGKILL could not end.
  public var survivors: Int

  public init(
    ending: Ending, duration: Duration = .zero,
    standardOutput: CapturedOutput = CapturedOutput(),
    standardError: CapturedOutput = CapturedOutput(), survivors: Int = 0
  ) {
    self.ending = ending
    self.duration = duration
    self.standardOutput = standardOutput
    self.standardError = standardError
    self.survivors = survivors
  }

  public var succeeded: Bool { ending == .exited(code: 0) }

  /// The ending in words: `exit status 3`, `killed by signal 9`.
  public var summary: String {
    switch ending {
    case .exited(let code): code == 0 ? "succeeded" : "exit status \(code)"
    case .signaled(let signal): "killed by signal \(signal)"
    case .timedOut: "timed out after \(Self.seconds(duration)) s"
    case .cancelled: "cancelled"
    case .couldNotStart(let reason): "could not start: \(reason)"
    }
  }

  /// The last line that says something, for a one-line account; standard error first.
  public var lastLine: String? {
    for output in [standardError, standardOutput] {
      let lines = output.text.split(separator: "\n")
      if let line = lines.last(where: { $0.contains { !$0.isWhitespace } }) { return String(line) }
    }
    return nil
  }

  private static func seconds(_ duration: Duration) -> String {
    let tenths = Int((duration.seconds * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
