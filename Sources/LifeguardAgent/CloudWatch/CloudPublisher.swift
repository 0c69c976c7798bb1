import LifeguardAWS
import LifeguardConfiguration
import LifeguardCore
import Logging
import Synchronization

/// Metrics on their way to CloudWatch: folded into one datum a period, kept while the network is
/// away, uploaded in batches.
///
/// ```
/// Agent ─offer─▶ selection ─▶ aggregator ─▶ spool ─take─▶ PutMetricData
///       (never waits)          (a period)    (bounded)    (one request at a time)
/// ```
final class CloudPublisher: Sendable {
  private struct State {
    var selection: MetricSelection
    var aggregator: MetricAggregator
    var spool: MetricSpool
    /// Everything that was ever published, for what it costs.
    var seen: Set<MetricSelection.Key> = []
  }

  let settings: CloudWatchSettings
  let status = CloudStatus("metrics")
  private let context: InstanceContext
  private let client: AWSClient
  private let clock: @Sendable () -> Moment
  private let logger: Logger
  private let bell = Bell()
  private let state: Mutex<State>

  init(
    _ settings: CloudWatchSettings, context: InstanceContext, client: AWSClient,
    clock: @escaping @Sendable () -> Moment, logger: Logger
  ) {
    self.settings = settings
    self.context = context
    self.client = client
    self.clock = clock
    self.logger = logger
    state = Mutex(
      State(
        selection: MetricSelection(settings.metrics),
        aggregator: MetricAggregator(period: settings.resolution),
        spool: MetricSpool(countMax: settings.spoolMax)))
  }

  /// Takes samples without waiting.
  func offer(
    _ entries: [JournalEntry], describe: (SeriesReference) -> (labels: Labels, isRemote: Bool)
  ) {
    state.withLock { state in
      for value in state.selection.fold(entries, describe: describe) {
        state.seen.insert(value.key)
        let metric = state.selection.metrics[value.key.metric]
        let dimensions = zip(metric.per, value.key.group).filter { !$0.1.isEmpty }
        state.aggregator.add(
          metric.name, value.value, unit: metric.unit,
          dimensions: dimensions.map { MetricDimension($0.0, $0.1) }, at: value.time)
      }
    }
  }

  /// How many metrics there are, whatever dimensions they are kept under.
  var metricCount: Int { state.withLock { $0.seen.count } }

  /// Uploads at the end of every period, for as long as the task lives.
  func run() async {
    var pace = CloudPace()
    while !Task.isCancelled {
      let pause = pace.pause(
        until: settings.sendEvery, at: clock().wall, random: .random(in: 0..<1))
      await bell.wait(atMost: pause)
      if Task.isCancelled { return }
      gather(isLast: false)
      if await drain(client) { pace.noteSuccess() } else { pace.noteFailure() }
    }
  }

  /// Uploads now what there is: this machine may be gone before the period ends.
  func hurry() { bell.ring() }

  /// Uploads everything, once, until the time is up.
  func finish(within limit: Duration) async {
    gather(isLast: true)
    _ = await drain(client.within(limit))
  }

  /// Moves what is complete from the aggregator to the spool, once under each set of dimensions.
  private func gather(isLast: Bool) {
    guard let sets = context.dimensionSets(settings.dimensions) else { return }
    let now = clock().wall
    state.withLock { state in
      let data =
        isLast ? state.aggregator.takeAll() : state.aggregator.take(endedBefore: now)
      state.spool.add(
        data.flatMap { datum in
          sets.map { set in
            var copy = datum
            copy.dimensions = set + datum.dimensions
            return copy
          }
        })
    }
  }

  /// - Returns: whether nothing is left to be tried again.
  private func drain(_ client: AWSClient) async -> Bool {
    while true {
      let batch = state.withLock { $0.spool.take() }
      guard !batch.isEmpty else { return true }
      let upload = await client.cloudWatch.putMetricData(
        namespace: settings.namespace, batch)
      let (dropped, waiting) = state.withLock { state in
        state.spool.settle(batch, upload)
        return (state.spool.dropped + state.aggregator.dropped, state.spool.data.count)
      }
      if let (_, reason) = upload.refused.first {
        logger.warning(
          "Metrics left out", metadata: ["reason": "\(reason)", "count": "\(upload.refused.count)"])
      }
      let isNew = status.uploaded(
        upload.accepted, requests: upload.requests, failure: upload.failure?.description,
        dropped: dropped, waiting: waiting, at: clock().boottime)
      guard let failure = upload.failure else { continue }
      if isNew, failure.kind != .cancelled {
        logger.warning("Metrics wait for CloudWatch", metadata: ["reason": "\(failure)"])
      }
      return false
    }
  }
}
