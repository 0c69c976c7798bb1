import CLinux
import LifeguardCore
import Synchronization

/// The thread of one collector that may hang.
///
/// The schedule leaves a job in a mailbox, goes on at once, and finds the result there later. The
/// thread sleeps between jobs. When it hangs the schedule gives it no further job, so a collector
/// never has more than this one thread, and a result that comes too late is thrown away.
final class CollectorWorker: Sendable {
  struct Job: Sendable {
    var boottime: Duration
    /// Announce every series anew: the receiver was told that all of them have ended.
    var announcesAll: Bool
  }

  struct Result: Sendable {
    var values: ContiguousArray<Double>
    var started: [StartedSeries]
    var ended: [Int]
    var failure: CollectorError?
    var duration: Duration
  }

  private struct State {
    var job: Job?
    var result: Result?
    var isBusy = false
    var isStopped = false
  }

  private let state = Mutex(State())
  private let wake: EventDescriptor
  private let done: EventDescriptor

  /// Starts the thread, which makes the collector.
  ///
  /// - Parameter done: Signalled after each job.
  init(
    _ registration: CollectorRegistration, done: EventDescriptor,
    context: @escaping @Sendable () -> CollectorContext
  ) throws(CollectorError) {
    wake = try EventDescriptor()
    self.done = done
    do throws(SystemCallError) {
      try Thread.start(name: registration.name, stackBytes: 256 * 1024) { [self] in
        var collector = registration.make(context())
        var scrape = Scrape()
        while let job = nextJob() {
          let result = collectOnce(&collector, into: &scrape, job)
          finish(result)
        }
      }
    } catch {
      throw CollectorError(error)
    }
  }

  var isBusy: Bool { state.withLock { $0.isBusy } }

  /// Hands over a job. The worker must not be busy.
  func submit(_ job: Job) {
    state.withLock {
      $0.job = job
      $0.result = nil
      $0.isBusy = true
    }
    wake.signal()
  }

  /// Takes the result of the last job, once.
  func takeResult() -> Result? {
    state.withLock { state in
      defer { state.result = nil }
      return state.result
    }
  }

  /// Lets the thread end when its job, if any, has come back.
  func stop() {
    state.withLock { $0.isStopped = true }
    wake.signal()
  }

  private func nextJob() -> Job? {
    while true {
      let (job, isStopped) = state.withLock { state in
        defer { state.job = nil }
        return (state.job, state.isStopped)
      }
      if isStopped { return nil }
      if let job { return job }
      _ = wake.wait(milliseconds: -1)
    }
  }

  private func finish(_ result: Result) {
    state.withLock {
      $0.result = result
      $0.isBusy = false
    }
    done.signal()
  }
}

/// Runs one collection and takes down how it went.
func collectOnce(
  _ collector: inout any Collector, into scrape: inout Scrape, _ job: CollectorWorker.Job
) -> CollectorWorker.Result {
  let begin = clinux_clock_nanoseconds(CLINUX_CLOCK_BOOTTIME)
  scrape.boottime = job.boottime
  if job.announcesAll { scrape.announceAll() }
  var failure: CollectorError?
  do { try collector.collect(into: &scrape) } catch { failure = error }
  let (values, started, ended) = scrape.finish(failed: failure != nil)
  let end = clinux_clock_nanoseconds(CLINUX_CLOCK_BOOTTIME)
  return CollectorWorker.Result(
    values: values, started: started, ended: ended, failure: failure,
    duration: .nanoseconds(end - begin))
}
