import LifeguardConfiguration
import LifeguardCore

/// What the HTTP API asks beside the rest.
extension Agent {
  /// As the configuration in force says.
  public var httpSettings: HTTPSettings { configuration.http }

  /// What comes next in each open incident, in one clause.
  public var nextSteps: [Int: String] {
    let now = parts.clock()
    var steps: [Int: String] = [:]
    for incident in turn.monitor.state.openIncidents {
      steps[incident.id] = turn.monitor.next(incident, .reminder, at: now)
    }
    return steps
  }

  /// The approval that an incident waits for.
  public func approval(of incident: Int) -> String? {
    guard
      case .awaitingApproval(let approval) = turn.monitor.state.incidents[incident]?.ladder?.phase
    else { return nil }
    return approval.id
  }

  /// The files of evidence of an incident, oldest first.
  public nonisolated func evidenceFiles(of incident: Int) async -> [String] {
    await parts.evidence.files(of: incident)
  }
}
