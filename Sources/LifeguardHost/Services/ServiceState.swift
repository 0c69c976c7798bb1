import LifeguardCore

/// What a service is doing, the same for units, pid files, processes and supervised children.
public enum ServiceState: Hashable, Sendable {
  /// It runs; nil where systemd knows of no main process (a oneshot unit that remains active).
  case running(ProcessIdentity?)
  /// Its main process is in state T: SIGCONT brings it back, unless a debugger holds it.
  case stopped(ProcessIdentity, traced: Bool)
  /// Somebody wants it to be down: not a fault (G12).
  case deliberatelyStopped(reason: String)
  case dead(reason: String)
  /// On its way up or down, or about to be restarted by systemd itself.
  case activating(String)
  /// It could not be found out; neither health nor a fault (G19).
  case unknown(String)

  public var identity: ProcessIdentity? {
    switch self {
    case .running(let identity): identity
    case .stopped(let identity, _): identity
    case .deliberatelyStopped, .dead, .activating, .unknown: nil
    }
  }

  /// The state of a process that is there.
  static func of(_ status: ProcessStatus) -> ServiceState {
    let identity = status.identity
    switch status.state {
    case .zombie, .dead: return .dead(reason: "\(identity) has ended and was not reaped")
    case .stopped, .traced:
      return .stopped(identity, traced: ProcessStatus.isTraced(pid: identity.pid))
    case .running, .sleeping, .uninterruptible, .idle, nil: return .running(identity)
    }
  }
}
