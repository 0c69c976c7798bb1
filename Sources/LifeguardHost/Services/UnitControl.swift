import Glibc
import LifeguardCore
import Synchronization

/// Steers a systemd unit through `systemctl`.
///
/// It keeps out of the way of systemd's start limit: the sixth start within ten seconds is refused
/// by default, so a failed unit, and one that was started often of late, has its counter reset
/// first. How often may be tried at all is decided by the guard rails, not here.
public final class UnitControl: ServiceControl {
  private let unit: String
  private let reader: UnitReader
  private let signals: ProcessSignals
  private let stops: StopRecords?
  private let memory: Mutex<Memory>

  private struct Memory {
    /// Whether it was stopped by a step, this agent's or an earlier one's, and is not up again.
    var askedToStop: Bool
    /// Steps so far, and those under way: a look that began before one is older than what it did.
    var steps = 0
    var stepsUnderWay = 0
    var starts: [Duration] = []
  }

  /// systemd's default start limit is 5 starts in 10 s (systemd-system.conf(5)); one is left to it.
  private static let startsMax = 4
  private static let startsWindow = Duration.seconds(10)

  /// - Parameter stops: remembers over the agent's end what was stopped by a step.
  public init(
    unit: String, reader: UnitReader, signals: ProcessSignals = ProcessSignals(),
    stops: StopRecords? = nil
  ) {
    self.unit = unit
    self.reader = reader
    self.signals = signals
    self.stops = stops
    memory = Mutex(Memory(askedToStop: stops?.contains(unit) ?? false))
  }

  public func state() async -> ServiceState {
    let steps = memory.withLock { $0.steps }
    do throws(UnitReader.Failure) {
      guard let properties = try await reader.read([unit])[unit] else {
        return .unknown("systemd has not answered")
      }
      if properties.activeState == "active" { noteIsUp(since: steps) }
      return state(properties)
    } catch {
      return .unknown(error.description)
    }
  }

  /// The state for properties that were read for many units at once.
  public func state(_ properties: UnitProperties) -> ServiceState {
    let state = properties.state(askedToStop: memory.withLock { $0.askedToStop })
    guard case .running(nil) = state, properties.mainPID > 1 else { return state }
    guard let status = ProcessStatus.read(pid: properties.mainPID) else {
      // It has ended since systemd was asked, or systemd lives in another pid namespace.
      return .unknown("its main process \(properties.mainPID) is not there any more")
    }
    return ServiceState.of(status)
  }

  public func perform(_ verb: ServiceVerb, within limit: Duration) async -> ServiceOutcome {
    memory.withLock { memory in
      memory.steps += 1
      memory.stepsUnderWay += 1
    }
    defer { memory.withLock { $0.stepsUnderWay -= 1 } }
    return await carryOut(verb, within: limit)
  }

  private func carryOut(_ verb: ServiceVerb, within limit: Duration) async -> ServiceOutcome {
    switch verb {
    case .start: return await start("start", within: limit)
    case .restart:
      noteStop()
      return await start("restart", within: limit)
    case .stop:
      noteStop()
      return await call(["stop"], within: limit)
    case .reload: return await reload(within: limit)
    case .nudge: return await call(["kill", "--signal=CONT"], within: limit)
    case .signal(let number): return await send(number)
    case .stopCleanStart: return await stopCleanStart(within: limit)
    }
  }

  /// Written down before it is stopped: being down is not an operator's wish from here on, even
  /// when the agent does not live to start it again.
  private func noteStop() {
    memory.withLock { $0.askedToStop = true }
    stops?.note(unit)
  }

  /// It was seen to run, and no step was under way: what becomes of it next is not our doing.
  private func noteIsUp(since steps: Int) {
    let isNews = memory.withLock { memory in
      guard memory.askedToStop, memory.steps == steps, memory.stepsUnderWay == 0 else {
        return false
      }
      memory.askedToStop = false
      return true
    }
    if isNews { stops?.remove(unit) }
  }

  private func start(_ verb: String, within limit: Duration) async -> ServiceOutcome {
    if await mustResetCounter() { _ = await call(["reset-failed"], within: limit) }
    noteStart()
    var outcome = await call([verb], within: limit)
    if outcome.result == .failed, Self.isStartLimit(outcome.message) {
      _ = await call(["reset-failed"], within: limit)
      outcome = await call([verb], within: limit)
    }
    if outcome.succeeded {
      memory.withLock { $0.askedToStop = false }
      stops?.remove(unit)
    }
    return outcome
  }

  private func stopCleanStart(within limit: Duration) async -> ServiceOutcome {
    noteStop()
    let stopped = await call(["stop"], within: limit / 2)
    // What does not stop in time is killed, all of its control group.
    if !stopped.succeeded { _ = await call(["kill", "--signal=KILL"], within: .seconds(5)) }
    _ = await call(["reset-failed"], within: .seconds(5))
    let started = await start("start", within: limit / 2)
    guard started.succeeded else { return started }
    let how = stopped.succeeded ? "stopped" : "killed (\(stopped.message))"
    return ServiceOutcome(.done, "\(unit): \(how), cleaned and started")
  }

  private func reload(within limit: Duration) async -> ServiceOutcome {
    do throws(UnitReader.Failure) {
      let properties = try await reader.read([unit])[unit]
      guard properties?.canReload == true else {
        return ServiceOutcome(.unsupported, "\(unit) has no ExecReload; it cannot be reloaded")
      }
    } catch {
      return ServiceOutcome(.failed, error.description)
    }
    return await call(["reload"], within: limit)
  }

  private func send(_ number: Int32) async -> ServiceOutcome {
    guard let identity = await state().identity else {
      return ServiceOutcome(.failed, "\(unit) has no main process to signal")
    }
    return ServiceOutcome(signals.send(number, to: identity), signal: number, identity)
  }

  private func mustResetCounter() async -> Bool {
    let now = BootClock.now()
    let recent = memory.withLock { memory in
      memory.starts.removeAll { now - $0 > Self.startsWindow }
      return memory.starts.count
    }
    if recent >= Self.startsMax {
      memory.withLock { $0.starts.removeAll() }
      return true
    }
    if case .dead = await state() { return true }
    return false
  }

  private func noteStart() {
    let now = BootClock.now()
    memory.withLock { $0.starts.append(now) }
  }

  private static func isStartLimit(_ message: String) -> Bool {
    message.contains("too often") || message.contains("too quickly")
      || message.contains("start-limit")
  }

  private func call(_ words: [String], within limit: Duration) async -> ServiceOutcome {
    let arguments = reader.systemctl + words + ["--no-ask-password", "--", unit]
    let result = await reader.runner.run(Command(arguments: arguments, timeout: limit))
    let name = "systemctl \(words.joined(separator: " ")) \(unit)"
    switch result.ending {
    case .exited(code: 0): return ServiceOutcome(.done, name)
    case .timedOut:
      return ServiceOutcome(.timedOut, "\(name): \(result.summary); the job may still be queued")
    case .exited, .signaled, .cancelled, .couldNotStart:
      let text = result.standardError.text.split(separator: "\n").joined(separator: "; ")
      return ServiceOutcome(.failed, "\(name): \(text.isEmpty ? result.summary : text)")
    }
  }
}
