import Glibc
import LifeguardCore

/// What can be done to a service.
public enum ServiceVerb: Hashable, Sendable {
  case start
  case stop
  case restart
  case reload
  /// Continue a stopped process (SIGCONT).
  case nudge
  case stopCleanStart
  case signal(Int32)

  /// The verb of a ladder's step; nil for steps that are not about a service, and for a signal that
  /// does not exist.
  public init?(_ step: Step) {
    switch step {
    case .start: self = .start
    case .stop: self = .stop
    case .restart: self = .restart
    case .reload: self = .reload
    case .nudge: self = .nudge
    case .stopCleanStart: self = .stopCleanStart
    case .signal(let name):
      guard let number = SignalName.number(name) else { return nil }
      self = .signal(number)
    case .run, .http, .cloud, .page: return nil
    }
  }

  var name: String {
    switch self {
    case .start: "start"
    case .stop: "stop"
    case .restart: "restart"
    case .reload: "reload"
    case .nudge: "nudge"
    case .stopCleanStart: "stop_clean_start"
    case .signal(let number): "signal \(number)"
    }
  }
}

/// The names of signals as in kill(1), with or without `SIG`.
public enum SignalName {
  /// The number of a signal on this system; nil for a name that does not exist.
  public static func number(_ name: String) -> Int32? {
    let upper = name.uppercased()
    return numbers[upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper]
  }

  private static let numbers: [String: Int32] = [
    "HUP": SIGHUP, "INT": SIGINT, "QUIT": SIGQUIT, "ABRT": SIGABRT, "KILL": SIGKILL,
    "USR1": SIGUSR1, "USR2": SIGUSR2, "ALRM": SIGALRM, "TERM": SIGTERM, "CONT": SIGCONT,
    "STOP": SIGSTOP, "TSTP": SIGTSTP, "WINCH": SIGWINCH,
  ]
}
