import LifeguardCore
import Synchronization
import TestSupport
import Testing

@testable import bootstrap

@Suite struct EventWorkTests {
  static let yaml = """
    mode: auto
    rules:
      - alert: CPUHigh
        expr: CPUUtilization >= 80
        labels: {severity: critical}
        recover: restart-web
    plans:
      restart-web:
        target: 'instance:{{ $labels.instance }}'
        steps:
          - ssm: {document: Lifeguard-RestartService, parameters: {service: web}}
          - ec2: {action: reboot}
          - page: {}
        verify: {settle: 0s, hold: 1m, deadline: 5m}
    notify:
      receivers:
        aws:
          sns:
            topic_arn: 'arn:aws:sns:us-east-1:123456789012:alerts'
            subject: '[Warning] High Server Metric Alert'
            prefix: 'Server Metric Alert: '
    """

  @Test func `a value above the threshold is told and acted on once`() async throws {
    let sandbox = try Sandbox(Self.yaml, table: SharedTable())
    let event = sandbox.value(91.2)
    #expect(await sandbox.handle(event) == "done")
    #expect(sandbox.cloud.calls("SendCommand").count == 1)
    #expect(!sandbox.cloud.calls("Publish").isEmpty)
    let published = sandbox.cloud.calls("Publish").count
    #expect(await sandbox.handle(event, request: "r-2") == "duplicate")
    #expect(sandbox.cloud.calls("SendCommand").count == 1)
    #expect(sandbox.cloud.calls("Publish").count == published)
  }

  @Test func `a healthy value changes nothing and writes nothing`() async throws {
    let table = SharedTable()
    let sandbox = try Sandbox(Self.yaml, table: table)
    #expect(await sandbox.handle(sandbox.value(79.9)) == "ok")
    #expect(table.saves.withLock { $0 } == 0)
    #expect(sandbox.cloud.state.withLock { $0.calls.isEmpty })
  }

  @Test func `the next values show that it has recovered`() async throws {
    let sandbox = try Sandbox(Self.yaml, table: SharedTable())
    await sandbox.handle(sandbox.value(91.2))
    for _ in 0..<4 {
      sandbox.advance(.seconds(40))
      await sandbox.handle(sandbox.value(20))
    }
    let told = sandbox.cloud.calls("Publish").map(\.body)
    #expect(told.contains { $0.contains("recovered") })
    #expect(sandbox.cloud.calls("SendCommand").count == 1)
  }

  @Test func `what did not help is followed by the next rung`() async throws {
    let sandbox = try Sandbox(Self.yaml, table: SharedTable())
    await sandbox.handle(sandbox.value(91.2))
    // The fleet may do one disruptive thing in ten minutes.
    for _ in 0..<15 {
      sandbox.advance(.seconds(60))
      await sandbox.handle(sandbox.value(95))
    }
    #expect(sandbox.cloud.calls("SendCommand").count == 1)
    #expect(sandbox.cloud.calls("RebootInstances").count == 1)
  }

  @Test func `an event older than its limit never acts`() async throws {
    let sandbox = try Sandbox(Self.yaml, table: SharedTable())
    await sandbox.handle(sandbox.value(99, ago: .seconds(301)))
    await sandbox.handle(sandbox.value(99, ago: .seconds(3600)))
    #expect(sandbox.cloud.calls("SendCommand").isEmpty)
  }

  @Test func `without a table it tells and does nothing remote`() async throws {
    let sandbox = try Sandbox(Self.yaml)
    #expect(await sandbox.handle(sandbox.value(99)) == "done")
    #expect(!sandbox.cloud.calls("Publish").isEmpty)
    #expect(sandbox.cloud.calls("SendCommand").isEmpty)
    #expect(sandbox.lines.withLock { $0.contains { $0.contains("no_state_table") } })
  }

  @Test func `somebody faster makes it decide again, and too many end it without an action`()
    async throws
  {
    let table = SharedTable()
    let sandbox = try Sandbox(Self.yaml, table: table)
    table.conflicts.withLock { $0 = EventWork.conflictsMax }
    #expect(await sandbox.handle(sandbox.value(91)) == "done")
    #expect(sandbox.cloud.calls("SendCommand").count == 1)

    let other = SharedTable()
    let second = try Sandbox(Self.yaml, table: other)
    other.conflicts.withLock { $0 = EventWork.conflictsMax + 1 }
    let event = second.value(91)
    #expect(await second.handle(event) == "Handler.Incomplete")
    #expect(second.cloud.calls("SendCommand").isEmpty)
    #expect(second.cloud.calls("Publish").isEmpty)
    // The claim was given back, so that Lambda's retry does what could not be done.
    #expect(await second.handle(event) == "done")
    #expect(second.cloud.calls("SendCommand").count == 1)
  }

  @Test func `a claim without an outcome is verified, not repeated`() async throws {
    let table = SharedTable()
    let sandbox = try Sandbox(Self.yaml, table: table)
    let event = sandbox.value(91)
    let decoded = try EventDecoder(wanted: sandbox.function.rules.wanted, ownGroup: nil)
      .decode(event)
    _ = try await table.claim(
      EventClaim(
        key: EventWork.claimKey(decoded.key), holder: "dead", now: sandbox.now,
        leaseUntil: sandbox.now))
    await sandbox.handle(event)
    #expect(sandbox.cloud.calls("SendCommand").isEmpty)
    #expect(sandbox.lines.withLock { $0.contains { $0.contains("claim_without_outcome") } })
    // Newer data decides.
    sandbox.advance(.seconds(60))
    await sandbox.handle(sandbox.value(92))
    #expect(sandbox.cloud.calls("SendCommand").count == 1)
  }

  @Test func `a message that could not be sent is sent by a later invocation`() async throws {
    let sandbox = try Sandbox(Self.yaml, table: SharedTable())
    sandbox.cloud.answer(
      "Publish", 403,
      "<ErrorResponse><Error><Code>AuthorizationError</Code><Message>no</Message></Error>"
        + "</ErrorResponse>")
    #expect(await sandbox.handle(sandbox.value(91)) == "Handler.Incomplete")
    #expect(sandbox.cloud.calls("SendCommand").count == 1)
    sandbox.cloud.answer(
      "Publish", 200,
      "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult>"
        + "</PublishResponse>")
    let before = sandbox.cloud.calls("Publish").count
    sandbox.advance(.seconds(60))
    await sandbox.handle(sandbox.value(30))
    let later = sandbox.cloud.calls("Publish").dropFirst(before).map(\.body)
    #expect(later.contains { $0.contains("FIRING") })
  }

  @Test func `a server that an operator stopped is left alone`() async throws {
    let sandbox = try Sandbox(Self.yaml, table: SharedTable())
    let running = sandbox.cloud.state.withLock { $0.answers["DescribeInstances"]?.1 } ?? ""
    sandbox.cloud.answer(
      "DescribeInstances", 200,
      String(running.split(separator: "running").joined(separator: "stopped")))
    await sandbox.handle(sandbox.value(91))
    #expect(sandbox.cloud.calls("SendCommand").isEmpty)
    #expect(sandbox.lines.withLock { $0.contains { $0.contains("stopped_by_operator") } })
  }

  @Test func `many servers going bad at once are a storm, which is told and not treated`()
    async throws
  {
    let sandbox = try Sandbox(Self.yaml, table: SharedTable())
    for number in 1...6 {
      await sandbox.handle(sandbox.value(95, stream: "i-\(number)"))
      sandbox.advance(.seconds(2))
    }
    #expect(sandbox.lines.withLock { $0.contains { $0.contains("\"storm\"") } })
    #expect(sandbox.cloud.calls("SendCommand").count <= 2)
  }

  @Test func `an alarm in ALARM is answered, and its end closes the incident`() async throws {
    let sandbox = try Sandbox(
      Self.yaml + """

        recoveries:
          - {matchers: ['alertname="CloudWatchAlarm"'], plan: restart-web}
        """, table: SharedTable())
    sandbox.time.withLock { $0 = Timestamp(milliseconds: 1_713_567_950_000) }
    let text = String(decoding: try Samples.fixture("alarm-lambda-action-metric"), as: UTF8.self)
    let alarm = Array(
      text.split(separator: "i-0123456789abcdef0").joined(separator: "i-0aaa").utf8)
    #expect(await sandbox.handle(alarm) == "done")
    #expect(sandbox.cloud.calls("SendCommand").count == 1)
    #expect(sandbox.cloud.calls("Publish").first?.body.contains("Threshold+Crossed") == true)
    // The same change by another route is the same event.
    let told = String(decoding: try Samples.fixture("sns-alarm-metric"), as: UTF8.self)
    let again = Array(
      told.split(separator: "i-0123456789abcdef0").joined(separator: "i-0aaa").utf8)
    #expect(await sandbox.handle(again, request: "r-9") == "duplicate")
    // The sweep finds it over, which CloudWatch says.
    sandbox.cloud.answer(
      "DescribeAlarms", 200,
      #"{"MetricAlarms": [{"AlarmName": "cpu-high", "StateValue": "OK", "AlarmArn":"#
        + #""arn:aws:cloudwatch:us-east-1:123456789012:alarm:cpu-high", "MetricName": "cpu","#
        + #""Dimensions": [{"Name": "InstanceId", "Value": "i-0aaa"}]}]}"#)
    for _ in 0..<4 {
      sandbox.advance(.seconds(60))
      await sandbox.handle(
        Array(
          """
          {"detail-type": "Scheduled Event", "source": "aws.events", "time": "\(sandbox.now.text)",
           "resources": ["arn:aws:events:us-east-1:123456789012:rule/tick"]}
          """.utf8))
    }
    // Once for what is in ALARM, and by its name until it was seen to be well.
    #expect(sandbox.cloud.calls("DescribeAlarms").count == 5)
    #expect(sandbox.cloud.calls("Publish").contains { $0.body.contains("RECOVERED") })
  }

  @Test func `zero files run the local script once for each event`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let trail = folder / "trail"
    let script = folder / "restart_service.sh"
    try TextFile.write(
      bytes: Array("#!/bin/sh\necho \"$LIFEGUARD_LABEL_INSTANCE\" >> \(trail)\n".utf8),
      to: script, mode: 0o755)
    let sandbox = try Sandbox(
      environment: [
        "RECOVERY_SCRIPT_PATH": script, "ALARM_THRESHOLD_CPUUTILIZATION": "85.5",
        "SNS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alerts",
        "NOTIFICATION_SUBJECT": "Disk on fire",
      ])
    #expect(await sandbox.handle(sandbox.value(85.4)) == "ok")
    let event = sandbox.value(85.5)
    #expect(await sandbox.handle(event) == "done")
    #expect(await sandbox.handle(event, request: "r-2") == "duplicate")
    #expect(try TextFile.read(trail) == "i-0aaa\n")
    let told = try #require(sandbox.cloud.calls("Publish").first?.body)
    #expect(told.contains("Subject=Disk+on+fire"))
    #expect(told.contains("Server+Metric+Alert%3A+"))
  }

  @Test func `a script that hangs is ended before the invocation is`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let script = folder / "hang.sh"
    let trail = folder / "trail"
    // It says how long it lives: when somebody hears of its end is another matter.
    try TextFile.write(
      bytes: Array(
        "#!/bin/sh\ntrap '' TERM\nwhile :; do date +%s%3N >> \(trail); sleep 0.05; done\n".utf8),
      to: script, mode: 0o755)
    // The clock goes on while it runs, as in Lambda: what came late is taken off its time.
    let sandbox = try Sandbox(environment: ["RECOVERY_SCRIPT_PATH": script], runs: true)
    let event = sandbox.value(99)
    let end = Sandbox.wallClock() + 6000
    #expect(await sandbox.handle(event, seconds: 6) == "done")
    #expect(sandbox.lines.withLock { $0.contains { $0.contains("timed out") } })
    let beats = try TextFile.read(trail).split(separator: "\n").compactMap { Int64($0) }
    let last = try #require(beats.last)
    #expect(last < end, "\(last - end) ms too late")
    #expect(last > (beats.first ?? last) + 1000, "it had time to work")
  }

  @Test func `a rule that asks for three of five samples counts samples, not events`() async throws
  {
    let yaml = Self.yaml.split(separator: "\n").map { line in
      line.contains("expr: CPUUtilization") ? "\(line)\n    samples: 3 of 5" : String(line)
    }.joined(separator: "\n")
    let sandbox = try Sandbox(yaml, table: SharedTable())
    for value in [90.0, 20, 91] {
      await sandbox.handle(sandbox.value(value))
      sandbox.advance(.seconds(60))
      // Another server's values are no new look at this one.
      await sandbox.handle(sandbox.value(10, stream: "i-other"))
    }
    #expect(sandbox.cloud.calls("SendCommand").isEmpty)
    await sandbox.handle(sandbox.value(92))
    #expect(sandbox.cloud.calls("SendCommand").count == 1)
  }

  @Test func `a rule with a window keeps it across invocations`() async throws {
    let yaml = Self.yaml.split(separator: "\n").map { line in
      line.contains("expr: CPUUtilization")
        ? "    expr: avg_over_time(CPUUtilization[5m]) >= 80" : String(line)
    }.joined(separator: "\n")
    let sandbox = try Sandbox(yaml, table: SharedTable())
    for value in [60.0, 90, 85] {
      await sandbox.handle(sandbox.value(value))
      sandbox.advance(.seconds(60))
    }
    #expect(sandbox.cloud.calls("SendCommand").isEmpty)
    await sandbox.handle(sandbox.value(95))
    #expect(sandbox.cloud.calls("SendCommand").count == 1)
  }
}
