import LifeguardCore

/// Why a supervised child was not started.
public enum SupervisorError: Error, Hashable, Sendable, CustomStringConvertible {
  case alreadyRunning(ProcessIdentity)
  case launch(LaunchError)
  case log(SystemCallError)

  public var description: String {
    switch self {
    case .alreadyRunning(let identity): "it runs already as \(identity)"
    case .launch(let error): error.description
    case .log(let error): "its log cannot be written: \(error)"
    }
  }
}
