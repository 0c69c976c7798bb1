import LifeguardCore
import Testing

@testable import LifeguardAWS

@Suite struct `metrics on their way to CloudWatch` {
  private let start = Timestamp(milliseconds: 1_795_420_800_000)
  private let instance = [MetricDimension("InstanceId", "i-1")]

  @Test func `values of a minute become one statistic set`() throws {
    var aggregator = MetricAggregator()
    for second in 0..<90 {
      aggregator.add(
        "CPUUtilization", Double(second), unit: "Percent", dimensions: instance,
        at: start + .seconds(second))
    }
    #expect(aggregator.take(endedBefore: start + .seconds(59)) == [])
    let data = aggregator.take(endedBefore: start + .seconds(90))
    let datum = try #require(data.first)
    #expect(data.count == 1)
    #expect(datum.timestamp == start)
    #expect(datum.unit == "Percent")
    #expect(
      datum.value == .statistics(StatisticSet(count: 60, sum: 1770, minimum: 0, maximum: 59)))
    #expect(!datum.isHighResolution)
    #expect(datum.problem(at: start) == nil)
    let rest = aggregator.take(endedBefore: start + .seconds(120))
    #expect(
      rest.first?.value == .statistics(StatisticSet(count: 30, sum: 2235, minimum: 60, maximum: 89))
    )
  }

  @Test func `high resolution keeps every second`() {
    var aggregator = MetricAggregator(period: .seconds(1))
    for second in 0..<3 { aggregator.add("m", 1, at: start + .seconds(second)) }
    let data = aggregator.take(endedBefore: start + .seconds(3))
    #expect(data.count == 3)
    #expect(data.allSatisfy { $0.isHighResolution && $0.value == .single(1) })
  }

  @Test func `the number of metrics and of minutes is limited`() {
    var aggregator = MetricAggregator(metricsMax: 10)
    for number in 0..<12 { aggregator.add("m\(number)", 1, at: start) }
    aggregator.add("m0", .nan, at: start)
    #expect(aggregator.dropped == 3)
    for minute in 1..<200 { aggregator.add("m", 1, at: start + .seconds(60 * minute)) }
    #expect(aggregator.take(endedBefore: start + .seconds(86_400)).count <= 120)
    #expect(aggregator.dropped > 3)
  }

  @Test func `requests keep to the limits of the service`() async {
    let transport = ScriptedTransport([AWSResponse.text(200, "")])
    let client = AWSClient.scripted(transport)
    let now = VirtualClock().now
    let long = String(repeating: "x", count: 1000)
    let data = (0..<2500).map {
      MetricDatum(
        "m\($0)", .single(1), at: now,
        dimensions: (0..<2).map { MetricDimension("d\($0)", long) })
    }
    let upload = await client.cloudWatch.putMetricData(namespace: "N", data)
    #expect(upload.accepted == 2500)
    #expect(transport.requests.count == upload.requests)
    #expect(upload.requests >= 6)
    #expect(transport.requests.allSatisfy { $0.body.count <= 1_000_000 })
    let counts = transport.requests.map {
      (try? JSON.parse($0.body))?["MetricData"]?.array?.count ?? 0
    }
    #expect(counts.reduce(0, +) == 2500)
    #expect(counts.allSatisfy { $0 <= 1000 })
  }

  @Test func `what the service would refuse is named and left out`() async {
    let transport = ScriptedTransport([AWSResponse.text(200, "")])
    let now = VirtualClock().now
    var bad = (0..<8).map { MetricDatum("m\($0)", .single(1), at: now) }
    bad[0].value = .single(.nan)
    bad[1].value = .single(0x1p361)
    bad[2].timestamp = now - .seconds(15 * 86_400)
    bad[3].timestamp = now + .seconds(3 * 3600)
    bad[4].dimensions = (0..<31).map { MetricDimension("d\($0)", "v") }
    bad[5].dimensions = [MetricDimension("d", "")]
    bad[6].value = .statistics(StatisticSet())
    bad[7].value = .distribution(values: [1], counts: [])
    let good = MetricDatum("good", .single(2), at: now)
    let upload = await AWSClient.scripted(transport).cloudWatch.putMetricData(
      namespace: "N", bad + [good])
    #expect(upload.accepted == 1)
    #expect(upload.refused.map(\.index) == Array(0..<8))
    #expect(upload.refused.allSatisfy { !$0.reason.isEmpty })
    #expect(transport.requests.count == 1)
  }

  /// One upload, as the publisher makes it.
  private func upload(_ spool: inout MetricSpool, _ transport: ScriptedTransport) async
    -> AWSError?
  {
    let batch = spool.take()
    let upload = await AWSClient.scripted(transport).cloudWatch.putMetricData(
      namespace: "N", batch)
    spool.settle(batch, upload)
    return upload.failure
  }

  @Test func `data wait while the network is away and the oldest go first`() async {
    let now = VirtualClock().now
    var spool = MetricSpool(countMax: 5)
    spool.add((0..<8).map { MetricDatum("m\($0)", .single(1), at: now) })
    #expect(spool.dropped == 3)
    #expect(spool.data.map(\.name) == ["m3", "m4", "m5", "m6", "m7"])
    let down = ScriptedTransport([.failure(AWSTransportError(.unreachable, "refused"))])
    #expect(await upload(&spool, down)?.kind == .unreachable)
    #expect(spool.data.map(\.name) == ["m3", "m4", "m5", "m6", "m7"])
    let lost = ScriptedTransport([.failure(AWSTransportError(.timedOut, "no answer"))])
    _ = await upload(&spool, lost)
    #expect(lost.requests.count == 1)
    #expect(spool.data.isEmpty)
    #expect(spool.dropped == 8)
    spool.add([MetricDatum("m", .single(1), at: now)])
    let up = ScriptedTransport([AWSResponse.text(200, "")])
    #expect(await upload(&spool, up) == nil)
    #expect(spool.data.isEmpty && spool.inFlight == 0)
  }

  @Test func `what comes while a batch is away is kept behind it and within the limit`() async {
    let now = VirtualClock().now
    var spool = MetricSpool(countMax: 5)
    spool.add((0..<4).map { MetricDatum("m\($0)", .single(1), at: now) })
    let batch = spool.take(3)
    #expect(batch.map(\.name) == ["m0", "m1", "m2"] && spool.inFlight == 3)
    spool.add((4..<7).map { MetricDatum("m\($0)", .single(1), at: now) })
    let down = ScriptedTransport([.failure(AWSTransportError(.unreachable, "refused"))])
    let failed = await AWSClient.scripted(down).cloudWatch.putMetricData(namespace: "N", batch)
    spool.settle(batch, failed)
    #expect(spool.data.map(\.name) == ["m2", "m3", "m4", "m5", "m6"])
    #expect(spool.dropped == 2 && spool.inFlight == 0)
  }

  @Test(arguments: [
    (403, "AccessDenied", true), (403, "InvalidClientTokenId", true),
    (404, "ResourceNotFound", true), (400, "InvalidParameterValue", false),
  ])
  func `data outlive what a person can mend, and nothing that is wrong in itself`(
    status: Int, code: String, isKept: Bool
  ) async {
    var spool = MetricSpool()
    spool.add([MetricDatum("m", .single(1), at: VirtualClock().now)])
    let refusing = ScriptedTransport([AWSResponse.text(status, "{\"__type\":\"\(code)\"}")])
    #expect(await upload(&spool, refusing) != nil)
    #expect(spool.data.count == (isKept ? 1 : 0))
    #expect(spool.dropped == (isKept ? 0 : 1))
  }

  @Test func `a line in the embedded format declares what it holds`() throws {
    let writer = EmbeddedMetrics(
      namespace: "ServerMonitor", dimensionSets: [instance], properties: [("host", "web-1")])
    let metrics = (0..<150).map { EmbeddedMetrics.Metric("m\($0)", Double($0), unit: "Count") }
    let lines = writer.lines(metrics + [.init("m0", 1), .init("nan", .nan)], at: start)
    #expect(lines.count == 2)
    var names = 0
    for event in lines {
      #expect(!event.message.contains("\n"))
      let line = try JSON.parse(event.message)
      let declaration = try #require(line["_aws"]?["CloudWatchMetrics"]?[0])
      #expect(line["_aws"]?["Timestamp"]?.integer == start.milliseconds)
      #expect(declaration["Dimensions"] == [["InstanceId"]])
      #expect(line["InstanceId"] == "i-1")
      #expect(line["host"] == "web-1")
      for metric in declaration["Metrics"]?.array ?? [] {
        names += 1
        #expect(line[try #require(metric["Name"]?.string)]?.double != nil)
      }
    }
    #expect(names == 151)
  }

  @Test(arguments: [
    ("[Warning] High Server Metric Alert", "[Warning] High Server Metric Alert"),
    ("two\r\nlines\tand more", "two lines and more"), ("é 😀 ok", "? ? ok"), (" \n ", nil),
    (String(repeating: "x", count: 200), String(repeating: "x", count: 100)),
    (String(repeating: "x", count: 99) + "  y", String(repeating: "x", count: 99)),
  ])
  func `a subject keeps to the rules of SNS`(text: String, subject: String?) {
    #expect(SNS.subject(text) == subject)
  }

  @Test func `log lines are batched by number, size and age`() {
    func batch(_ events: [LogEvent]) -> Int { CloudWatchLogs.batch(events[...]).count }
    #expect(batch((0..<10_001).map { _ in LogEvent("a", at: start) }) == 10_000)
    let large = String(repeating: "x", count: 400_000)
    #expect(batch((0..<3).map { _ in LogEvent(large, at: start) }) == 2)
    #expect(
      batch([LogEvent("a", at: start), LogEvent("b", at: start + .seconds(86_401))]) == 1)
    #expect(batch([]) == 0)
  }

  @Test func `a line that is too long is cut between characters`() async throws {
    let transport = ScriptedTransport([AWSResponse.text(200, "{}")])
    let upload = await AWSClient.scripted(transport).logs.putLogEvents(
      group: "g", stream: "s",
      [LogEvent(String(repeating: "é", count: 600_000), at: VirtualClock().now)])
    #expect(upload.accepted == 1)
    let sent = try JSON.parse(try #require(transport.requests.first).body)
    let message = try #require(sent["logEvents"]?[0]?["message"]?.string)
    #expect(message.utf8.count <= 1_048_550)
    #expect(message.utf8.count > 1_048_540)
    #expect(message.allSatisfy { $0 == "é" })
  }

  @Test func `commands beyond the limits are refused before they are sent`() async {
    let transport = ScriptedTransport([AWSResponse.text(200, "{}")])
    let client = AWSClient.scripted(transport)
    var commands = [
      SSMCommand(document: "d", instances: (0..<51).map { "i-\($0)" }),
      SSMCommand(document: "d", instances: []), SSMCommand(document: "d", instances: ["i-1"]),
    ]
    commands[2].deliveryTimeout = .seconds(29)
    for command in commands {
      let error = await #expect(throws: AWSError.self) { try await client.ssm.sendCommand(command) }
      #expect(error?.kind == .invalid)
    }
    #expect(transport.requests.isEmpty)
  }

  @Test func `waiting for a command asks with pauses and tells the last state`() async throws {
    let clock = VirtualClock()
    let states = ["", "Pending", "InProgress", "Failed"]
    let transport = ScriptedTransport { _, number in
      number == 0
        ? AWSResponse.text(400, #"{"__type":"InvocationDoesNotExist"}"#)
        : AWSResponse.text(
          200, "{\"Status\":\"\(states[min(number, 3)])\",\"ResponseCode\":\(number < 3 ? -1 : 2)}")
    }
    let client = AWSClient.scripted(transport, clock)
    let state = try await client.ssm.waitForCommand("c", instance: "i-1", within: .seconds(60))
    #expect(state.status == .failed)
    #expect(state.exitCode == 2)
    #expect(clock.sleeps == [.seconds(2), .seconds(3), .milliseconds(4500)])
    let stuck = ScriptedTransport([AWSResponse.text(200, #"{"Status":"InProgress"}"#)])
    let last = try await AWSClient.scripted(stuck).ssm.waitForCommand(
      "c", instance: "i-1", within: .seconds(30))
    #expect(last.status == .inProgress)
    #expect(!last.status.isFinal)
    #expect(stuck.requests.count < 10)
  }
}
