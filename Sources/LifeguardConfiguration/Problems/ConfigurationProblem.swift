import LifeguardCore

/// One thing that is wrong with a configuration: where, what, and what to write instead.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
  public enum Severity: String, Hashable, Sendable {
    /// The configuration is not used.
    case error
    /// It is used, but somebody should look.
    case warning
  }

  public var severity: Severity
  /// nil for what no file says, such as an environment variable.
  public var location: SourceLocation?
  /// Lower case, without a full stop; never holds a secret.
  public var message: String

  public init(severity: Severity = .error, location: SourceLocation?, message: String) {
    self.severity = severity
    self.location = location
    self.message = message
  }

  /// `file:line:column: message`, as compilers write it.
  public var description: String {
    let kind = severity == .warning ? "warning: " : ""
    return location.map { "\($0): \(kind)\(message)" } ?? kind + message
  }
}

/// What came of reading a configuration: all of it, or none of it.
public struct LoadedConfiguration: Sendable {
  /// nil when there is at least one error: nothing is ever half-applied.
  public var configuration: Configuration?
  /// All problems at once, by file and line.
  public var problems: [ConfigurationProblem]
  /// What could be read, errors or not: for further checks that are told together with them, and
  /// for nothing else.
  public var draft: Configuration

  public init(
    configuration: Configuration?, problems: [ConfigurationProblem],
    draft: Configuration = Configuration()
  ) {
    self.configuration = configuration
    self.problems = problems
    self.draft = draft
  }

  public var errors: [ConfigurationProblem] { problems.filter { $0.severity == .error } }
  public var warnings: [ConfigurationProblem] { problems.filter { $0.severity == .warning } }
}
