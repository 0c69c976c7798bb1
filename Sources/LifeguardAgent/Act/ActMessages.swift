import LifeguardConfiguration
import LifeguardCore
import LifeguardHost

/// What the unprivileged process asks of the acting one: names, never commands.
enum ActRequest: Sendable, Codable {
  /// Evaluation makes progress.
  case alive
  case watch([ChildRecord], startsMissing: Bool)
  case allowStarts(Bool)
  case perform(Int, StepOrder)
  case prepare(Int, PreparationOrder)
  case evidence(Int, EvidenceRequest)
  /// Count what these processes have moved and opened.
  case look([ProcessIdentity])
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
  case looked([CloseLook])
  /// SIGHUP reached the acting process.
  case reloadWanted
}
