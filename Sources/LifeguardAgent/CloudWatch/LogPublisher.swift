import LifeguardAWS
import LifeguardConfiguration
import LifeguardCore
import Logging
import Synchronization

/// Metrics on their way to CloudWatch Logs: one line a period, kept while the network is away.
///
/// A line is `{"CPUUtilization":91.2,"MemoryUtilization":40}`, which the Lambda function reads, or
/// the embedded metric format. Values are averages over the period.
final class LogPublisher: Sendable {
  private struct State {
    var selection: MetricSelection
    var aggregator: MetricAggregator
    var lines: [LifeguardAWS.LogEvent] = []
    var dropped = 0
    /// Of the last line, for what it costs.
    var lineBytes = 0

    mutating func keepNewest(_ count: Int) {
      let excess = lines.count - count
      guard excess > 0 else { return }
      lines.removeFirst(excess)
      dropped += excess
    }
  }

  /// A day of a line a minute, about 300 kB.
  private static let linesMax = 1440

  let settings: CloudLogSettings
  let status = CloudStatus("logs")
  private let cloudWatch: CloudWatchSettings
  private let context: InstanceContext
  private let client: AWSClient
  private let clock: @Sendable () -> Moment
  private let logger: Logger
  private let bell = Bell()
  private let state: Mutex<State>

  /// - Parameter cloudWatch: the metrics, and the namespace and dimensions of an embedded metric.
  init(
    _ settings: CloudLogSettings, cloudWatch: CloudWatchSettings, context: InstanceContext,
    client: AWSClient, clock: @escaping @Sendable () -> Moment, logger: Logger
  ) {
    self.settings = settings
    self.cloudWatch = cloudWatch
    self.context = context
    self.client = client
    self.clock = clock
    self.logger = logger
    // A line has one value a name: series that are kept apart elsewhere are folded here.
    let metrics = cloudWatch.metrics.map { metric in
      var metric = metric
      metric.per = []
      return metric
    }
    state = Mutex(
      State(
        selection: MetricSelection(metrics), aggregator: MetricAggregator(period: settings.every)))
  }

  /// Takes samples without waiting.
  func offer(
    _ entries: [JournalEntry], describe: (SeriesReference) -> (labels: Labels, isRemote: Bool)
  ) {
    state.withLock { state in
      for value in state.selection.fold(entries, describe: describe) {
        let metric = state.selection.metrics[value.key.metric]
        state.aggregator.add(metric.name, value.value, unit: metric.unit, at: value.time)
      }
    }
  }

  var lineBytes: Int { state.withLock { $0.lineBytes } }

  /// The stream that lines go to; nil while it is not known which machine this is.
  var stream: String? { settings.stream.isEmpty ? context.name : settings.stream }

  /// Uploads at the end of every period, for as long as the task lives.
  func run() async {
    var pace = CloudPace()
    while !Task.isCancelled {
      let pause = pace.pause(until: settings.every, at: clock().wall, random: .random(in: 0..<1))
      await bell.wait(atMost: pause)
      if Task.isCancelled { return }
      gather(isLast: false)
      if await drain(client) { pace.noteSuccess() } else { pace.noteFailure() }
    }
  }

  /// As `CloudPublisher.hurry`.
  func hurry() { bell.ring() }

  /// Uploads everything, once, until the time is up.
  func finish(within limit: Duration) async {
    gather(isLast: true)
    _ = await drain(client.within(limit))
  }

  private func gather(isLast: Bool) {
    guard let sets = context.dimensionSets(cloudWatch.dimensions) else { return }
    let now = clock().wall
    state.withLock { state in
      let data =
        isLast ? state.aggregator.takeAll() : state.aggregator.take(endedBefore: now)
      for start in Set(data.map(\.timestamp)).sorted() {
        let metrics = ordered(data.filter { $0.timestamp == start }, state.selection.metrics)
        // When the last value of the period was taken: a reader judges a line by its age.
        let time = min(start + settings.every, now)
        let lines = lines(metrics, sets, at: time)
        state.lineBytes = lines.last?.message.utf8.count ?? state.lineBytes
        state.lines += lines
      }
      state.keepNewest(LogPublisher.linesMax)
    }
  }

  /// In the order in which they are written in the configuration.
  private func ordered(
    _ data: [MetricDatum], _ metrics: [CloudMetric]
  ) -> [EmbeddedMetrics.Metric] {
    let byName = Dictionary(data.map { ($0.name, $0) }) { first, _ in first }
    return metrics.compactMap { metric in
      byName[metric.name].map { datum in
        let average =
          switch datum.value {
          case .single(let value): value
          case .statistics(let set): set.sum / set.count
          case .distribution(let values, _): values.first ?? .nan
          }
        // Three places are enough for any threshold, and half the bytes.
        return EmbeddedMetrics.Metric(
          metric.name, (average * 1000).rounded() / 1000, unit: metric.unit,
          isHighResolution: settings.every < .seconds(60))
      }
    }
  }

  private func lines(
    _ metrics: [EmbeddedMetrics.Metric], _ sets: [[MetricDimension]], at time: Timestamp
  ) -> [LifeguardAWS.LogEvent] {
    switch settings.format {
    case .emf:
      return EmbeddedMetrics(namespace: cloudWatch.namespace, dimensionSets: sets)
        .lines(metrics, at: time)
    case .json:
      var line = JSONObject()
      // The stream says which server it is, unless it has a name of its own.
      if !settings.stream.isEmpty, let name = context.name {
        line[context.isInstance ? "InstanceId" : "host"] = .string(name)
      }
      for metric in metrics where metric.value.isFinite {
        line[metric.name] = .number(metric.value)
      }
      return metrics.isEmpty ? [] : [LifeguardAWS.LogEvent(JSON.object(line).text(), at: time)]
    }
  }

  /// - Returns: whether nothing is left to be tried again.
  private func drain(_ client: AWSClient) async -> Bool {
    guard let stream else { return true }
    let batch = state.withLock { state in
      defer { state.lines = [] }
      return state.lines
    }
    guard !batch.isEmpty else { return true }
    var upload = await client.logs.putLogEvents(group: settings.group, stream: stream, batch)
    if upload.failure?.kind == .notFound, await makeStream(stream, client) {
      let first = upload
      upload = await client.logs.putLogEvents(
        group: settings.group, stream: stream, first.remaining)
      upload.accepted += first.accepted
      upload.requests += first.requests
      upload.rejected += first.rejected
    }
    let (dropped, waiting) = state.withLock { state in
      state.dropped += upload.rejected
      if let failure = upload.failure {
        // A line twice is better than none: what may have been taken waits as well.
        if failure.mayPass {
          state.lines = upload.remaining + state.lines
          state.keepNewest(LogPublisher.linesMax)
        } else {
          state.dropped += upload.remaining.count
        }
      }
      return (state.dropped + state.aggregator.dropped, state.lines.count)
    }
    let isNew = status.uploaded(
      upload.accepted, requests: upload.requests, failure: upload.failure?.description,
      dropped: dropped, waiting: waiting, at: clock().boottime)
    guard let failure = upload.failure else { return true }
    if isNew, failure.kind != .cancelled {
      logger.warning(
        "Lines wait for CloudWatch Logs",
        metadata: [
          "reason": "\(failure)", "group": "\(settings.group)", "stream": "\(stream)",
        ])
    }
    return false
  }

  /// Streams are the servers'; the group, with its retention, is the deployment's and never made
  /// here.
  private func makeStream(_ stream: String, _ client: AWSClient) async -> Bool {
    do {
      _ = try await client.logs.createLogStream(group: settings.group, stream: stream)
      return true
    } catch {
      // The first failure tells enough: the group is not there, or it may not be written to.
      return false
    }
  }
}
