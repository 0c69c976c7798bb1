import CLinux
import Glibc
import Synchronization

/// A command from its start to its end.
///
/// ```
/// running ──exit──────────────────────────────────────────▶ finished
///    │ timeout, cancellation
///    ▼
/// terminating (SIGTERM, grace) ──nothing left──▶ finished
///    │ grace over
///    ▼
/// killing (SIGKILL, until nothing is left) ────▶ finished
/// ```
final class RunningCommand: Sendable {
  private struct State {
    /// How the leader itself ended.
    var exit: CommandResult.Ending?
    /// Why it is being ended; nil while it may run.
    var cause: CommandResult.Ending?
    var endingSince: Duration = .zero
    var killingSince: Duration?
    var watch: Reactor.Token?
    var timer: Reactor.Token?
    var isFinished = false
  }

  private let process: Launcher.Started
  private let containment: Containment
  private let output: OutputPipe
  private let error: OutputPipe
  private let grace: Duration
  private let runner: CommandRunner
  private let startedAt: Duration
  private let result: OneShot<CommandResult>
  private let record: RunRecord?
  private let state = Mutex(State())

  /// How long SIGKILL is given: only a process that waits in the kernel survives it for longer.
  private static let killPatience = Duration.seconds(2)

  init(
    process: Launcher.Started, containment: Containment, output: OutputPipe, error: OutputPipe,
    grace: Duration, runner: CommandRunner, startedAt: Duration, result: OneShot<CommandResult>,
    record: RunRecord? = nil
  ) {
    self.process = process
    self.containment = containment
    self.output = output
    self.error = error
    self.grace = grace
    self.runner = runner
    self.startedAt = startedAt
    self.result = result
    self.record = record
  }

  func begin(timeout: Duration) {
    do throws(SystemCallError) {
      try output.begin()
      try error.begin()
      // The registrations hold `self` until the command has ended.
      let watch = try runner.reactor.watch(process.pidfd, for: .readable) { _ in self.leaderEnded()
      }
      let timer = runner.reactor.after(timeout) { self.end(because: .timedOut) }
      let isFinished = state.withLock { state in
        state.watch = watch
        state.timer = timer
        return state.isFinished
      }
      if isFinished { release() }
    } catch {
      // Nobody would notice its end, so it must not run.
      end(because: .couldNotStart(reason: "\(error)"))
    }
  }

  /// Ends the command and everything it has started.
  func end(because cause: CommandResult.Ending) {
    let isFirst = state.withLock { state in
      guard state.cause == nil, !state.isFinished else { return false }
      state.cause = cause
      state.endingSince = BootClock.now()
      return true
    }
    guard isFirst else { return }
    runner.onThread(for: containment) {
      self.containment.terminate()
      self.checkEnding()
    }
  }

  /// Looks whether something is left, and takes the next step when its time has come.
  private func checkEnding() {
    reap()
    let now = BootClock.now()
    let left = containment.survivors().count
    let (hasExited, since, killingSince) = state.withLock {
      ($0.exit != nil, $0.endingSince, $0.killingSince)
    }
    if left == 0 && hasExited { return finish(survivors: 0) }
    if let killingSince {
      if now - killingSince > Self.killPatience { return finish(survivors: left) }
      containment.kill()
    } else if now - since >= grace {
      state.withLock { $0.killingSince = now }
      containment.kill()
    }
    // A walk through /proc is dear, a look into a control group is not.
    let pause: Duration = containment.group == nil ? .milliseconds(40) : .milliseconds(5)
    runner.reactor.after(pause) {
      self.runner.onThread(for: self.containment) { self.checkEnding() }
    }
  }

  private func leaderEnded() {
    reap()
    let isEnding = state.withLock { $0.cause != nil }
    // What a command leaves behind when it ends by itself is meant to stay: a daemon.
    if !isEnding { finish(survivors: containment.group?.processes().count ?? 0) }
  }

  private func reap() {
    state.withLock { state in
      guard state.exit == nil else { return }
      var code: Int32 = 0
      var status: Int32 = 0
      let reaped = clinux_reap(process.pidfd, &code, &status)
      if reaped == 0 { return }
      state.exit =
        reaped < 0
        ? .couldNotStart(reason: "its exit status was taken by somebody else")
        : code == 0 ? .exited(code: status) : .signaled(signal: status)
      if let watch = state.watch { runner.reactor.unwatch(watch, of: process.pidfd) }
      state.watch = nil
    }
  }

  private func finish(survivors: Int) {
    let ending: CommandResult.Ending? = state.withLock { state in
      guard !state.isFinished else { return nil }
      state.isFinished = true
      return state.cause ?? state.exit ?? .couldNotStart(reason: "its end was not seen")
    }
    guard let ending else { return }
    release()
    let standardOutput = output.end()
    let standardError = error.end()
    record?.remove()
    if !containment.remove() { runner.removeLater(containment) }
    result.finish(
      CommandResult(
        ending: ending, duration: BootClock.now() - startedAt, standardOutput: standardOutput,
        standardError: standardError, survivors: survivors))
  }

  private func release() {
    let (watch, timer, wasReaped) = state.withLock { state in
      defer {
        state.watch = nil
        state.timer = nil
      }
      return (state.watch, state.timer, state.exit != nil)
    }
    if let watch { runner.reactor.unwatch(watch, of: process.pidfd) }
    if let timer { runner.reactor.cancel(timer) }
    if wasReaped { runner.forget(process) } else { runner.reapLater(process) }
  }
}
