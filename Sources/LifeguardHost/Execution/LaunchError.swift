/// Why a program was not started.
public enum LaunchError: Error, Hashable, Sendable, CustomStringConvertible {
  case notTrusted(TrustError)
  case unknownUser(String)
  case mayNotChangeUser(String)
  case failed(SystemCallError, doing: String)
  case tooBusy

  public var description: String {
    switch self {
    case .notTrusted(let error): error.description
    case .unknownUser(let name): "there is no user \(name) in /etc/passwd"
    case .mayNotChangeUser(let name):
      "only root can run a command as \(name); run the agent as root or leave out the user"
    case .failed(let error, let doing): "\(doing): \(error)"
    case .tooBusy: "too many commands are being started; a program may be on a stuck mount"
    }
  }
}
