import LifeguardCore

/// A collector in a thread of its own, as the schedule sees it: idle, working, or quarantined.
struct IsolatedCollector {
  let worker: CollectorWorker
  private var plan: CollectorPlan
  private let deadline: Duration
  private let retryMax: Duration
  private var startedAt: Moment?
  private var hangs = 0
  private var retryAt: Duration = .zero
  /// Which slots the receiver has a live series for, to end them all when the collector hangs.
  private var live: [Bool] = []
  private var announcesAll = false

  init(plan: CollectorPlan, worker: CollectorWorker, deadline: Duration, retryMax: Duration) {
    self.plan = plan
    self.worker = worker
    self.deadline = deadline
    self.retryMax = retryMax
  }

  /// When the job in hand will have taken too long.
  var deadlineAt: Duration? { startedAt.map { $0.boottime + deadline } }

  /// Starts a job when one is due, the thread is free and the back-off is over.
  mutating func startIfDue(_ number: Int64, at now: Moment) {
    guard startedAt == nil, plan.isDue(number), now.boottime >= retryAt, !worker.isBusy else {
      return
    }
    startedAt = now
    plan.schedule(after: number, isAbsent: false)
    worker.submit(.init(boottime: now.boottime, announcesAll: announcesAll))
    announcesAll = false
  }

  /// The batch of a job that has come back, or the failure of one that has taken too long.
  mutating func takeFinished(at now: Moment) -> CollectedBatch? {
    guard let began = startedAt else {
      // What comes after its deadline is thrown away: nobody knows when it was true.
      _ = worker.takeResult()
      return nil
    }
    if let result = worker.takeResult() {
      startedAt = nil
      hangs = 0
      note(result)
      if result.failure?.isAbsence == true { retryAt = now.boottime + .seconds(60) }
      return plan.batch(result, takenAt: began.wall)
    }
    guard now.boottime >= began.boottime + deadline else { return nil }
    startedAt = nil
    hangs += 1
    retryAt = now.boottime + backoff
    announcesAll = true
    return hung(began, at: now)
  }

  /// Doubles with each hang in a row, from the collector's interval up to the limit.
  private var backoff: Duration {
    var wait = plan.interval
    for _ in 0..<min(hangs, 16) where wait < retryMax { wait += wait }
    return min(wait, retryMax)
  }

  private mutating func hung(_ began: Moment, at now: Moment) -> CollectedBatch {
    let ended = live.indices.filter { live[$0] }
    let values = ContiguousArray(repeating: Double.staleMarker, count: live.count)
    live = []
    return CollectedBatch(
      collector: plan.name, takenAt: now.wall, duration: now.boottime - began.boottime,
      interval: plan.interval, values: values, ended: ended,
      failure: .timedOut(seconds: deadline.seconds), hangs: hangs)
  }

  private mutating func note(_ result: CollectorWorker.Result) {
    while live.count < result.values.count { live.append(false) }
    for series in result.started { live[series.slot] = true }
    for slot in result.ended { live[slot] = false }
  }
}
