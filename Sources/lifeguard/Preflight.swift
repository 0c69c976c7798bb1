import LifeguardConfiguration
import LifeguardCore
import LifeguardServer
import LifeguardStore

/// What stands in the way of a start beside the configuration itself, told together with its
/// problems and where it is written.
///
/// Looks and changes nothing. What was free may be taken a moment later: the start says so too.
struct Preflight {
  /// The options of `lifeguard run`.
  var listen: ListenAddress?
  var data: String?

  /// Everything that is wrong with where the agent listens and keeps its data.
  func problems(_ loaded: LoadedConfiguration) -> [ConfigurationProblem] {
    addressProblems(loaded) + dataProblems(loaded)
  }

  func addressProblems(_ loaded: LoadedConfiguration) -> [ConfigurationProblem] {
    var http = loaded.draft.http
    if let listen {
      http.host = listen.host
      http.port = listen.port
    }
    let settings = ServerSettings(http, socketPath: "", dataDirectory: "")
    var problems: [ConfigurationProblem] = []
    if listen != nil || isSound("listen", loaded), let error = ListenTrial.obstacle(settings) {
      problems.append(
        problem(error, option: listen == nil ? nil : "--listen", "listen", loaded.draft))
    }
    if let error = ListenTrial.certificateObstacle(settings) {
      problems.append(problem(error, option: nil, "http.tls", loaded.draft))
    }
    return problems
  }

  private func dataProblems(_ loaded: LoadedConfiguration) -> [ConfigurationProblem] {
    guard data != nil || isSound("data_dir", loaded) else { return [] }
    let path = Places.dataDirectory(data ?? loaded.draft.dataDirectory)
    return DataDirectory.obstacles(to: path).map {
      problem($0, option: data == nil ? nil : "--data", "data_dir", loaded.draft)
    }
  }

  /// Whether what a key says was understood: nothing is known of one that an error hides.
  private func isSound(_ key: String, _ loaded: LoadedConfiguration) -> Bool {
    if loaded.configuration != nil { return true }
    guard let place = loaded.draft.places[key] else { return false }
    return !loaded.errors.contains { $0.location == place }
  }

  /// What an option says is located by its name; what nobody says, by the file that could.
  private func problem(
    _ error: any Error, option: String?, _ key: String, _ configuration: Configuration
  ) -> ConfigurationProblem {
    guard let option else {
      return ConfigurationProblem(location: configuration.place(of: key), message: "\(error)")
    }
    return ConfigurationProblem(location: nil, message: "\(option): \(error)")
  }
}
