import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import Logging

/// The parts of a turn beside the decision itself.
extension Agent {
  /// A collector that hangs or fails is a problem of its own, raised once and ended once.
  func noteCollector(_ batch: CollectedBatch, at now: Moment) {
    let isStuck = batch.isQuarantined
    guard isStuck != stuckCollectors.contains(batch.collector) else { return }
    if isStuck {
      stuckCollectors.insert(batch.collector)
    } else {
      stuckCollectors.remove(batch.collector)
    }
    let why = batch.failure.map { "\($0)" } ?? "it does not answer"
    deliver(
      .problem(
        Problem(
          name: "LifeguardCollectorStuck", labels: ["collector": batch.collector],
          summary: "the collector \(batch.collector) hangs and is left alone: \(why)",
          isActive: isStuck)))
  }

  /// What the safety path knows is published as series as well.
  func publishOwnSeries(at now: Moment) {
    for service in configuration.services {
      guard let health = turn.monitor.health[service.name] else { continue }
      publish(
        "lifeguard_service_up", ["service": service.name], health.isUp(service) ? 1 : 0, at: now)
      guard service.probe != nil, health.lastProbe != nil else { continue }
      publish(
        "probe_success", ["service": service.name], health.failures == 0 ? 1 : 0, at: now)
    }
  }

  func publish(_ name: String, _ extra: Labels, _ value: Double, at now: Moment) {
    var labels: Labels = ["job": "node", "instance": parts.host.hostname]
    for label in extra { labels[label.name] = label.value }
    labels[Labels.metricName] = name
    do {
      try turn.derive(labels, at: now.wall, value)
    } catch {
      // Counted by the head: the series limit, or a clock that jumped back.
      return
    }
  }

  /// One log line a decision; the sentence is data, the message constant.
  func log(_ entry: LifeguardCore.TimelineEntry) {
    var metadata: Logger.Metadata = [
      "decision.code": "\(entry.code)", "decision.sentence": "\(entry.sentence)",
    ]
    if let incident = entry.incident { metadata["incident.id"] = "\(incident)" }
    logger.notice("\(entry.kind.title)", metadata: metadata)
  }
}

extension LifeguardCore.TimelineEntry.Kind {
  /// For logs and the terminal.
  public var title: String {
    switch self {
    case .alert: "Alert"
    case .opened: "Incident opened"
    case .joined: "Alert joined"
    case .evidence: "Evidence"
    case .refused: "Refused"
    case .wouldAct: "Would act"
    case .approval: "Approval"
    case .intended: "Acting"
    case .acted: "Acted"
    case .outcome: "Outcome"
    case .escalated: "Escalated"
    case .breaker: "Breaker"
    case .closed: "Incident over"
    case .command: "Command"
    case .clock: "Clock"
    case .started: "Started"
    }
  }
}
