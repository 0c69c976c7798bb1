import LifeguardAWS
import LifeguardCore

/// Looks at alarms that stay where they are: CloudWatch tells of changes only, so that an alarm
/// whose recovery failed would never be heard of again.
struct Sweep {
  struct Found {
    var alarms: [AlarmEvent] = []
    var problem: String?
  }

  let cloudWatch: CloudWatch
  let log: RuntimeLog
  let scope: AlarmScope

  /// The alarms in ALARM that are ours, and those that were bad when last heard of, as they are
  /// now: CloudWatch tells of changes only to whom an alarm's actions name, and not always.
  ///
  /// What is not in ALARM any more is not healthy for that: it may lack data, as after a restart of
  /// its server, or be gone, and then nobody can tell.
  func look(_ document: FleetDocument, at now: Timestamp) async -> Found {
    var found = Found()
    let known = document.alarms.filter { scope.isHome($0.labels) }
    let names = Set(known.compactMap { $0.labels["alarm"] })
    let verifying = Self.attemptEnds(document.state)
    var seen: Set<Labels> = []
    do throws(AWSError) {
      let list = try await cloudWatch.describeAlarms(state: .alarm)
      for alarm in Self.standing(list, at: now) where alarm.event.state == .alarm {
        let isKnown = names.contains(alarm.event.name)
        guard isKnown || (alarm.actions.isEnabled && scope.isOurs(alarm.event.name, alarm.actions))
        else { continue }
        seen.insert(alarm.event.labels)
        found.alarms.append(await freshened(alarm, verifying, at: now))
      }
      let missing = known.filter { $0.value != 0 && !seen.contains($0.labels) }
      let byName = try await standing(Set(missing.compactMap { $0.labels["alarm"] }), at: now)
      for (labels, value) in missing {
        guard let name = labels["alarm"] else { continue }
        if let alarm = byName[name], alarm.event.labels == labels {
          // That it says nothing is known.
          if value == nil, alarm.event.state == .insufficientData { continue }
          found.alarms.append(await freshened(alarm, verifying, at: now))
        } else if value != nil {
          // Deleted, or it watches something else now: it says nothing about what it said before.
          found.alarms.append(Self.gone(name, labels, at: now))
        }
      }
    } catch {
      log.error("Sweep failed", [("reason", .string("\(error)"))])
      found.problem = "alarms could not be looked at: \(error)"
    }
    return found
  }

  /// An alarm of either kind as it stands.
  private struct Standing {
    var event: AlarmEvent
    var actions: AlarmActions
    /// Nil for composite ones, which have no metric of their own.
    var metric: MetricAlarm?
  }

  private func standing(
    _ names: Set<String>, at now: Timestamp
  ) async throws(AWSError) -> [String: Standing] {
    var found: [String: Standing] = [:]
    let sorted = names.sorted()
    for start in stride(from: 0, to: sorted.count, by: Self.namesMax) {
      let part = Array(sorted[start..<min(start + Self.namesMax, sorted.count)])
      let list = try await cloudWatch.describeAlarms(names: part)
      for alarm in Self.standing(list, at: now) { found[alarm.event.name] = alarm }
    }
    return found
  }

  /// Names of one question (API reference, DescribeAlarms).
  private static let namesMax = 100

  private static func standing(_ list: AlarmList, at now: Timestamp) -> [Standing] {
    let metric = list.metricAlarms.map { alarm in
      var event = event(alarm.name, alarm.arn, alarm.status, alarm.actions, at: now)
      if let name = alarm.metricName {
        event.metrics = [
          AlarmEvent.Metric(
            namespace: alarm.namespace ?? "", name: name,
            dimensions: Dictionary(
              alarm.dimensions.map { ($0.name, $0.value) },
              uniquingKeysWith: { first, _ in first }),
            period: alarm.period.map { Double($0.milliseconds) / 1000 },
            statistic: alarm.statistic ?? alarm.extendedStatistic ?? "")
        ]
      } else {
        event.metrics = alarm.metrics.compactMap(AlarmDecoder.metricOfAPI)
      }
      return Standing(event: event, actions: alarm.actions, metric: alarm)
    }
    let composite = list.compositeAlarms.map { alarm in
      var event = event(alarm.name, alarm.arn, alarm.status, alarm.actions, at: now)
      event.suppressedBy = alarm.actionsSuppressedBy ?? event.suppressedBy
      return Standing(event: event, actions: alarm.actions, metric: nil)
    }
    return metric + composite
  }

  private static func event(
    _ name: String, _ arn: String, _ status: AlarmStatus, _ actions: AlarmActions,
    at now: Timestamp
  ) -> AlarmEvent {
    var event = AlarmEvent(arn: arn, name: name, state: .insufficientData, time: now)
    event.state = status.state.flatMap { AlarmEvent.State(rawValue: $0.rawValue) } ?? event.state
    event.region = ARN(arn)?.region ?? ""
    event.account = ARN(arn)?.account ?? ""
    event.reason = status.reason ?? ""
    if !actions.isEnabled { event.suppressedBy = "they are switched off" }
    return event
  }

  /// An alarm that is not there any more, by the labels that it had.
  private static func gone(_ name: String, _ labels: Labels, at now: Timestamp) -> AlarmEvent {
    var event = AlarmEvent(arn: "", name: name, state: .insufficientData, time: now)
    event.region = labels["region"] ?? ""
    event.account = labels["account"] ?? ""
    var dimensions: [String: String] = [:]
    let own: Set<String> = ["alarm", "region", "account", "instance"]
    for label in labels where !own.contains(label.name) { dimensions[label.name] = label.value }
    if !dimensions.isEmpty { event.metrics = [AlarmEvent.Metric(dimensions: dimensions)] }
    return event
  }

  /// When the attempt that is being verified ended, by alarm.
  private static func attemptEnds(_ state: MonitorState) -> [String: Timestamp] {
    var ends: [String: Timestamp] = [:]
    for incident in state.openIncidents {
      guard let ladder = incident.ladder, case .verifying(let verification) = ladder.phase,
        let alarm = ladder.alert.labels["alarm"]
      else { continue }
      ends[alarm] = verification.actionEnd.wall
    }
    return ends
  }

  /// Looks at points that are newer than the action, which the alarm's state may not show yet, by
  /// CloudWatch's own rule over them.
  private func freshened(
    _ standing: Standing, _ verifying: [String: Timestamp], at now: Timestamp
  ) async -> AlarmEvent {
    var event = standing.event
    guard let end = verifying[event.name], event.state == .alarm, let alarm = standing.metric,
      let metric = event.metrics.first, event.metrics.count == 1, let period = alarm.period,
      let threshold = alarm.threshold,
      let breaches = Self.comparison(alarm.comparison ?? "", threshold)
    else { return event }
    let query = MetricQuery.metric(
      id: "m1", namespace: metric.namespace, name: metric.name,
      dimensions: metric.dimensions.sorted { $0.key < $1.key }.map {
        MetricDimension($0.key, $0.value)
      }, period: period, statistic: metric.statistic)
    let points: [MetricPoint]
    do throws(AWSError) {
      let data = try await cloudWatch.getMetricData([query], from: end, to: now)
      points = data.results.first?.points ?? []
    } catch {
      log.warn(
        "Metric not read", [("alarm", .string(event.name)), ("reason", .string("\(error)"))])
      return event
    }
    // A point covers its whole period: only those that began after the action tell of it.
    let fresh = points.filter { $0.time >= end }
    let count = max(1, min(alarm.evaluationPeriods, fresh.count))
    let needed = min(alarm.datapointsToAlarm ?? alarm.evaluationPeriods, count)
    let evaluation = AlarmEvaluation(
      evaluationPeriods: count, datapointsToAlarm: max(1, needed), missingData: .missing)
    switch evaluation.verdict(over: fresh.map { breaches($0.value) ? .breaching : .healthy }) {
    case .alarm: event.state = .alarm
    case .ok: event.state = .ok
    case .insufficientData, .retain: return event
    }
    if let newest = fresh.last {
      event.value = newest.value
      event.valueTime = newest.time
    }
    return event
  }

  private static func comparison(
    _ name: String, _ threshold: Double
  ) -> (@Sendable (Double) -> Bool)? {
    switch name {
    case "GreaterThanThreshold": return { $0 > threshold }
    case "GreaterThanOrEqualToThreshold": return { $0 >= threshold }
    case "LessThanThreshold": return { $0 < threshold }
    case "LessThanOrEqualToThreshold": return { $0 <= threshold }
    default: return nil
    }
  }
}
