import LifeguardCore
import Synchronization
import Testing

@testable import bootstrap

/// What the sweep makes of alarms: it looks at those that are ours, and only what CloudWatch says
/// is well counts as well.
@Suite struct SweepTests {
  private static let function = "arn:aws:lambda:us-east-1:123456789012:function:recovery"

  /// A function that answers alarms with `restart-web`, half a minute after an alarm changed.
  private func sandbox(_ environment: [String: String] = [:]) throws -> Sandbox {
    let sandbox = try Sandbox(
      EventWorkTests.yaml + """

        recoveries:
          - {matchers: ['alertname="CloudWatchAlarm"'], plan: restart-web}
        """, environment: environment, table: SharedTable())
    sandbox.time.withLock { $0 = Timestamp(milliseconds: 1_713_567_950_000) }
    return sandbox
  }

  private func alarm(
    _ state: String, name: String = "cpu-high", actions: [String] = [Self.function],
    instance: String = "i-0aaa", extra: String = ""
  ) -> String {
    let list = JSON.array(actions.map(JSON.string)).text()
    return #"{"AlarmName":"\#(name)","StateValue":"\#(state)","AlarmArn":"#
      + #""arn:aws:cloudwatch:us-east-1:123456789012:alarm:\#(name)","AlarmActions":\#(list),"#
      + #""Namespace":"CWAgent","MetricName":"cpu_usage_active","Dimensions":[{"Name":"InstanceId","#
      + #""Value":"\#(instance)"}],"Period":60,"EvaluationPeriods":1,"Threshold":80\#(extra)}"#
  }

  private func stand(_ sandbox: Sandbox, _ alarms: String...) {
    sandbox.cloud.answer(
      "DescribeAlarms", 200,
      #"{"MetricAlarms":[\#(alarms.joined(separator: ","))],"CompositeAlarms":[]}"#)
  }

  private func event(region: String = "us-east-1") throws -> [UInt8] {
    let text = String(decoding: try Samples.fixture("alarm-lambda-action-metric"), as: UTF8.self)
    let own = text.split(separator: "i-0123456789abcdef0").joined(separator: "i-0aaa")
    return Array(own.split(separator: "us-east-1").joined(separator: region).utf8)
  }

  private func sweep(_ sandbox: Sandbox, times: Int) async {
    for _ in 0..<times {
      sandbox.advance(.seconds(60))
      await sandbox.handle(
        Array(
          """
          {"detail-type": "Scheduled Event", "source": "aws.events", "time": "\(sandbox.now.text)",
           "resources": ["arn:aws:events:us-east-1:123456789012:rule/tick"]}
          """.utf8))
    }
  }

  private func isTold(_ sandbox: Sandbox, _ word: String) -> Bool {
    sandbox.cloud.calls("Publish").contains { call in
      // An attempt that did not help is told as "NOT RECOVERED".
      call.body.replacing(/NOT(\+|%20| )RECOVERED/, with: "").contains(word)
    }
  }

  private func isLogged(_ sandbox: Sandbox, _ word: String) -> Bool {
    sandbox.lines.withLock { $0.contains { $0.contains(word) } }
  }

  @Test(arguments: ["INSUFFICIENT_DATA", "deleted", "changed"])
  func `an alarm without data is not well, and nothing is done about it`(how: String) async throws {
    let sandbox = try sandbox()
    await sandbox.handle(try event())
    #expect(sandbox.cloud.calls("SendCommand").count == 1)
    switch how {
    case "deleted": stand(sandbox)
    case "changed": stand(sandbox, alarm("ALARM", instance: "i-0bbb"))
    default: stand(sandbox, alarm(how))
    }
    await sweep(sandbox, times: 9)
    #expect(!isTold(sandbox, "RECOVERED"))
    #expect(!isTold(sandbox, "RESOLVED"))
    let acted = sandbox.cloud.calls("SendCommand") + sandbox.cloud.calls("RebootInstances")
    #expect(acted.filter { $0.body.contains("i-0aaa") }.count == 1)
    // Data that comes again decides.
    stand(sandbox, alarm("OK"))
    await sweep(sandbox, times: 4)
    #expect(isTold(sandbox, "RECOVERED"))
  }

  @Test func `an alarm of another region is left as it is`() async throws {
    let sandbox = try sandbox()
    await sandbox.handle(try event(region: "eu-west-1"))
    stand(sandbox, alarm("OK"))
    let before = sandbox.cloud.calls("DescribeAlarms").count
    await sweep(sandbox, times: 4)
    #expect(!isTold(sandbox, "RECOVERED"))
    let asked = sandbox.cloud.calls("DescribeAlarms").dropFirst(before).map(\.body)
    #expect(!asked.contains { $0.contains("AlarmNames") })
  }

  @Test func `only alarms that are ours become incidents`() async throws {
    let sandbox = try sandbox(["LIFEGUARD_ALARMS": "prod-, arn:aws:sns:us-east-1:123456789012:ops"])
    let policy = "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:x"
    stand(
      sandbox, alarm("ALARM", name: "TargetTracking-web-AlarmLow-1", actions: [policy]),
      alarm("ALARM", name: "lifeguard-fleet-cpu", actions: ["arn:aws:sns:us-east-1:1:alerts"]),
      alarm("ALARM", name: "lifeguard-recover-i-0aaa", actions: [Self.function]),
      alarm("ALARM", name: "off", extra: #","ActionsEnabled":false"#))
    await sweep(sandbox, times: 2)
    #expect(sandbox.cloud.calls("Publish").isEmpty)
    #expect(sandbox.cloud.calls("SendCommand").isEmpty)
    for (index, (name, actions)) in [
      ("own-alarm", [Self.function]), ("alias-alarm", [Self.function + ":live"]),
      ("prod-disk", [policy]), ("ops-alarm", ["arn:aws:sns:us-east-1:123456789012:ops"]),
    ].enumerated() {
      stand(
        sandbox, alarm("ALARM", name: name, actions: actions, instance: "i-0\(index)"))
      await sweep(sandbox, times: 1)
      #expect(isTold(sandbox, name), "\(name)")
    }
  }

  @Test func `an alarm that is held back stays bad, and nothing is done about it`() async throws {
    let sandbox = try sandbox()
    sandbox.cloud.answer("SendCommand", 400, #"{"__type": "InvalidInstanceId"}"#)
    await sandbox.handle(try event())
    #expect(sandbox.cloud.calls("SendCommand").count == 1)
    stand(sandbox, alarm("ALARM", extra: #","ActionsEnabled":false"#))
    await sweep(sandbox, times: 15)
    #expect(!isTold(sandbox, "RECOVERED"))
    #expect(sandbox.cloud.calls("SendCommand").count == 1)
    #expect(sandbox.cloud.calls("RebootInstances").isEmpty)
    #expect(isLogged(sandbox, "alarm_suppressed"))
    // Let loose again, it is answered.
    stand(sandbox, alarm("ALARM"))
    await sweep(sandbox, times: 3)
    let acted = sandbox.cloud.calls("SendCommand") + sandbox.cloud.calls("RebootInstances")
    #expect(acted.count > 1)
  }

  @Test func `an alarm that is held back from its start begins nothing`() async throws {
    let sandbox = try sandbox()
    stand(sandbox)
    let text = String(
      decoding: try Samples.fixture("eventbridge-alarm-composite"), as: UTF8.self)
    let plain = try EventDecoder(wanted: sandbox.function.rules.wanted, ownGroup: nil)
      .decode(Array(text.utf8))
    guard case .alarms(let alarms, _) = plain, var alarm = alarms.first else {
      Issue.record("no alarm")
      return
    }
    alarm.state = .alarm
    alarm.suppressedBy = "maintenance"
    var batch = SampleBatch()
    alarm.samples(into: &batch)
    #expect(batch.entries.isEmpty)
    alarm.samples(into: &batch, isKnown: true)
    #expect(batch.entries.map(\.value) == [1])
  }
}
