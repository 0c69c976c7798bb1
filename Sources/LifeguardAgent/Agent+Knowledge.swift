import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import LifeguardStore

/// What Prometheus' API asks about rules, targets and metrics.
extension Agent {
  public nonisolated var version: String { parts.version }

  /// What lies on the disk.
  public nonisolated var history: SampleArchive { parts.history }

  /// From when on memory holds every sample; what is older lies on the disk alone.
  public var memoryReach: Timestamp {
    max(
      refilledFrom ?? startedAt.wall,
      parts.clock().wall - configuration.collect.memoryRetention)
  }

  public var externalLabels: Labels {
    Labels(configuration.externalLabels.map { Label(name: $0.key, value: $0.value) })
  }

  /// Everything for `/metrics`, copied in no time: the text is made elsewhere.
  public var metricsReport: MetricsReport {
    MetricsReport(
      table: table,
      own: counters.families(of: turn.monitor, head: turn.head) + wireFamilies
        + sampleFamilies + cloudFamilies,
      turn: counters.turns)
  }

  /// What the metrics known here mean, sorted by name, each name once.
  public nonisolated func describedFamilies() async -> [MetricFamily] {
    var byName: [String: MetricFamily] = [:]
    let own = await metricsReport.descriptions
    for family in own + (await remoteFamilies) where byName[family.name] == nil {
      byName[family.name] = family
    }
    return byName.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// This host first, as if it scraped itself every interval, then what is scraped.
  ///
  /// - Parameters:
  ///   - listening: where its metrics are shown.
  ///   - scheme: `http` or `https`.
  public func targets(listening: String, scheme: String) -> [ScrapeTargetStatus] {
    let own: Labels = ["instance": parts.host.hostname, "job": "node"]
    let problem = table.collectors.sorted { $0.key < $1.key }
      .compactMap { name, collector in collector.problem.map { "\(name): \($0)" } }.first
    let length = table.collectors.values.reduce(Duration.zero) { $0 + $1.duration }
    let host = ScrapeTargetStatus(
      job: "node", url: "\(scheme)://\(listening)/metrics",
      discoveredLabels: [
        "__address__": listening, "__metrics_path__": "/metrics", "job": "node",
      ],
      labels: own, health: !hasTakenTurn ? .unknown : isHealthy ? .up : .down,
      lastError: problem ?? "", lastScrape: pulse.lastTurn?.wall, lastScrapeDuration: length,
      interval: configuration.interval, timeout: configuration.interval, isDropped: false)
    return [host] + scrapeTargets
  }

  /// Inline rules first, then the groups of rule files and of the default pack, in order.
  public var ruleGroups: [RuleGroupReport] {
    var alerts: [String: [AlertStatus]] = [:]
    for alert in turn.monitor.state.tracker.alerts.values.sorted(by: { $0.key < $1.key }) {
      alerts[alert.key.rule, default: []].append(status(of: alert))
    }
    return turn.ruleGroups.map { group in
      let isInline = group.name.isEmpty
      return RuleGroupReport(
        name: isInline ? "inline" : group.name,
        file: isInline ? parts.configurationFile ?? "defaults" : group.file,
        interval: group.interval, limit: group.limit, lastEvaluation: group.lastEvaluation,
        evaluationDuration: group.evaluationDuration,
        rules: group.rules.map { status in
          var own: [AlertStatus] = []
          if case .alert(let rule) = status.rule { own = alerts[rule.id] ?? [] }
          return RuleReport(
            rule: status.rule, health: status.health.rawValue, lastError: status.lastError,
            lastEvaluation: status.lastEvaluation, evaluationDuration: status.evaluationDuration,
            alerts: own)
        })
    }
  }
}
