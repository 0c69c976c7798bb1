import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import LifeguardStore

/// What others may ask.
extension Agent {
  /// Everything about now, in one value.
  public func status(listening: String) -> AgentStatus {
    let now = parts.clock()
    let monitor = turn.monitor
    return AgentStatus(
      host: parts.host.hostname, version: parts.version, mode: configuration.mode.name,
      frozen: monitor.frozenReason, startedAt: startedAt.wall, now: now.wall,
      listening: listening, configurationFile: parts.configurationFile,
      configurationProblems: configurationProblems, series: turn.head.seriesCount,
      rules: monitor.policy.rules.count, ruleProblems: turn.ruleProblems,
      collectors: table.collectors.sorted { $0.key < $1.key }.map { name, collector in
        CollectorStatus(
          name: name, series: collector.seriesCount,
          milliseconds: collector.duration.seconds * 1000, problem: collector.problem)
      },
      services: configuration.services.map(serviceStatus), alerts: alerts,
      incidents: monitor.state.openIncidents, silences: monitor.state.silences,
      approvals: approvals, storage: storageStatus,
      pendingNotifications: pendingMessages,
      notificationProblems: receiverHealth.sentences,
      turnMilliseconds: counters.lastTurn.seconds * 1000)
  }

  private func serviceStatus(_ service: Service) -> ServiceStatus {
    let health = turn.monitor.health[service.name]
    let fault = health?.fault(of: service)
    let (state, sentence): (String, String) =
      switch (fault, health?.condition) {
      case (let fault?, _): ("down", health?.sentence(fault) ?? "")
      case (nil, .running):
        health?.isUp(service) == true ? ("up", "") : ("starting", "not probed yet")
      case (nil, .suspended): ("stopped", "a debugger holds it")
      case (nil, .stoppedByOperator(let how)): ("stopped", how)
      case (nil, .changing(let how)), (nil, .restarting(let how)): ("changing", how)
      case (nil, .unknown(let why)): ("unknown", why)
      case (nil, .dead(let how)): ("down", how)
      case (nil, nil): ("unknown", "not looked at yet")
      }
    return ServiceStatus(
      name: service.name, target: service.target.description, state: state, sentence: sentence,
      pid: health?.condition?.identity?.pid, since: health?.conditionSince?.wall,
      mode: min(configuration.mode, service.mode ?? .auto).name)
  }

  public var alerts: [AlertStatus] {
    turn.monitor.state.tracker.alerts.values.sorted { $0.key < $1.key }.map(status)
  }

  func status(of alert: Alert) -> AlertStatus {
    AlertStatus(
      name: alert.name, state: alert.state.rawValue, labels: alert.key.labels,
      annotations: turn.monitor.annotations(of: alert), value: alert.value,
      since: alert.activeSince.wall, keepFiringSince: alert.endedSince?.wall,
      noData: alert.hasNoData, summary: turn.monitor.summary(of: alert))
  }

  private var approvals: [ApprovalStatus] {
    turn.monitor.state.openIncidents.compactMap { incident in
      guard let ladder = incident.ladder, case .awaitingApproval(let approval) = ladder.phase
      else { return nil }
      return ApprovalStatus(
        id: approval.id, incident: incident.id,
        sentence: "rung \(approval.rung + 1) of plan \(ladder.plan) on \(ladder.target)",
        askedAt: approval.askedAt.wall)
    }
  }

  /// Everything that was collected last and what the agent counts of itself.
  public nonisolated func metrics(_ format: ExpositionFormat) async -> [UInt8] {
    await metricsReport.text(format)
  }

  /// Whether the wheel turns; answered even while the agent's own thread hangs.
  public nonisolated var isHealthy: Bool { pulse.isAlive(at: parts.clock()) }

  /// Whether a turn was taken; answered in the same way.
  public nonisolated var hasTakenTurn: Bool { pulse.lastTurn != nil }

  public var isReady: Bool { counters.turns > 0 }

  public var policyMode: Mode { configuration.mode }

  /// The samples in memory, to be read elsewhere.
  public func snapshot() -> Snapshot { turn.head.snapshot() }

  /// What the agent's clocks show.
  public func now() -> Moment { parts.clock() }

  /// The incident in memory, or as the store has it.
  public func incident(_ id: Int) async -> Incident? {
    if let incident = turn.monitor.state.incidents[id] { return incident }
    return await storedIncidents(limit: 10_000).first { $0.id == id }
  }

  /// The newest incidents first.
  public func incidents(limit: Int) async -> [Incident] {
    let fresh = turn.monitor.state.incidents
    let old = await storedIncidents(limit: limit).filter { fresh[$0.id] == nil }
    return Array((fresh.values + old).sorted { $0.id > $1.id }.prefix(limit))
  }

  private func storedIncidents(limit: Int) async -> [Incident] {
    // A store that cannot be read leaves what is in memory; the status says so.
    let summaries = (try? await archive.incidents(limit: limit)) ?? []
    return summaries.compactMap { decoded($0.json) }
  }

  /// An incident's timeline, oldest first.
  public func timeline(of incident: Int) async -> [TimelineEntry] {
    // As above.
    let stored = (try? await archive.timeline(incident: String(incident))) ?? []
    return stored.compactMap { decoded($0.json) }
  }

  /// nil for a row that another version has written in another form.
  private func decoded<Value: Decodable>(_ json: String) -> Value? {
    // The row is left out; the file itself is kept.
    try? JSONCoder.decode(Value.self, from: Array(json.utf8))
  }

  /// The chain of decisions about a target, an incident, or an alert's name; newest incident last.
  public func why(_ subject: String) async -> [WhyChain] {
    let target = Target(subject).map(turn.monitor.policy.canonical)
    let service = turn.monitor.policy.services[subject]?.target
    var chains: [WhyChain] = []
    for incident in await incidents(limit: 200).reversed() {
      let matches =
        String(incident.id) == subject || (target != nil && incident.target == target)
        || (service != nil && incident.target == service)
        || incident.alertNames.contains(subject)
      guard matches else { continue }
      chains.append(WhyChain(incident: incident, entries: await timeline(of: incident.id)))
    }
    return Array(chains.suffix(5))
  }

  /// A rule as resolved; nil when there is none of this name.
  public func explain(_ name: String) -> Explanation? {
    let monitor = turn.monitor
    let found = monitor.policy.rules.values.filter { $0.name == name || $0.id == name }
    guard let rule = found.min(by: { $0.id < $1.id }) else { return nil }
    return Explanation(rule, turn: turn, at: parts.clock())
  }

  /// The value of an expression at one time.
  ///
  /// - Throws: `ParseError` or `QueryError`, with Prometheus' texts.
  public func query(_ text: String, at time: Timestamp) throws -> QueryResult {
    try Query(parsing: text).instant(over: turn.head, at: time)
  }

  /// The processes that use most, as of the newest list.
  public func top() -> [TopProcess] { parts.top() }
}

/// What happened in one incident, and why.
public struct WhyChain: Sendable, Codable {
  public var incident: Incident
  public var entries: [TimelineEntry]
}
