import Glibc
import LifeguardCore

/// Steers a daemon that writes a pid file.
public struct PidFileControl: ServiceControl {
  private let file: PidFile
  private let steering: ProcessSteering

  public init(
    path: String, signals: ProcessSignals = ProcessSignals(), watcher: ProcessWatcher,
    reactor: Reactor
  ) {
    file = PidFile(path: path)
    steering = ProcessSteering(signals: signals, watcher: watcher, reactor: reactor)
  }

  public func state() async -> ServiceState {
    switch file.read() {
    case .running(let identity):
      guard let status = ProcessStatus.read(pid: identity.pid), status.identity == identity else {
        return .dead(reason: "\(identity) has ended")
      }
      return ServiceState.of(status)
    case .notRunning(let reason): return .dead(reason: reason)
    case .notTrusted(let reason): return .unknown(reason)
    }
  }

  public func perform(_ verb: ServiceVerb, within limit: Duration) async -> ServiceOutcome {
    let state = await state()
    return await steering.perform(verb, state: state, name: file.path, within: limit)
  }
}

extension ProcessSteering {
  /// The verbs that need nothing but a process; what needs a start has none to use.
  func perform(
    _ verb: ServiceVerb, state: ServiceState, name: String, within limit: Duration
  ) async -> ServiceOutcome {
    switch verb {
    case .start, .restart, .stopCleanStart:
      return ServiceOutcome(
        .unsupported,
        "\(name) says nothing about how to \(verb.name) it; use a `run` step, a unit or a command")
    case .stop, .reload, .nudge, .signal: break
    }
    guard let identity = state.identity else {
      if case .unknown(let reason) = state { return ServiceOutcome(.failed, reason) }
      return verb == .stop
        ? ServiceOutcome(.done, "it was not running")
        : ServiceOutcome(.failed, "it is not running")
    }
    switch verb {
    case .stop: return await stop(identity, within: limit)
    case .reload: return send(SIGHUP, to: identity)
    case .nudge: return send(SIGCONT, to: identity)
    case .signal(let number): return send(number, to: identity)
    case .start, .restart, .stopCleanStart: return ServiceOutcome(.unsupported, verb.name)
    }
  }
}
