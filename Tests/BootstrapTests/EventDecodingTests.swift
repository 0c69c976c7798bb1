import LifeguardCore
import TestSupport
import Testing

@testable import bootstrap

@Suite struct EventDecodingTests {
  private func decode(
    _ body: [UInt8], wanted: Set<String> = ["CPUUtilization"], ownGroup: String? = nil
  ) throws -> IncomingEvent {
    try EventDecoder(wanted: WantedMetrics(wanted, takesAll: false), ownGroup: ownGroup)
      .decode(body)
  }

  private func alarm(_ name: String) throws -> AlarmEvent {
    guard case .alarms(let alarms, _) = try decode(try Samples.fixture(name)) else {
      throw EventError(.unknownKind, "not an alarm")
    }
    return try #require(alarms.first)
  }

  @Test func `a log subscription's event becomes samples of its metrics`() throws {
    let event = try decode(
      try Samples.fixture("logs-subscription.event"),
      wanted: ["CPUUtilization", "MemoryUtilization"])
    guard case .logs(let batch) = event else {
      Issue.record("not logs")
      return
    }
    #expect(batch.group == "ServerMetricsLogGroup")
    #expect(batch.events == 3)
    #expect(batch.plainLines == 1)
    #expect(batch.badLines == 0)
    let values = batch.samples.entries.map { entry in
      "\(batch.samples.series[entry.series].metric) \(entry.value) \(entry.time)"
    }
    #expect(
      values == [
        "CPUUtilization 91.2 1713567600000", "CPUUtilization 93.5 1713567601000",
        "MemoryUtilization 71.0 1713567601000",
      ])
    #expect(batch.samples.series.allSatisfy { $0["instance"] == "i-0123456789abcdef0" })
  }

  @Test func `a control message asks for nothing`() throws {
    guard case .logs(let batch) = try decode(try Samples.fixture("logs-subscription-control.event"))
    else {
      Issue.record("not logs")
      return
    }
    #expect(batch.isControl)
    #expect(batch.samples.entries.isEmpty)
  }

  @Test func `extracted fields beside a message change nothing`() throws {
    let text = try Samples.fixture("logs-subscription-extracted-fields.decoded")
    guard case .logs(let batch) = try decode(Samples.packed(text)) else {
      Issue.record("not logs")
      return
    }
    #expect(batch.samples.entries.map(\.value) == [91.2])
  }

  @Test func `an alarm is the same incident by every route`() throws {
    let direct = try alarm("alarm-lambda-action-metric")
    let bridged = try alarm("eventbridge-alarm-metric")
    let told = try alarm("sns-alarm-metric")
    let old = try alarm("sns-alarm-older-shape")
    #expect(
      direct.key
        == "alarm|arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu-high|ALARM|1713567940989")
    #expect([bridged.key, told.key, old.key].allSatisfy { $0 == direct.key })
    #expect([direct, bridged, told, old].allSatisfy { $0.labels == direct.labels })
    #expect(direct.labels["instance"] == "i-0123456789abcdef0")
    #expect(told.region == "us-east-1")
    #expect(direct.value == 95.1)
  }

  @Test func `an alarm over metric math keeps the dimensions that its metrics share`() throws {
    for name in [
      "alarm-lambda-action-metric-math", "eventbridge-alarm-metric-math", "sns-alarm-metric-math",
    ] {
      let alarm = try alarm(name)
      #expect(alarm.dimensions["path"] == "/")
      #expect(alarm.labels["instance"] == "i-0123456789abcdef0")
      #expect(alarm.metrics.count == 2)
    }
  }

  @Test func `an alarm that was set by hand needs no data behind it`() throws {
    let alarm = try alarm("alarm-lambda-action-set-alarm-state")
    #expect(alarm.state == .alarm)
    #expect(alarm.reason == "test")
    #expect(alarm.value == nil)
  }

  @Test func `a composite alarm whose actions are suppressed begins nothing and stays bad`() throws
  {
    let alarm = try alarm("eventbridge-alarm-composite")
    #expect(alarm.suppressedBy == "WaitPeriod")
    var batch = SampleBatch()
    alarm.samples(into: &batch)
    #expect(batch.entries.isEmpty)
    alarm.samples(into: &batch, isKnown: true)
    #expect(batch.entries.map(\.value) == [1])
    #expect(try self.alarm("alarm-lambda-action-composite").suppressedBy == nil)
  }

  @Test func `an instance's change of state and a schedule's tick are understood`() throws {
    guard
      case .instance(let change) = try decode(try Samples.fixture("eventbridge-ec2-state-change"))
    else {
      Issue.record("not an instance")
      return
    }
    #expect(change.key == "ec2|i-0123456789abcdef0|stopped|1713567962000")
    guard case .sweep(let rule, _) = try decode(try Samples.fixture("eventbridge-scheduled")) else {
      Issue.record("not a schedule")
      return
    }
    #expect(rule.hasSuffix("rule/tick"))
  }

  @Test func `several records of one delivery are all taken, and a bad one costs none`() throws {
    let one = try JSON.parse(try Samples.fixture("sns-alarm-metric"))["Records"]?[0]
    let bad: JSON = ["EventSource": "aws:sns", "Sns": ["Message": "hello"]]
    let event: JSON = ["Records": .array([bad, try #require(one), try #require(one)])]
    guard case .alarms(let alarms, _) = try decode(event.bytes()) else {
      Issue.record("not alarms")
      return
    }
    #expect(alarms.count == 2)
  }

  @Test func `network bytes summed over a period become bytes a second`() throws {
    var metric = AlarmEvent.Metric(name: "NetworkIn", period: 60, statistic: "Sum")
    #expect(metric.perSecond(6000) == 100)
    metric.statistic = "Average"
    #expect(metric.perSecond(6000) == 6000)
    metric.name = "CPUUtilization"
    metric.statistic = "Sum"
    #expect(metric.perSecond(6000) == 6000)
  }

  @Test(arguments: [
    ("2024-04-19T23:05:40.989+0000", 1_713_567_940_989),
    ("2024-04-20T01:05:40.989+0200", 1_713_567_940_989),
    ("2024-04-19T22:05:40.989-01:00", 1_713_567_940_989),
    ("2024-04-19T23:05:40Z", 1_713_567_940_000),
  ])
  func `times are read as AWS writes them`(text: String, milliseconds: Int64) {
    #expect(AWSTime.parse(text)?.milliseconds == milliseconds)
  }

  @Test func `the function refuses events of its own log group`() {
    let body = Samples.logs(
      [Samples.Line(time: 1, message: "x")], group: "/aws/lambda/recovery")
    #expect(throws: EventError.self) { try decode(body, ownGroup: "/aws/lambda/recovery") }
  }
}
