import LifeguardConfiguration
import LifeguardCore

/// What the unprivileged process asks of the acting one: names, never commands.
enum ActRequest: Sendable, Codable {
  /// Evaluation makes progress.
  case alive
  case watch([ChildRecord], startsMissing: Bool)
  case perform(Int, StepOrder)
  case prepare(Int, PreparationOrder)
  case evidence(Int, EvidenceRequest)
  /// Read the configuration again and hand over what was seen of it.
  case reload(Int)
}

/// What the acting process answers and tells.
enum ActReply: Sendable, Codable {
  case report(HandsReport)
  case performed(Int, StepResult)
  case prepared(Int, PreparationReport)
  case evidence(Int, EvidenceReport)
  case configuration(Int, RecordedFiles)
  /// SIGHUP reached the acting process.
  case reloadWanted
}
