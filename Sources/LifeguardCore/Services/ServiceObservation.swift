/// One process and no other: pids are used again, a pid with its start time is unique within a
/// boot.
public struct ProcessIdentity: Hashable, Sendable, Codable, CustomStringConvertible {
  public var pid: Int32
  /// Clock ticks since boot (proc_pid_stat(5), field 22).
  public var startTicks: UInt64

  public init(pid: Int32, startTicks: UInt64) {
    self.pid = pid
    self.startTicks = startTicks
  }

  public var description: String { "pid \(pid)" }
}

/// What a look at a service's main process showed.
public enum ServiceCondition: Hashable, Sendable, Codable {
  case running(ProcessIdentity)
  /// State T; `traced` when a debugger holds it.
  case suspended(ProcessIdentity, traced: Bool)
  /// Died, and its own supervisor, such as systemd's `Restart=`, is bringing it back.
  case restarting(String)
  /// On its way up or down on purpose: a start or stop job runs.
  case changing(String)
  /// An operator stopped, disabled or masked it: not a fault, and not ours (G12).
  case stoppedByOperator(String)
  /// Gone; the sentence says how.
  case dead(String)
  /// The look failed: neither up nor down (G19).
  case unknown(String)

  public var identity: ProcessIdentity? {
    switch self {
    case .running(let identity), .suspended(let identity, traced: _): identity
    case .restarting, .changing, .stoppedByOperator, .dead, .unknown: nil
    }
  }
}

/// One look at a service.
public struct ServiceObservation: Hashable, Sendable, Codable {
  public var service: String
  public var condition: ServiceCondition

  public init(service: String, condition: ServiceCondition) {
    self.service = service
    self.condition = condition
  }
}

/// The answer to one probe.
public struct ProbeResult: Hashable, Sendable {
  public enum Outcome: Hashable, Sendable {
    case success
    /// Nobody listens, or the connection broke.
    case refused(String)
    case timeout
    /// It answered, but not what it should.
    case wrongAnswer(String)
    /// The probe itself could not run: says nothing about the service (G19).
    case unknown(String)
  }

  public var service: String
  public var outcome: Outcome
  /// When the probe was sent.
  public var started: Moment
  public var duration: Duration
  /// CPU time that all processes of the service used while the probe waited, in clock ticks of
  /// 1/100 s; 0 only when they used none that is worth the name, nil when it is not known.
  public var cpuTicksUsed: UInt64?

  public init(
    service: String, outcome: Outcome, started: Moment, duration: Duration,
    cpuTicksUsed: UInt64? = nil
  ) {
    self.service = service
    self.outcome = outcome
    self.started = started
    self.duration = duration
    self.cpuTicksUsed = cpuTicksUsed
  }
}

/// What is wrong with a service.
public enum ServiceFault: String, Hashable, Sendable, Codable {
  case crashed
  /// State T, no debugger.
  case suspended
  /// Probes time out and the process makes no progress.
  case hung
  /// Probes fail, for whatever reason.
  case unhealthy
}
