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

  /// Every alarm in ALARM, and those that alerts of ours stand for and that are not any more.
  func look(_ document: FleetDocument, at now: Timestamp, within limit: Duration) async -> Found {
    var found = Found()
    let list: AlarmList
    do throws(AWSError) {
      list = try await cloudWatch.describeAlarms(state: .alarm)
    } catch {
      log.error("Sweep failed", [("reason", .string("\(error)"))])
      found.problem = "alarms could not be looked at: \(error)"
      return found
    }
    let verifying = Self.attemptEnds(document.state)
    for alarm in list.metricAlarms {
      guard alarm.actions.isEnabled else { continue }
      var event = Self.event(alarm, at: now)
      if let end = verifying[alarm.name] {
        event = await freshened(event, alarm, since: end, at: now)
      }
      found.alarms.append(event)
    }
    for alarm in list.compositeAlarms where alarm.actions.isEnabled {
      var event = AlarmEvent(arn: alarm.arn, name: alarm.name, state: .alarm, time: now)
      event.region = Self.field(3, of: alarm.arn)
      event.account = Self.field(4, of: alarm.arn)
      event.reason = alarm.status.reason ?? ""
      event.suppressedBy = alarm.actionsSuppressedBy
      found.alarms.append(event)
    }
    guard list.isComplete else { return found }
    let stillBad = Set(found.alarms.map(\.name))
    for alert in document.state.tracker.alerts.values {
      // Its labels are those of the alarm's own series, so that this ends exactly that one.
      guard let name = alert.element["alarm"], !stillBad.contains(name) else { continue }
      found.alarms.append(Self.over(name, alert.element, at: now))
    }
    return found
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

  private static func event(_ alarm: MetricAlarm, at now: Timestamp) -> AlarmEvent {
    var event = AlarmEvent(arn: alarm.arn, name: alarm.name, state: .alarm, time: now)
    event.region = field(3, of: alarm.arn)
    event.account = field(4, of: alarm.arn)
    event.reason = alarm.status.reason ?? ""
    if let name = alarm.metricName {
      event.metrics = [
        AlarmEvent.Metric(
          namespace: alarm.namespace ?? "", name: name,
          dimensions: Dictionary(
            alarm.dimensions.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first }),
          period: alarm.period.map { Double($0.milliseconds) / 1000 },
          statistic: alarm.statistic ?? alarm.extendedStatistic ?? "")
      ]
    } else {
      event.metrics = alarm.metrics.compactMap(AlarmDecoder.metricOfAPI)
    }
    return event
  }

  private static func over(_ name: String, _ labels: Labels, at now: Timestamp) -> AlarmEvent {
    var event = AlarmEvent(arn: "", name: name, state: .ok, time: now)
    event.region = labels["region"] ?? ""
    event.account = labels["account"] ?? ""
    var dimensions: [String: String] = [:]
    let own: Set<String> = ["alarm", "region", "account", "instance", Labels.metricName]
    for label in labels where !own.contains(label.name) { dimensions[label.name] = label.value }
    if !dimensions.isEmpty { event.metrics = [AlarmEvent.Metric(dimensions: dimensions)] }
    return event
  }

  /// Looks at points that are newer than the action, which the alarm's state may not show yet, by
  /// CloudWatch's own rule over them.
  private func freshened(
    _ event: AlarmEvent, _ alarm: MetricAlarm, since end: Timestamp, at now: Timestamp
  ) async -> AlarmEvent {
    guard let metric = event.metrics.first, event.metrics.count == 1,
      let period = alarm.period, let threshold = alarm.threshold,
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
    var event = event
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

  private static func field(_ index: Int, of arn: String) -> String {
    let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
    return parts.count > index ? String(parts[index]) : ""
  }
}
