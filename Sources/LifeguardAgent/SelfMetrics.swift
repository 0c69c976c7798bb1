import LifeguardCore
import LifeguardStore

/// What the agent counts about itself, exposed as `lifeguard_*`.
struct SelfMetrics {
  private(set) var turns: UInt64 = 0
  private(set) var lastTurn: Duration = .zero
  private var turnSeconds = 0.0
  private var work = DurationHistogram()
  private var latency = DurationHistogram()
  private var byKind: [String: UInt64] = [:]
  private var refusals: [String: UInt64] = [:]
  private var actions: [String: UInt64] = [:]
  private var outcomes: [String: UInt64] = [:]
  var delivered: UInt64 = 0
  var deliveryFailures: UInt64 = 0
  private var abandoned: [String: UInt64] = [:]
  var reloads: UInt64 = 0
  var lastReloadSucceeded = true
  var scrapedOutOfBounds: UInt64 = 0
  /// Rows and batches of samples that found no room before the disk.
  var rowsTurnedAway: UInt64 = 0
  var batchesTurnedAway: UInt64 = 0

  /// - Parameters:
  ///   - length: how long the turn took.
  ///   - age: how old the newest sample of the turn was when the turn was over; what delays a turn
  ///     shows here, whether it waits or works.
  mutating func turned(_ length: Duration, age: Duration?) {
    turns += 1
    lastTurn = length
    turnSeconds += length.seconds
    work.add(length)
    if let age { latency.add(max(age, .zero)) }
  }

  mutating func count(_ entry: TimelineEntry) {
    switch entry.kind {
    case .refused: refusals[entry.code, default: 0] += 1
    case .intended: actions[entry.code, default: 0] += 1
    case .outcome: outcomes[entry.code, default: 0] += 1
    case .alert, .opened, .joined, .evidence, .wouldAct, .approval, .acted, .escalated, .breaker,
      .closed, .command, .clock, .started:
      byKind[entry.kind.rawValue, default: 0] += 1
    }
  }

  /// Counts the messages that were given up.
  mutating func count(_ changes: [OutboxChange]) {
    for case .put(let message) in changes where message.state == .abandoned {
      abandoned[message.receiver, default: 0] += 1
    }
  }

  /// Families in the form of `/metrics`.
  func families(of monitor: Monitor, head: Head) -> [ExposedFamily] {
    var families: [ExposedFamily] = []
    func add(
      _ name: String, _ type: MetricType, _ help: String, _ series: [(Labels, Double)]
    ) {
      families.append(
        ExposedFamily(
          family: MetricFamily(name: name, help: help, type: type),
          series: series.map { ExposedSeries(labels: $0.0, value: $0.1) }))
    }
    func counted(_ counts: [String: UInt64], _ label: String) -> [(Labels, Double)] {
      counts.sorted { $0.key < $1.key }.map {
        (Labels([Label(name: label, value: $0.key)]), Double($0.value))
      }
    }
    let none = Labels()
    add("lifeguard_turns_total", .counter, "Turns taken.", [(none, Double(turns))])
    add(
      "lifeguard_turn_seconds_total", .counter, "Time spent in turns.", [(none, turnSeconds)])
    add(
      "lifeguard_turn_duration_seconds", .gauge, "Length of the last turn.",
      [(none, lastTurn.seconds)])
    families += turnFamilies
    add(
      "lifeguard_head_series", .gauge, "Series in memory.", [(none, Double(head.seriesCount))])
    add(
      "lifeguard_head_series_refused_total", .counter, "Series refused by the series limit.",
      [(none, Double(head.counters.refusedSeries))])
    add(
      "lifeguard_incidents_open", .gauge, "Incidents that are open.",
      [(none, Double(monitor.state.openIncidents.count))])
    add(
      "lifeguard_alerts_firing", .gauge, "Alerts that fire.",
      [(none, Double(monitor.state.tracker.firing.count))])
    add(
      "lifeguard_alerts_refused_total", .counter,
      "Breaches since the start that found no room among the alerts.",
      [(none, Double(monitor.state.tracker.refused))])
    add(
      "lifeguard_actions_total", .counter, "Recovery steps begun, by step.",
      counted(actions, "step"))
    add(
      "lifeguard_attempt_outcomes_total", .counter, "Verified outcomes of recovery steps.",
      counted(outcomes, "outcome"))
    add(
      "lifeguard_refusals_total", .counter, "Actions that a guard rail refused, by code.",
      counted(refusals, "code"))
    add(
      "lifeguard_timeline_entries_total", .counter, "Timeline entries of other kinds.",
      counted(byKind, "kind"))
    families += messageFamilies
    add(
      "lifeguard_config_reloads_total", .counter, "Reloads of the configuration.",
      [(none, Double(reloads))])
    add(
      "lifeguard_config_last_reload_successful", .gauge,
      "Whether the last reload was taken over.", [(none, lastReloadSucceeded ? 1 : 0)])
    add(
      "lifeguard_frozen", .gauge, "Whether nothing may be done.",
      [(none, monitor.frozenReason == nil ? 0 : 1)])
    families.append(services(monitor))
    return families
  }

  private var messageFamilies: [ExposedFamily] {
    func family(_ name: String, _ help: String, _ series: [ExposedSeries]) -> ExposedFamily {
      ExposedFamily(
        family: MetricFamily(name: name, help: help, type: .counter), series: series)
    }
    return [
      family(
        "lifeguard_notifications_delivered_total", "Messages that were delivered.",
        [ExposedSeries(labels: Labels(), value: Double(delivered))]),
      family(
        "lifeguard_notification_failures_total", "Deliveries that failed.",
        [ExposedSeries(labels: Labels(), value: Double(deliveryFailures))]),
      family(
        "lifeguard_notifications_abandoned_total", "Messages that were given up, by receiver.",
        abandoned.sorted { $0.key < $1.key }.map {
          ExposedSeries(labels: ["receiver": $0.key], value: Double($0.value))
        }),
    ]
  }

  private var turnFamilies: [ExposedFamily] {
    [
      work.family("lifeguard_turn_work_seconds", "How long turns took."),
      latency.family(
        "lifeguard_turn_latency_seconds",
        "From the newest sample of a turn to the turn's end, waiting included."),
    ]
  }

  private func services(_ monitor: Monitor) -> ExposedFamily {
    ExposedFamily(
      family: MetricFamily(
        name: "lifeguard_service_up", help: "Whether a service is up.", type: .gauge),
      series: monitor.policy.services.values.sorted { $0.name < $1.name }.map { service in
        ExposedSeries(
          labels: ["service": service.name],
          value: monitor.health[service.name]?.isUp(service) == true ? 1 : 0)
      })
  }
}
