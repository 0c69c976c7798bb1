import LifeguardCore

/// When a collector is due, in numbers of ticks since boot.
struct CollectorPlan {
  let name: String
  let interval: Duration
  private let every: Int64
  private let phase: Int64
  private let isUrgent: (@Sendable () -> Bool)?
  private var last: Int64 = -1
  private var next: Int64 = 0

  /// How often a collector is asked again that found nothing on this host, in ticks.
  private static let absentEvery: Int64 = 60

  /// - Parameter phase: Spreads collectors of one interval over different ticks, so that the cost
  ///   of a tick stays even.
  init(_ registration: CollectorRegistration, tick: Duration, phase: Int64) {
    name = registration.name
    every = max(1, (registration.interval.nanoseconds + tick.nanoseconds - 1) / tick.nanoseconds)
    interval = .nanoseconds(every * tick.nanoseconds)
    self.phase = phase
    isUrgent = registration.isUrgent
  }

  func isDue(_ number: Int64) -> Bool {
    number >= next || (number > last && isUrgent?() ?? false)
  }

  /// Sets the next time after a collection at tick `number`; ticks that were missed are skipped.
  mutating func schedule(after number: Int64, isAbsent: Bool) {
    last = number
    let every = isAbsent ? max(every, Self.absentEvery) : every
    next = number + every - (number + phase) % every
  }

  func batch(_ result: CollectorWorker.Result, takenAt: Timestamp) -> CollectedBatch {
    CollectedBatch(
      collector: name, takenAt: takenAt, duration: result.duration, interval: interval,
      started: result.started, values: result.values, ended: result.ended,
      failure: result.failure)
  }
}
