/// Something that should be up, and how to see and steer it: one entry of `services:`.
public struct Service: Sendable {
  public var name: String
  public var handle: ServiceHandle
  public var probe: Probe?
  /// Run before every restart; a failing test forbids it (G10).
  public var configTest: [String]?
  public var dependsOn: [String]
  /// nil takes the built-in ladder: start, nudge, restart, stop-clean-start, page.
  public var plan: RecoveryChoice?
  public var mode: Mode?
  public var labels: [String: String]
  public var location: SourceLocation?

  public init(
    name: String, handle: ServiceHandle, probe: Probe? = nil, configTest: [String]? = nil,
    dependsOn: [String] = [], plan: RecoveryChoice? = nil, mode: Mode? = nil,
    labels: [String: String] = [:], location: SourceLocation? = nil
  ) {
    self.name = name
    self.handle = handle
    self.probe = probe
    self.configTest = configTest
    self.dependsOn = dependsOn
    self.plan = plan
    self.mode = mode
    self.labels = labels
    self.location = location
  }

  /// What its actions lock: one name for one thing, whichever way it was named.
  public var target: Target {
    switch handle {
    case .unit(let unit): Target(.unit, UnitName.canonical(unit) ?? unit)
    default: Target(.service, name)
    }
  }
}

/// How a service's processes are found and steered.
public enum ServiceHandle: Hashable, Sendable {
  /// A systemd unit.
  case unit(String)
  /// Trusted only when owned by root or by the service's user and its process matches.
  case pidFile(String)
  /// Processes of this executable and, where given, of this user.
  case process(executable: String, user: String?)
  /// A child that Lifeguard itself starts and keeps.
  case command(Command)

  public var isSupervised: Bool {
    if case .command = self { true } else { false }
  }
}

/// How to ask a service whether it works.
public struct Probe: Hashable, Sendable {
  /// What the question is, and what answer counts as healthy.
  public enum Kind: Hashable, Sendable {
    /// GET; healthy when the status is in `statuses` and the body contains `body`.
    case http(url: String, statuses: ClosedRange<Int>, body: String?)
    case tcp(host: String, port: Int)
    /// Nagios exit codes: 0 ok, 1 warning, 2 critical, 3 unknown.
    case exec([String])
  }

  public var kind: Kind
  public var interval: Duration
  public var timeout: Duration
  /// Failures in a row before a probe alone, without other evidence, counts as a fault.
  public var failures: Int

  public init(
    kind: Kind, interval: Duration = .seconds(1), timeout: Duration = .seconds(1),
    failures: Int = 3
  ) {
    self.kind = kind
    self.interval = interval
    self.timeout = timeout
    self.failures = failures
  }
}
