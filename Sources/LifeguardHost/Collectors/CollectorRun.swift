import LifeguardCore

/// Runs the collectors that are due at a tick; belongs to one thread.
///
/// ```
/// tick ─▶ collectors without isolation, one after the other ─▶ batches of this tick
///      └▶ a job for each isolated collector that is due       ─▶ its batch when it has come back,
///                                                                or a failure at its deadline
/// ```
public struct CollectorRun {
  private struct Inline {
    var plan: CollectorPlan
    var collector: any Collector
    var scrape = Scrape()

    mutating func collect(_ number: Int64, at now: Moment) -> CollectedBatch {
      let result = collectOnce(
        &collector, into: &scrape, .init(boottime: now.boottime, announcesAll: false))
      plan.schedule(after: number, isAbsent: result.failure?.isAbsence ?? false)
      return plan.batch(result, takenAt: now.wall)
    }
  }

  private var inline: [Inline] = []
  private var isolated: [IsolatedCollector] = []
  private var status: CollectorStatusSeries
  private let tick: Duration

  /// Makes the collectors; those without isolation live on the calling thread from now on.
  ///
  /// - Parameter done: Signalled when an isolated collector has come back.
  init(
    _ registrations: [CollectorRegistration], tick: Duration, retryMax: Duration,
    done: EventDescriptor, context: @escaping @Sendable () -> CollectorContext
  ) throws(CollectorError) {
    self.tick = tick
    status = CollectorStatusSeries(tick: tick)
    let own = context()
    for (number, registration) in registrations.enumerated() {
      let plan = CollectorPlan(registration, tick: tick, phase: Int64(number))
      switch registration.isolation {
      case .none:
        inline.append(Inline(plan: plan, collector: registration.make(own)))
      case .thread(let deadline):
        let worker = try CollectorWorker(registration, done: done, context: context)
        isolated.append(
          IsolatedCollector(plan: plan, worker: worker, deadline: deadline, retryMax: retryMax))
      }
    }
  }

  /// Collects what is due at `now`, and takes what isolated collectors have finished since.
  public mutating func collect(at now: Moment) -> [CollectedBatch] {
    let number = now.boottime.nanoseconds / max(1, tick.nanoseconds)
    var batches: [CollectedBatch] = []
    batches.reserveCapacity(inline.count + 2)
    for index in inline.indices where inline[index].plan.isDue(number) {
      batches.append(inline[index].collect(number, at: now))
    }
    batches.append(contentsOf: takeFinished(at: now))
    for index in isolated.indices { isolated[index].startIfDue(number, at: now) }
    for batch in batches { status.note(batch) }
    if let batch = status.batch(number, takenAt: now.wall) { batches.append(batch) }
    return batches
  }

  /// The batches of isolated collectors that have come back or missed their deadline by `now`.
  public mutating func takeFinished(at now: Moment) -> [CollectedBatch] {
    var batches: [CollectedBatch] = []
    for index in isolated.indices {
      guard let batch = isolated[index].takeFinished(at: now) else { continue }
      status.note(batch)
      batches.append(batch)
    }
    return batches
  }

  /// When the next deadline of an isolated collector passes, on CLOCK_BOOTTIME.
  var nextDeadline: Duration? { isolated.compactMap(\.deadlineAt).min() }

  /// Lets the threads of the isolated collectors end.
  func stop() {
    for collector in isolated { collector.worker.stop() }
  }
}

extension Duration {
  /// Whole nanoseconds; about 292 years fit.
  var nanoseconds: Int64 {
    components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
  }
}
