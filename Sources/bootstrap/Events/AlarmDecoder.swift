import LifeguardCore

/// Reads alarms out of the events that carry them.
enum AlarmDecoder {
  /// The alarm action that invokes a function: `{"source": "aws.cloudwatch", "alarmArn": …}`.
  static func direct(_ event: JSON) throws(EventError) -> AlarmEvent {
    guard let data = event["alarmData"] else {
      throw EventError(.malformed, "alarmData is missing")
    }
    let name = try text(data, "alarmName", in: "alarmData")
    return try alarm(
      data, arn: try text(event, "alarmArn", in: "the event"), name: name,
      account: event["accountId"]?.string, region: event["region"]?.string)
  }

  /// EventBridge's "CloudWatch Alarm State Change".
  static func eventBridge(_ event: JSON) throws(EventError) -> AlarmEvent {
    guard let detail = event["detail"], let arn = event["resources"]?[0]?.string else {
      throw EventError(.malformed, "detail or resources[0] is missing")
    }
    return try alarm(
      detail, arn: arn, name: try text(detail, "alarmName", in: "detail"),
      account: event["account"]?.string, region: event["region"]?.string)
  }

  /// The message that an alarm sends to a topic; older ones lack half of it.
  static func notification(_ message: JSON) throws(EventError) -> AlarmEvent {
    let place = "the SNS message"
    let arn = try text(message, "AlarmArn", in: place)
    let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
    var alarm = AlarmEvent(
      arn: arn, name: try text(message, "AlarmName", in: place),
      state: try state(message["NewStateValue"], "NewStateValue"),
      time: try time(message["StateChangeTime"], "StateChangeTime"))
    alarm.account = message["AWSAccountId"]?.string ?? ""
    // `Region` is a display name there: the ARN knows better.
    alarm.region = parts.count > 3 ? String(parts[3]) : ""
    alarm.previousState = message["OldStateValue"]?.string.flatMap(AlarmEvent.State.init)
    alarm.reason = message["NewStateReason"]?.string ?? ""
    let trigger = message["Trigger"]
    if let list = trigger?["Metrics"]?.array {
      alarm.metrics = list.compactMap(metricOfTrigger)
    } else if let trigger, trigger["MetricName"]?.string != nil {
      alarm.metrics = [metric(trigger, period: trigger["Period"], statistic: trigger["Statistic"])]
    }
    return alarm
  }

  private static func alarm(
    _ data: JSON, arn: String, name: String, account: String?, region: String?
  ) throws(EventError) -> AlarmEvent {
    guard let now = data["state"] else { throw EventError(.malformed, "state is missing") }
    var alarm = AlarmEvent(
      arn: arn, name: name, state: try state(now["value"], "state.value"),
      time: try time(now["timestamp"], "state.timestamp"))
    alarm.account = account ?? ""
    alarm.region = region ?? ""
    alarm.previousState = data["previousState"]?["value"]?.string
      .flatMap(AlarmEvent.State.init)
    alarm.reason = now["reason"]?.string ?? ""
    alarm.suppressedBy = now["actionsSuppressedBy"]?.string
    alarm.metrics = (data["configuration"]?["metrics"]?.array ?? []).compactMap(metricOfQuery)
    if let text = now["reasonData"]?.string {
      // why try?: it explains the change; the alarm counts without it.
      if let reason = try? JSON.parse(text) { readReason(reason, into: &alarm) }
    }
    return alarm
  }

  private static func metricOfQuery(_ query: JSON) -> AlarmEvent.Metric? {
    guard let stat = query["metricStat"], let metric = stat["metric"] else { return nil }
    return AlarmEvent.Metric(
      namespace: metric["namespace"]?.string ?? "", name: metric["name"]?.string ?? "",
      dimensions: strings(metric["dimensions"]), period: stat["period"]?.double,
      statistic: stat["stat"]?.string ?? "", returnsData: query["returnData"]?.bool ?? true)
  }

  private static func metricOfTrigger(_ query: JSON) -> AlarmEvent.Metric? {
    guard let stat = query["MetricStat"], let inner = stat["Metric"] else { return nil }
    var metric = self.metric(inner, period: stat["Period"], statistic: stat["Stat"])
    metric.returnsData = query["ReturnData"]?.bool ?? true
    return metric
  }

  /// An entry of `Metrics` as DescribeAlarms answers it, which is what messages hold too.
  static func metricOfAPI(_ query: JSON) -> AlarmEvent.Metric? { metricOfTrigger(query) }

  private static func metric(
    _ json: JSON, period: JSON?, statistic: JSON?
  ) -> AlarmEvent.Metric {
    var dimensions: [String: String] = [:]
    for pair in json["Dimensions"]?.array ?? [] {
      // Lower case in messages, upper case in the API.
      guard let name = (pair["name"] ?? pair["Name"])?.string else { continue }
      dimensions[name] = (pair["value"] ?? pair["Value"])?.string
    }
    return AlarmEvent.Metric(
      namespace: json["Namespace"]?.string ?? "", name: json["MetricName"]?.string ?? "",
      dimensions: dimensions, period: period?.double, statistic: statistic?.string ?? "")
  }

  /// The newest of the points that were looked at.
  private static func readReason(_ reason: JSON, into alarm: inout AlarmEvent) {
    let points = (reason["evaluatedDatapoints"]?.array ?? []).compactMap { point in
      guard let value = point["value"]?.double, value.isFinite,
        let time = point["timestamp"]?.string.flatMap(AWSTime.parse)
      else { return nil as (time: Timestamp, value: Double)? }
      return (time, value)
    }
    if let newest = points.max(by: { $0.time < $1.time }) {
      alarm.value = newest.value
      alarm.valueTime = newest.time
    }
  }

  private static func strings(_ json: JSON?) -> [String: String] {
    var result: [String: String] = [:]
    for (key, value) in json?.object?.members ?? [] { result[key] = value.string }
    return result
  }

  private static func text(
    _ json: JSON, _ key: String, in place: String
  ) throws(EventError) -> String {
    guard let text = json[key]?.string, !text.isEmpty else {
      throw EventError(.malformed, "\(key) is missing in \(place), or it is no text")
    }
    return text
  }

  private static func state(
    _ json: JSON?, _ name: String
  ) throws(EventError) -> AlarmEvent.State {
    guard let state = json?.string.flatMap(AlarmEvent.State.init) else {
      throw EventError(.malformed, "\(name) is none of OK, ALARM, INSUFFICIENT_DATA")
    }
    return state
  }

  private static func time(_ json: JSON?, _ name: String) throws(EventError) -> Timestamp {
    guard let time = json?.string.flatMap(AWSTime.parse) else {
      throw EventError(.malformed, "\(name) is not a time such as 2024-04-19T23:05:40.989+0000")
    }
    return time
  }
}
