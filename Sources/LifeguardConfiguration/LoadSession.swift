import LifeguardCore

/// One load from start to end: what was read so far, and what is still to be checked when
/// everything is known.
///
/// The readers are extensions of it, one file for each part of the configuration.
final class LoadSession {
  let loader: ConfigurationLoader
  let log = ProblemLog()
  var configuration = Configuration()
  /// Paths in the main file are relative to this directory.
  var directory: String

  /// Who names which plan; checked when all plans are known.
  var planUses: [PlanUse] = []
  /// Who names which receiver.
  var receiverUses: [(name: String, location: SourceLocation)] = []
  /// Every service that was named, usable or not, so that a mistake in one is told once.
  var serviceNames: [String] = []
  /// Which plan or dependency names which service.
  var serviceUses: [(name: String, location: SourceLocation)] = []
  var planLocations: [String: SourceLocation] = [:]
  /// Files and directories of which a problem was already reported.
  var untrusted: Set<String> = []

  init(loader: ConfigurationLoader, directory: String) {
    self.loader = loader
    self.directory = directory
  }

  /// A place that says which plan answers an alert.
  struct PlanUse {
    var plan: String
    var location: SourceLocation?
    /// Whether the alerts that come from there are sure to say which service is meant.
    var namesService: Bool
  }
}
