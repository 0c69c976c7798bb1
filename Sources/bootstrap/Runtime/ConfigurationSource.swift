import LifeguardConfiguration
import LifeguardCore

/// Reads the configuration with the agent's own loader, wherever its text comes from.
struct ConfigurationSource: Sendable {
  let settings: FunctionSettings
  let environment: [String: String]
  /// Fetches a parameter or a secret; blocks.
  let remote: @Sendable (RemoteSecret) -> Result<String, FileFailure>

  /// What is wrong with the configuration, one line a problem.
  struct Problems: Error, CustomStringConvertible {
    var list: [String]
    var description: String { list.joined(separator: "; ") }
  }

  /// What the text is called in messages.
  private static let shown = "LIFEGUARD_CONFIG"
  private static let path = "/LIFEGUARD_CONFIG"

  /// - Parameter warn: takes what is no error.
  func load(warn: (String) -> Void) throws(Problems) -> Configuration {
    var files = FileAccess.system
    var main: String?
    switch settings.source {
    case nil: break
    case .file(let path): main = path
    case .inline(let text):
      (files, main) = (overlay(text, on: files), Self.path)
    case .parameter(let name):
      switch remote(.parameter(name)) {
      case .failure(let failure):
        throw Problems(list: ["\(Self.shown): the parameter \(name) \(failure.reason)"])
      case .success(let text): (files, main) = (overlay(text, on: files), Self.path)
      }
    }
    let environment = environment
    var loader = ConfigurationLoader(
      files: files, environment: { environment[$0] }, user: FunctionUser.id, defaultPack: nil,
      supportsSNS: true, remoteSecret: remote)
    loader.isFunction = true
    let loaded = loader.load(mainFile: main)
    for problem in loaded.problems where problem.severity != .error { warn("\(problem)") }
    guard var configuration = loaded.configuration else {
      throw Problems(
        list: loaded.problems.filter { $0.severity == .error }.map { "\($0)" })
    }
    try check(configuration)
    // A function has no host of its own: services are the agent's.
    configuration.services = []
    return configuration
  }

  /// The text as a file of root's that nobody else can write.
  private func overlay(_ text: String, on files: FileAccess) -> FileAccess {
    var overlaid = files
    let bytes = Array(text.utf8)
    overlaid.read = { path, limit in
      guard path == Self.path else { return files.read(path, limit) }
      guard bytes.count <= limit else {
        return .failure(FileFailure("is larger than \(limit) bytes"))
      }
      return .success(bytes)
    }
    overlaid.status = { path in
      guard path == Self.path else { return files.status(path) }
      return FileStatus(kind: .file, owner: 0, ownerName: "root", mode: 0o600)
    }
    return overlaid
  }

  /// What only an agent can do is said at the start, not at night.
  private func check(_ configuration: Configuration) throws(Problems) {
    var problems: [String] = []
    for (name, receiver) in configuration.receivers.sorted(by: { $0.key < $1.key }) {
      for channel in receiver.channels where !Messenger.isSupported(channel) {
        problems.append(
          "receiver \(name): \(channel.name) is not served by the function; send to sns, webhook,"
            + " slack or log")
      }
    }
    if !problems.isEmpty { throw Problems(list: problems) }
  }
}
