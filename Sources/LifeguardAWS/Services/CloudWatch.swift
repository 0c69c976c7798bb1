import LifeguardCore

/// CloudWatch metrics and alarms.
public struct CloudWatch: Sendable {
  /// Of one request
  /// (docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html).
  public static let dataMax = 1000
  /// Of one request's body, 1 MB, less some room for its frame.
  static let bytesMax = 1_000_000 - 1024
  /// Of one request for data.
  static let queriesMax = 500

  let client: AWSClient

  /// Uploads metrics in as few requests as the limits allow.
  ///
  /// What the service would refuse is left out and named; a request that was sent is not sent again
  /// when its answer was lost, because values would count twice.
  public func putMetricData(namespace: String, _ data: [MetricDatum]) async -> MetricUpload {
    var upload = MetricUpload()
    let now = client.clock.now()
    var encoded: [(datum: MetricDatum, bytes: [UInt8])] = []
    for (index, datum) in data.enumerated() {
      if let problem = datum.problem(at: now) {
        upload.refused.append((index, problem))
      } else {
        encoded.append((datum, datum.json.bytes()))
      }
    }
    let head = Array("{\"Namespace\":\(JSON.string(namespace).text()),\"MetricData\":[".utf8)
    var start = 0
    while start < encoded.count {
      var body = head
      var end = start
      while end < encoded.count, end - start < Self.dataMax,
        end == start || body.count + encoded[end].bytes.count < Self.bytesMax
      {
        if end > start { body.append(UInt8(ascii: ",")) }
        body += encoded[end].bytes
        end += 1
      }
      body += Array("]}".utf8)
      do {
        _ = try await client.json(.cloudWatch, "PutMetricData", body: body, repeatable: false)
      } catch {
        upload.failure = error
        upload.remaining = encoded[start...].map(\.datum)
        upload.uncertain = error.mayHaveBeenDone ? end - start : 0
        return upload
      }
      upload.accepted += end - start
      upload.requests += 1
      start = end
    }
    return upload
  }

  /// Values of metrics and of expressions over them, oldest first.
  ///
  /// - Parameter pagesMax: more pages are left out, which `isComplete` tells.
  public func getMetricData(
    _ queries: [MetricQuery], from: Timestamp, to: Timestamp, pagesMax: Int = 20
  ) async throws(AWSError) -> MetricData {
    guard (1...Self.queriesMax).contains(queries.count) else {
      throw AWSError(
        .invalid, service: "cloudwatch", action: "GetMetricData",
        message: "\(queries.count) queries; from 1 to \(Self.queriesMax) a call")
    }
    var input = JSONObject()
    input["MetricDataQueries"] = .array(queries.map(\.json))
    input["StartTime"] = JSON(from)
    input["EndTime"] = JSON(to)
    input["ScanBy"] = "TimestampAscending"
    var data = MetricData()
    for _ in 0..<max(pagesMax, 1) {
      let page = try await client.json(
        .cloudWatch, "GetMetricData", .object(input), repeatable: true)
      data.add(page)
      guard let next = page["NextToken"]?.string, !next.isEmpty else {
        data.isComplete = true
        break
      }
      input["NextToken"] = .string(next)
    }
    data.sort()
    return data
  }

  /// Alarms by name, prefix or state; without them all of the region.
  ///
  /// - Parameter pagesMax: of 100 alarms; more are left out, which `isComplete` tells.
  public func describeAlarms(
    names: [String] = [], prefix: String? = nil, state: AlarmState? = nil, pagesMax: Int = 50
  ) async throws(AWSError) -> AlarmList {
    var input = JSONObject()
    if !names.isEmpty { input["AlarmNames"] = JSON(strings: names) }
    input["AlarmNamePrefix"] = prefix.map(JSON.string)
    input["StateValue"] = state.map { .string($0.rawValue) }
    input["AlarmTypes"] = ["MetricAlarm", "CompositeAlarm"]
    input["MaxRecords"] = 100
    var list = AlarmList()
    for _ in 0..<max(pagesMax, 1) {
      let page = try await client.json(
        .cloudWatch, "DescribeAlarms", .object(input), repeatable: true)
      list.metricAlarms += (page["MetricAlarms"]?.array ?? []).map(MetricAlarm.init)
      list.compositeAlarms += (page["CompositeAlarms"]?.array ?? []).map(CompositeAlarm.init)
      guard let next = page["NextToken"]?.string, !next.isEmpty else {
        list.isComplete = true
        break
      }
      input["NextToken"] = .string(next)
    }
    return list
  }

  /// Makes an alarm, or changes the one of that name.
  public func putMetricAlarm(_ alarm: AlarmDefinition) async throws(AWSError) {
    _ = try await client.json(.cloudWatch, "PutMetricAlarm", alarm.json, repeatable: true)
  }

  /// Removes alarms; one that is not there is no fault.
  ///
  /// - Parameter names: at most 100.
  public func deleteAlarms(_ names: [String]) async throws(AWSError) {
    do {
      _ = try await client.json(
        .cloudWatch, "DeleteAlarms", ["AlarmNames": JSON(strings: names)], repeatable: true)
    } catch {
      guard error.kind == .notFound else { throw error }
    }
  }

  /// Sets an alarm's state until it is evaluated next; its actions run.
  ///
  /// - Parameter reason: at most 1,023 characters are sent.
  public func setAlarmState(
    _ name: String, _ state: AlarmState, reason: String, reasonData: JSON? = nil
  ) async throws(AWSError) {
    var input = JSONObject()
    input["AlarmName"] = .string(name)
    input["StateValue"] = .string(state.rawValue)
    input["StateReason"] = .string(String(reason.prefix(1023)))
    input["StateReasonData"] = reasonData.map { .string($0.text()) }
    _ = try await client.json(.cloudWatch, "SetAlarmState", .object(input), repeatable: true)
  }
}
