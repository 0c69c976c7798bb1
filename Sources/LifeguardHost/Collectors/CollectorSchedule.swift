import CLinux
import Glibc
import LifeguardCore
import Synchronization

/// Runs the collectors on one thread of its own, at ticks of CLOCK_BOOTTIME.
///
/// Ticks are whole multiples of the tick length since boot, so an agent that restarts keeps the
/// rhythm. A tick that is missed (the host slept, the CPU was taken away) is skipped, not made up
/// for. Timestamps come from `clock`; only the waiting asks the kernel.
public final class CollectorSchedule: Sendable {
  /// What to run and how.
  public struct Settings: Sendable {
    public var registrations: [CollectorRegistration]
    /// The length of a tick; the shortest interval there can be.
    public var tick: Duration = .seconds(1)
    /// The longest wait before a collector that hung is tried again.
    public var retryMax: Duration = .seconds(300)
    /// Makes the context of a collector's thread; called once for each thread.
    public var context: @Sendable () -> CollectorContext

    public init(
      registrations: [CollectorRegistration], tick: Duration = .seconds(1),
      retryMax: Duration = .seconds(300), context: @escaping @Sendable () -> CollectorContext
    ) {
      self.registrations = registrations
      self.tick = tick
      self.retryMax = retryMax
      self.context = context
    }
  }

  private let settings: Settings
  private let clock: @Sendable () -> Moment
  private let onTick: @Sendable ([CollectedBatch]) -> Void
  private let isolatedDone: EventDescriptor
  private let ended: EventDescriptor
  private let isStopping = Atomic<Bool>(false)

  /// - Parameter onTick: Called on the schedule's thread, once a tick with the batches of that tick
  ///   and once more whenever an isolated collector has come back; it must return quickly.
  /// - Throws: `unavailable` when the process has no descriptor left.
  public init(
    _ settings: Settings, clock: @escaping @Sendable () -> Moment,
    onTick: @escaping @Sendable ([CollectedBatch]) -> Void
  ) throws(CollectorError) {
    self.settings = settings
    self.clock = clock
    self.onTick = onTick
    isolatedDone = try EventDescriptor()
    ended = try EventDescriptor()
  }

  /// Starts the thread; the first tick comes at once. Call it once.
  ///
  /// - Throws: `unavailable` when there is no thread or timer to be had.
  public func start() throws(CollectorError) {
    let every = settings.tick.nanoseconds
    let now = clinux_clock_nanoseconds(CLINUX_CLOCK_BOOTTIME)
    let timer = clinux_timer_open((now / every + 1) * every, every)
    guard timer >= 0 else { throw .unavailable(path: "timerfd", errno: -timer) }
    do throws(SystemCallError) {
      try Thread.start(name: "collectors") { [self] in
        runUntilStopped(timer)
        close(timer)
        ended.signal()
      }
    } catch {
      close(timer)
      throw CollectorError(error)
    }
  }

  /// Stops the thread and waits until it has ended, at most two seconds.
  ///
  /// Threads of collectors that hang are left behind; they end when they come back.
  public func stop() {
    isStopping.store(true, ordering: .sequentiallyConsistent)
    isolatedDone.signal()
    _ = ended.wait(milliseconds: 2000)
  }

  private func runUntilStopped(_ timer: Int32) {
    guard var run = makeRun() else { return }
    defer { run.stop() }
    onTick(run.collect(at: clock()))
    while !isStopping.load(ordering: .sequentiallyConsistent) {
      let ready = clinux_wait_two(timer, isolatedDone.number, waitMilliseconds(run))
      if isStopping.load(ordering: .sequentiallyConsistent) { return }
      let now = clock()
      let isTick = ready > 0 && ready & 1 != 0 && clinux_event_take(timer) > 0
      isolatedDone.take()
      let batches = isTick ? run.collect(at: now) : run.takeFinished(at: now)
      if isTick || !batches.isEmpty { onTick(batches) }
    }
  }

  private func makeRun() -> CollectorRun? {
    do {
      return try CollectorRun(
        settings.registrations, tick: settings.tick, retryMax: settings.retryMax,
        done: isolatedDone, context: settings.context)
    } catch {
      let now = clock().wall
      onTick([
        CollectedBatch(
          collector: "collectors", takenAt: now, duration: .zero, interval: settings.tick,
          failure: error)
      ])
      return nil
    }
  }

  /// Until the next deadline of an isolated collector, for ever when none is at work.
  private func waitMilliseconds(_ run: CollectorRun) -> Int32 {
    guard let deadline = run.nextDeadline else { return -1 }
    let left = (deadline - clock().boottime).milliseconds
    return Int32(clamping: max(1, left + 1))
  }
}
