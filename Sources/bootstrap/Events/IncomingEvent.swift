import LifeguardCore

/// An event as the function understands it.
enum IncomingEvent {
  case logs(LogBatch)
  /// Alarms that changed, and what was wrong with what came beside them.
  case alarms([AlarmEvent], problems: [String])
  case instance(InstanceEvent)
  /// A schedule's tick: look after alarms that stay where they are, and after what is in flight.
  case sweep(rule: String, at: Timestamp)

  /// For the log.
  var kind: String {
    switch self {
    case .logs(let batch): batch.isControl ? "logs-control" : "logs"
    case .alarms: "alarm"
    case .instance: "ec2-state-change"
    case .sweep: "schedule"
    }
  }

  /// The same for every delivery of this event.
  var key: String {
    switch self {
    case .logs(let batch): batch.key
    case .alarms(let alarms, _): alarms.map(\.key).joined(separator: "||")
    case .instance(let event): event.key
    case .sweep(let rule, let time): "schedule|\(rule)|\(time.milliseconds)"
    }
  }
}

/// EC2's "Instance State-change Notification".
struct InstanceEvent: Hashable {
  var instance: String
  /// `pending running stopping stopped shutting-down terminated`.
  var state: String
  var time: Timestamp
  var account: String
  var region: String

  var key: String { "ec2|\(instance)|\(state)|\(time.milliseconds)" }

  /// 1 while it runs.
  static let metricName = "ec2_instance_running"

  func samples(into batch: inout SampleBatch) {
    var labels: Labels = [Labels.metricName: Self.metricName, "instance": instance]
    labels["region"] = region
    labels["account"] = account
    // What is on its way says nothing yet; an instance that is gone has no state any more.
    switch state {
    case "running": batch.add(labels, at: time, 1)
    case "stopped": batch.add(labels, at: time, 0)
    case "terminated": batch.add(labels, at: time, .staleMarker)
    default: break
    }
  }
}

/// Tells the kinds of events apart and reads them.
struct EventDecoder {
  var wanted: WantedMetrics
  /// Events from this log group are refused.
  var ownGroup: String?

  /// Longer ones are not sent by anybody: 6 MB is Lambda's own limit.
  static let bytesMax = 6 << 20
  /// Of one message of SNS; Lambda is sent one, others may batch.
  static let recordsMax = 100

  func decode(_ body: [UInt8]) throws(EventError) -> IncomingEvent {
    guard body.count <= Self.bytesMax else {
      throw EventError(.tooLarge, "the event has \(body.count) bytes, more than \(Self.bytesMax)")
    }
    if let logs = try logs(body) { return .logs(logs) }
    let json: JSON
    do {
      json = try JSON.parse(body, depthMax: 64)
    } catch {
      throw EventError(.malformed, "the event is not JSON: \(error)")
    }
    if let records = json["Records"]?.array { return try notifications(records) }
    switch (json["source"]?.string, json["detail-type"]?.string) {
    case ("aws.cloudwatch", nil) where json["alarmArn"] != nil:
      return .alarms([try AlarmDecoder.direct(json)], problems: [])
    case (_, "CloudWatch Alarm State Change"?):
      return .alarms([try AlarmDecoder.eventBridge(json)], problems: [])
    case (_, "EC2 Instance State-change Notification"?):
      return .instance(try instance(json))
    case (_, "Scheduled Event"?): return try sweep(json)
    default: throw EventError(.unknownKind, Self.unknown(json))
    }
  }

  /// The one kind that is large is found by its bytes: `{"awslogs": {"data": "…"}}`.
  private func logs(_ body: [UInt8]) throws(EventError) -> LogBatch? {
    let result: Result<LogBatch?, EventError> = body.withUnsafeBufferPointer { bytes in
      var scanner = ByteScanner(bytes)
      guard scanner.take(UInt8(ascii: "{")), let key = scanner.text(), !key.hasEscapes,
        bytes[key.range].elementsEqual("awslogs".utf8), scanner.take(UInt8(ascii: ":"))
      else { return .success(nil) }
      guard scanner.take(UInt8(ascii: "{")), let name = scanner.text(),
        bytes[name.range].elementsEqual("data".utf8), scanner.take(UInt8(ascii: ":")),
        let data = scanner.text(), !data.hasEscapes
      else {
        return .failure(EventError(.malformed, "awslogs has no text in its member data"))
      }
      // awslogs, then the event itself; members that are new to us may follow.
      guard scanner.endsObject(), scanner.endsObject(), scanner.isAtEnd else {
        return .failure(EventError(.malformed, "the event does not end after awslogs.data"))
      }
      do throws(EventError) {
        return .success(
          try LogBatch.read(bytes, data: data.range, wanted: wanted, ownGroup: ownGroup))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private func notifications(_ records: [JSON]) throws(EventError) -> IncomingEvent {
    guard !records.isEmpty, records.count <= Self.recordsMax else {
      throw EventError(.malformed, "\(records.count) records; 1 to \(Self.recordsMax) are taken")
    }
    var alarms: [AlarmEvent] = []
    var problems: [EventError] = []
    for record in records {
      let source = (record["EventSource"] ?? record["eventSource"])?.string ?? "no source"
      guard source == "aws:sns", let text = record["Sns"]?["Message"]?.string else {
        problems.append(
          EventError(.unknownKind, "a record of \(Self.shown(source)) is none of SNS"))
        continue
      }
      do throws(EventError) {
        alarms.append(try AlarmDecoder.notification(try Self.message(text)))
      } catch {
        problems.append(error)
      }
    }
    // One bad record must not cost the others their recovery.
    if alarms.isEmpty, let problem = problems.first { throw problem }
    return .alarms(alarms, problems: problems.map(\.reason))
  }

  private static func message(_ text: String) throws(EventError) -> JSON {
    do {
      return try JSON.parse(text)
    } catch {
      throw EventError(.malformed, "the SNS message is not an alarm's JSON")
    }
  }

  private func instance(_ json: JSON) throws(EventError) -> InstanceEvent {
    guard let id = json["detail"]?["instance-id"]?.string,
      let state = json["detail"]?["state"]?.string,
      let time = json["time"]?.string.flatMap(AWSTime.parse)
    else { throw EventError(.malformed, "detail.instance-id, detail.state or time is missing") }
    return InstanceEvent(
      instance: id, state: state, time: time, account: json["account"]?.string ?? "",
      region: json["region"]?.string ?? "")
  }

  private func sweep(_ json: JSON) throws(EventError) -> IncomingEvent {
    guard let time = json["time"]?.string.flatMap(AWSTime.parse) else {
      throw EventError(.malformed, "time is missing")
    }
    return .sweep(rule: json["resources"]?[0]?.string ?? "", at: time)
  }

  private static func unknown(_ json: JSON) -> String {
    guard let object = json.object else { return "the event is not a JSON object" }
    let source = json["source"]?.string.map { " of \(shown($0))" } ?? ""
    let type = json["detail-type"]?.string.map { " (\(shown($0)))" } ?? ""
    let keys = object.keys.prefix(8).map(shown).joined(separator: ", ")
    return "unknown kind of event\(source)\(type) with the members \(keys); known are"
      + " CloudWatch Logs subscriptions, alarm actions, alarms by SNS and EventBridge, EC2 state"
      + " changes and schedules"
  }

  /// A few characters of something from outside, safe for a log line.
  private static func shown(_ text: String) -> String {
    "\"\(TextEscape.line(String(text.prefix(60))))\""
  }
}
