import LifeguardAWS
import LifeguardConfiguration
import LifeguardCore
import Logging

/// Everything between an agent and the AWS it runs in, from one reload that changes it to the next.
final class CloudSession: Sendable {
  let settings: CloudSettings
  let context: InstanceContext
  let metrics: CloudPublisher?
  let logs: LogPublisher?
  let watch: TerminationWatch?

  init(
    _ settings: CloudSettings, client: AWSClient, hostname: String,
    clock: @escaping @Sendable () -> Moment, logger: Logger
  ) {
    self.settings = settings
    let metadata = client.instanceMetadata
    let usual = settings.cloudWatch ?? CloudWatchSettings()
    let context = InstanceContext(
      client: client, metadata: metadata, hostname: hostname,
      names: Set(usual.dimensions.joined()), logger: logger)
    let metrics = settings.cloudWatch.map {
      CloudPublisher($0, context: context, client: client, clock: clock, logger: logger)
    }
    let logs = settings.logs.map {
      LogPublisher(
        $0, cloudWatch: usual, context: context, client: client, clock: clock, logger: logger)
    }
    self.context = context
    self.metrics = metrics
    self.logs = logs
    watch =
      settings.termination.watches
      ? TerminationWatch(context: context, metadata: metadata, logger: logger) {
        metrics?.hurry()
        logs?.hurry()
      } : nil
  }

  var statuses: [CloudStatus] { [metrics?.status, logs?.status].compactMap(\.self) }

  var wantsSamples: Bool { metrics != nil || logs != nil }

  /// Takes samples without waiting.
  func offer(
    _ entries: [JournalEntry], describe: (SeriesReference) -> (labels: Labels, isRemote: Bool)
  ) {
    metrics?.offer(entries, describe: describe)
    logs?.offer(entries, describe: describe)
  }

  /// Works until the task is cancelled.
  func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.context.learn() }
      if let metrics { group.addTask { await metrics.run() } }
      if let logs { group.addTask { await logs.run() } }
      if let watch { group.addTask { await watch.run() } }
    }
  }

  /// Uploads what waits, for at most this long.
  func finish(within limit: Duration) async {
    await withDiscardingTaskGroup { group in
      if let metrics { group.addTask { await metrics.finish(within: limit) } }
      if let logs { group.addTask { await logs.finish(within: limit) } }
    }
  }
}
