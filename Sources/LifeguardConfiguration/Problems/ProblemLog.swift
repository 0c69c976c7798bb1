import LifeguardCore

/// Collects the problems of one load.
final class ProblemLog {
  /// What is beyond it is counted and not listed: nobody reads a thousand lines.
  private static let listedMax = 200

  private var listed: Set<ConfigurationProblem> = []
  private var errorsBeyond = 0
  private(set) var hasErrors = false
  /// Whether another problem would only be counted, so that its exact place is not worth finding.
  var isFull: Bool { listed.count >= ProblemLog.listedMax }

  func error(_ location: SourceLocation?, _ message: String) {
    hasErrors = true
    add(ConfigurationProblem(severity: .error, location: location, message: message))
  }

  func warning(_ location: SourceLocation?, _ message: String) {
    add(ConfigurationProblem(severity: .warning, location: location, message: message))
  }

  private func add(_ problem: ConfigurationProblem) {
    // An alias or a shared anchor is read at every use, and is reported once.
    guard !listed.contains(problem) else { return }
    guard listed.count < ProblemLog.listedMax else {
      errorsBeyond += 1
      return
    }
    listed.insert(problem)
  }

  /// By file, line and column; what has no place comes last.
  var sorted: [ConfigurationProblem] {
    var problems = listed.sorted { left, right in
      switch (left.location, right.location) {
      case (let left?, let right?) where left != right: left < right
      case (nil, .some): false
      case (.some, nil): true
      default: left.message < right.message
      }
    }
    if errorsBeyond > 0 {
      problems.append(
        ConfigurationProblem(
          location: nil, message: "\(errorsBeyond) further problems are not listed"))
    }
    return problems
  }
}
