import Glibc
import LifeguardCore
import Synchronization

/// Steers a child that Lifeguard itself keeps.
public final class SupervisedControl: ServiceControl {
  private let name: String
  private let command: Command
  private let supervisor: Supervisor
  private let lastExit = Mutex<String?>(nil)

  public init(name: String, command: Command, supervisor: Supervisor) {
    self.name = name
    self.command = command
    self.supervisor = supervisor
  }

  /// Notes how the child ended, for the reason of its being dead.
  public func note(_ exit: Supervisor.ChildExit) {
    lastExit.withLock { $0 = exit.wasRequested ? "stopped by lifeguard" : exit.exit.summary }
  }

  public func state() async -> ServiceState {
    guard let identity = supervisor.identity(of: name) else {
      return .dead(reason: lastExit.withLock { $0 } ?? "not started yet")
    }
    guard let status = ProcessStatus.read(pid: identity.pid), status.identity == identity else {
      return .dead(reason: "\(identity) has ended")
    }
    return ServiceState.of(status)
  }

  public func perform(_ verb: ServiceVerb, within limit: Duration) async -> ServiceOutcome {
    switch verb {
    case .start: return await start()
    case .stop: return await stop(within: limit)
    case .restart, .stopCleanStart:
      // Starting empties the control group: every restart of a child is a clean one.
      let stopped = await stop(within: limit)
      return stopped.succeeded ? await start() : stopped
    case .reload: return signal(SIGHUP)
    case .nudge: return signal(SIGCONT)
    case .signal(let number): return signal(number)
    }
  }

  private func start() async -> ServiceOutcome {
    do throws(SupervisorError) {
      let identity = try await supervisor.start(name, command)
      return ServiceOutcome(.done, "\(name) was started as \(identity)")
    } catch {
      if case .alreadyRunning(let identity) = error {
        return ServiceOutcome(.done, "\(name) runs already as \(identity)")
      }
      return ServiceOutcome(.failed, "\(name): \(error)")
    }
  }

  private func stop(within limit: Duration) async -> ServiceOutcome {
    await supervisor.stop(name, grace: limit)
      ? ServiceOutcome(.done, "\(name) was stopped")
      : ServiceOutcome(.timedOut, "\(name) is still there after SIGKILL")
  }

  private func signal(_ number: Int32) -> ServiceOutcome {
    supervisor.signal(number, to: name)
      ? ServiceOutcome(.done, "signal \(number) sent to \(name)")
      : ServiceOutcome(.failed, "\(name) is not running")
  }
}
