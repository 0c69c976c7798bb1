/// One rung of a ladder.
public enum Step: Hashable, Sendable {
  /// Runs a command or script of the operator's.
  case run(Command)
  /// Asks the service to read its configuration again.
  case reload
  /// Continues a stopped process (SIGCONT).
  case nudge
  case start
  case stop
  case restart
  /// Stops, removes what a dead process left behind (control group, start limit), and starts.
  case stopCleanStart
  /// Sends a signal to the target's main process.
  case signal(String)
  /// Sends one HTTP request.
  case http(HTTPAction)
  /// Asks Amazon Web Services to do something.
  case cloud(CloudAction)
  /// Tells a person. Never refused, never counted.
  case page(receiver: String?)

  /// The step's name as written in a configuration.
  public var name: String {
    switch self {
    case .run: "run"
    case .reload: "reload"
    case .nudge: "nudge"
    case .start: "start"
    case .stop: "stop"
    case .restart: "restart"
    case .stopCleanStart: "stop_clean_start"
    case .signal: "signal"
    case .http: "http"
    case .cloud(let action): action.name
    case .page: "page"
    }
  }

  /// How much it can hurt, for the order of a ladder (GUARDRAILS.md, G9).
  public var harm: Harm {
    switch self {
    case .page: .person
    case .reload, .nudge: .nudge
    case .start: .start
    case .http(let action): action.disruptive ? .restart : .nudge
    case .run(let command): command.disruptive ? .restart : .nudge
    case .signal(let name):
      Step.gentleSignals.contains(name) ? .nudge : .restart
    case .restart, .stop: .restart
    case .stopCleanStart: .stopCleanStart
    case .cloud(let action): action.harm
    }
  }

  /// Whether the service's configuration test must pass first (G10): before everything that makes
  /// it read its configuration again, which a script or a signal that is disruptive does too.
  public var testsConfiguration: Bool {
    switch self {
    case .start, .restart, .stopCleanStart, .reload: true
    case .run, .signal: harm.isDisruptive
    case .nudge, .stop, .http, .cloud, .page: false
    }
  }

  private static let gentleSignals: Set<String> = ["HUP", "CONT", "USR1", "USR2", "WINCH"]
}

/// How much a step can hurt, mildest first; a ladder never goes back down, and a person comes last.
public enum Harm: Int, Hashable, Comparable, Sendable, Codable {
  case nudge
  /// Of something that serves nothing: no loss, but counted, so that a crash loop ends.
  case start
  case restart
  case stopCleanStart
  case reboot
  /// Of a whole machine, by another one.
  case replace
  case person

  public static func < (left: Harm, right: Harm) -> Bool { left.rawValue < right.rawValue }

  /// Whether the guard rails for disruptive rungs apply.
  public var isDisruptive: Bool { self >= .restart && self != .person }
  /// Whether it takes a whole machine down, for which there is a budget of its own (G4).
  public var isReboot: Bool { self == .reboot || self == .replace }
  /// Whether a use is counted in the budgets.
  public var isCounted: Bool { self == .start || isDisruptive }
}

/// A command to run: an argument vector, never a shell string.
public struct Command: Hashable, Sendable {
  public var arguments: [String]
  /// nil runs it as the owner of the script, or as the agent's user.
  public var user: String?
  public var workingDirectory: String?
  /// Added to a clean environment.
  public var environment: [String: String]
  public var timeout: Duration
  /// Whether the guard rails treat it as disruptive; true unless the plan says otherwise.
  public var disruptive: Bool

  public init(
    arguments: [String], user: String? = nil, workingDirectory: String? = nil,
    environment: [String: String] = [:], timeout: Duration = .seconds(60),
    disruptive: Bool = true
  ) {
    self.arguments = arguments
    self.user = user
    self.workingDirectory = workingDirectory
    self.environment = environment
    self.timeout = timeout
    self.disruptive = disruptive
  }
}

/// One HTTP request as a recovery step.
public struct HTTPAction: Hashable, Sendable {
  public var method: String
  public var url: String
  public var headers: [String: String]
  public var body: String?
  public var timeout: Duration
  public var disruptive: Bool

  public init(
    method: String = "POST", url: String, headers: [String: String] = [:], body: String? = nil,
    timeout: Duration = .seconds(10), disruptive: Bool = true
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeout = timeout
    self.disruptive = disruptive
  }
}
