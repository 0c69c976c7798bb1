import Glibc
import LifeguardCore

/// Signals and stops processes that belong to no unit; shared by the controls that need it.
struct ProcessSteering: Sendable {
  let signals: ProcessSignals
  let watcher: ProcessWatcher
  let reactor: Reactor

  func send(_ signal: Int32, to identity: ProcessIdentity) -> ServiceOutcome {
    ServiceOutcome(signals.send(signal, to: identity), signal: signal, identity)
  }

  /// SIGTERM, and SIGKILL when `limit` has passed; waits for the end by pidfd.
  func stop(_ identity: ProcessIdentity, within limit: Duration) async -> ServiceOutcome {
    if let refusal = signals.refusal(for: identity) {
      return ServiceOutcome(.refused(refusal), refusal.message)
    }
    let ended = OneShot<Bool>()
    let watch: ProcessWatcher.Watch
    do throws(SystemCallError) {
      watch = try watcher.watch(identity) { _ in ended.finish(true) }
    } catch {
      return ServiceOutcome(.done, "\(identity) had ended already")
    }
    _ = signals.send(SIGTERM, to: identity)
    // A stopped process acts on SIGTERM only when it is continued.
    _ = signals.send(SIGCONT, to: identity)
    let signals = signals
    let kill = reactor.after(limit) { _ = signals.send(SIGKILL, to: identity) }
    let giveUp = reactor.after(limit + .seconds(2)) { ended.finish(false) }
    let hasEnded = await ended.value
    reactor.cancel(kill)
    reactor.cancel(giveUp)
    if hasEnded { return ServiceOutcome(.done, "\(identity) was stopped") }
    watcher.cancel(watch)
    return ServiceOutcome(.timedOut, "\(identity) is still there after SIGKILL")
  }
}

extension ServiceOutcome {
  /// The outcome of sending a signal.
  init(_ outcome: ProcessSignals.Outcome, signal: Int32, _ identity: ProcessIdentity) {
    switch outcome {
    case .sent: self.init(.done, "signal \(signal) sent to \(identity)")
    case .gone: self.init(.failed, "\(identity) has ended")
    case .refused(let refusal): self.init(.refused(refusal), refusal.message)
    case .failed(let error): self.init(.failed, "\(error)")
    }
  }
}
