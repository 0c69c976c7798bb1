import LifeguardAWS
import LifeguardCore
import TestSupport
import Testing

/// Every kind of step against scripted services: what is asked, what is made of each answer, and
/// that no time is overrun.
@Suite struct CloudHandsTests {
  private static let target = Target(.instance, CloudAnswer.server)
  private static let group = Target(.asg, "web")
  private static let alert = AlertContext(
    name: "CPUHigh", labels: ["alertname": "CPUHigh"], annotations: [:], value: 91,
    since: Timestamp(milliseconds: 1_795_420_800_000), incident: 7, target: target)

  private func perform(
    _ action: CloudAction, on target: Target = target, _ script: CloudScript,
    region: String = "eu-west-1", within limit: Duration = .seconds(600)
  ) async -> StepResult {
    await script.hands(region: region).perform(
      action, target: target, alert: Self.alert, attempt: "7/0/1", within: limit)
  }

  private func refusal(
    _ action: CloudAction, on target: Target = target, _ script: CloudScript,
    ownStops: Set<String> = []
  ) async -> Refusal? {
    await script.hands().prepare(action, target: target, ownStops: ownStops).refusals.first
  }

  // MARK: Commands

  private static let ssm = CloudAction.ssm(
    SSMAction(document: "Lifeguard-RestartService", parameters: ["service": ["web"]]))

  @Test(arguments: [
    ("Success", "Success", StepResult.Status.succeeded),
    ("Failed", "Failed", .failed), ("Failed", "AccessDenied", .failed),
    ("Failed", "Undeliverable", .unknown), ("Failed", "Terminated", .unknown),
    ("TimedOut", "DeliveryTimedOut", .unknown), ("TimedOut", "ExecutionTimedOut", .unknown),
    ("Cancelled", "Cancelled", .unknown),
  ])
  func `only a command that ran and failed has failed; a lost one is unknown`(
    status: String, details: String, expected: StepResult.Status
  ) async {
    let script = CloudScript([
      "SendCommand": [CloudAnswer.sent],
      "GetCommandInvocation": [
        CloudAnswer.command("InProgress", "InProgress", code: -1),
        CloudAnswer.command(status, details, code: 3, output: "begun\nmore\nended", error: ""),
      ],
    ])
    let result = await perform(Self.ssm, script)
    #expect(result.status == expected, "\(result)")
    #expect(result.summary.contains("begun / … / ended"))
    #expect(script.requests("CancelCommand").isEmpty)
  }

  @Test func `a command that does not end in time is cancelled, and its result is unknown`()
    async throws
  {
    let script = CloudScript([
      "SendCommand": [CloudAnswer.sent],
      "GetCommandInvocation": [CloudAnswer.command("Pending", "Pending", code: -1)],
    ])
    let started = script.clock.now
    let result = await perform(Self.ssm, script, within: .seconds(60))
    #expect(result.status == .unknown)
    #expect(result.summary.contains("it was cancelled"), "\(result.summary)")
    #expect(script.actions.last == "CancelCommand")
    #expect(script.clock.now - started <= .seconds(60))
    // Not delivered by then, it is not delivered at all.
    let sent = try JSON.parse(try #require(script.requests("SendCommand").first).body)
    #expect(sent["TimeoutSeconds"]?.integer == 60)
    #expect(sent["Comment"]?.string == "lifeguard 7/0/1")
  }

  @Test func `a command that the service does not know yet is waited for`() async {
    let script = CloudScript([
      "SendCommand": [CloudAnswer.sent],
      "GetCommandInvocation": [
        "!InvocationDoesNotExist", CloudAnswer.command("Success", "Success"),
      ],
    ])
    #expect(await perform(Self.ssm, script).status == .succeeded)
  }

  @Test func `a command whose state may not be read is cancelled, and one not sent has failed`()
    async
  {
    let lost = CloudScript([
      "SendCommand": [CloudAnswer.sent], "GetCommandInvocation": ["!AccessDeniedException"],
      "CancelCommand": ["!AccessDeniedException"],
    ])
    let result = await perform(Self.ssm, lost)
    #expect(result.status == .unknown)
    #expect(result.summary.contains("could not be cancelled"), "\(result.summary)")

    let unsent = CloudScript(["SendCommand": ["!InvalidInstanceId"]])
    #expect(await perform(Self.ssm, unsent).status == .failed)
    #expect(unsent.actions == ["SendCommand"])
  }

  @Test func `an answer that was lost makes a result unknown, and nothing is sent again`() async {
    let lost: ScriptedTransport.Answer = .failure(
      AWSTransportError(.connectionLost, "connection reset"))
    for (action, call) in [
      (Self.ssm, "SendCommand"), (.ec2(EC2Action(.reboot)), "RebootInstances"),
      (.lambda(LambdaAction(function: "drain")), "Invoke"),
    ] {
      let script = CloudScript([:], failures: [call: lost])
      #expect(await perform(action, script).status == .unknown, "\(call)")
      #expect(script.requests(call).count == 1)
    }
  }

  // MARK: Servers

  @Test(arguments: ["running", "stopped", "stopping", "terminated", "pending"])
  func `only a server that runs is acted on`(state: String) async {
    let script = CloudScript(["DescribeInstances": [CloudAnswer.instance(state)]])
    let code = await refusal(.ec2(EC2Action(.reboot)), script)?.code
    let expected = [
      "stopped": "stopped_by_operator", "stopping": "stopped_by_operator",
      "terminated": "stopped_by_operator", "pending": "changing",
    ]
    #expect(code == expected[state])
  }

  @Test func `a server that a step of ours stopped was not stopped by an operator`() async {
    let script = CloudScript(["DescribeInstances": [CloudAnswer.instance("stopped")]])
    #expect(await refusal(Self.ssm, script, ownStops: [CloudAnswer.server])?.code == "own_stop")
  }

  @Test func `what is not there, not seen, or no server is not acted on`() async {
    let gone = CloudScript(["DescribeInstances": [CloudAnswer.noInstance]])
    #expect(await refusal(Self.ssm, gone)?.code == "empty_target")
    #expect(await refusal(Self.ssm, on: .host, gone)?.code == "no_instance")
    let hidden = CloudScript(
      [:],
      failures: [
        "DescribeInstances": AWSResponse.text(
          403,
          "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>")
      ])
    #expect(await refusal(Self.ssm, hidden)?.code == "not_seen")
  }

  @Test func `a frozen server or group is left alone by every kind of step`() async {
    let frozen = ["lifeguard": "frozen"]
    let server = CloudScript([
      "DescribeInstances": [CloudAnswer.instance("running", tags: frozen)],
      "DescribeAutoScalingInstances": [CloudAnswer.membership],
      "DescribeAutoScalingGroups": [CloudAnswer.group(["InService", "InService"], desired: 2)],
    ])
    let steps: [CloudAction] = [
      Self.ssm, .ec2(EC2Action(.recover)), .lambda(LambdaAction(function: "drain")),
      .autoScaling(AutoScalingAction(.markUnhealthy)), .autoScaling(AutoScalingAction(.standby)),
    ]
    for step in steps {
      #expect(await refusal(step, server)?.code == "frozen_by_tag", "\(step.summary)")
    }
    let group = CloudScript([
      "DescribeInstances": [CloudAnswer.instance("running")],
      "DescribeAutoScalingInstances": [CloudAnswer.membership],
      "DescribeAutoScalingGroups": [
        CloudAnswer.group(["InService", "InService"], desired: 2, tags: frozen)
      ],
    ])
    for step in [.autoScaling(AutoScalingAction(.instanceRefresh)), Self.ssm] {
      #expect(await refusal(step, group)?.code == "frozen_by_tag", "\(step.summary)")
    }
    let scale = CloudAction.autoScaling(AutoScalingAction(.scaleOut, maximum: 3))
    #expect(await refusal(scale, on: Self.group, group)?.code == "frozen_by_tag")
  }

  @Test(
    arguments: [
      // One of two may be restarted while the other one serves; the last one may not.
      (["InService", "InService"], 2, nil), (["InService", "InService!"], 2, "minimum_healthy"),
      (["InService", "InService", "Pending", "Pending"], 4, "minimum_healthy"),
      // What already serves nothing is no loss.
      (["InService!", "InService"], 2, nil), (["Standby", "InService!"], 2, nil),
    ] as [([String], Int, String?)])
  func `a member of a group is repaired only while enough others serve`(
    states: [String], desired: Int, code: String?
  ) async {
    let script = CloudScript([
      "DescribeInstances": [CloudAnswer.instance("running")],
      "DescribeAutoScalingInstances": [CloudAnswer.membership],
      "DescribeAutoScalingGroups": [CloudAnswer.group(states, desired: desired)],
    ])
    #expect(await refusal(.ec2(EC2Action(.reboot)), script)?.code == code)
    #expect(await refusal(Self.ssm, script)?.code == code)
    let gentle = CloudAction.ssm(SSMAction(document: "Look", disruptive: false))
    #expect(await refusal(gentle, script) == nil)
  }

  @Test func `a group would replace a member that stops`() async {
    func code(_ group: String) async -> String? {
      let script = CloudScript([
        "DescribeInstances": [CloudAnswer.instance("running")],
        "DescribeAutoScalingInstances": [CloudAnswer.membership],
        "DescribeAutoScalingGroups": [group],
      ])
      return await refusal(.ec2(EC2Action(.stopStart)), script)?.code
    }
    let all = [String](repeating: "InService", count: 4)
    #expect(await code(CloudAnswer.group(all, desired: 4)) == "group_replaces")
    #expect(
      await code(CloudAnswer.group(all, desired: 4, suspended: ["ReplaceUnhealthy"])) == nil)
    #expect(await code(CloudAnswer.group(["Standby"] + all, desired: 4)) == nil)
  }

  @Test func `a server is started again once it has stopped`() async {
    let script = CloudScript([
      "DescribeInstances": [
        CloudAnswer.instance("stopping"), CloudAnswer.instance("stopped"),
      ]
    ])
    let result = await perform(.ec2(EC2Action(.stopStart, force: true)), script)
    #expect(result.status == .succeeded, "\(result)")
    #expect(
      script.actions == [
        "StopInstances", "DescribeInstances", "DescribeInstances", "StartInstances",
      ])
    #expect(script.requests("StopInstances").first?.form["Force"] == "true")
  }

  @Test func `a server that is still stopping is not started, and the start stays owed`() async {
    let script = CloudScript(["DescribeInstances": [CloudAnswer.instance("stopping")]])
    let started = script.clock.now
    let result = await perform(
      .ec2(EC2Action(.stopStart)), script, within: .seconds(120))
    #expect(result.status == .unknown)
    #expect(script.requests("StartInstances").isEmpty)
    #expect(script.clock.now - started <= .seconds(120))

    let short = CloudScript([:])
    let refused = await perform(.ec2(EC2Action(.stopStart)), short, within: .seconds(58))
    guard case .refused(let refusal) = refused.status else {
      Issue.record("\(refused)")
      return
    }
    #expect(refusal.code == "no_time")
    #expect(short.actions.isEmpty)
  }

  @Test(arguments: [
    ("stopping", false, 0), ("stopped", true, 1), ("running", true, 0), ("terminated", true, 0),
  ])
  func `an owed start is made up for when the server has stopped`(
    state: String, isSettled: Bool, starts: Int
  ) async {
    let script = CloudScript(["DescribeInstances": [CloudAnswer.instance(state)]])
    let found = await script.hands().finishStart(CloudAnswer.server, within: .seconds(30))
    #expect(found.isSettled == isSettled, "\(found)")
    #expect(script.requests("StartInstances").count == starts)
  }

  @Test func `a server that was frozen meanwhile is not started`() async {
    let script = CloudScript([
      "DescribeInstances": [CloudAnswer.instance("stopped", tags: ["lifeguard": "frozen"])]
    ])
    #expect(await script.hands().finishStart(CloudAnswer.server, within: .seconds(30)).isSettled)
    #expect(script.requests("StartInstances").isEmpty)
  }

  @Test(arguments: [
    ("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"),
  ])
  func `recovery is set off by an alarm of its partition, which does not stay`(
    region: String, partition: String
  ) async throws {
    let script = CloudScript([:])
    let result = await perform(.ec2(EC2Action(.recover)), script, region: region)
    #expect(result.status == .succeeded, "\(result)")
    #expect(script.actions == ["PutMetricAlarm", "SetAlarmState", "DeleteAlarms"])
    let alarm = try JSON.parse(try #require(script.requests("PutMetricAlarm").first).body)
    #expect(alarm["AlarmActions"]?[0]?.string == "arn:\(partition):automate:\(region):ec2:recover")
    #expect(alarm["AlarmName"]?.string == "lifeguard-recover-\(CloudAnswer.server)")
  }

  @Test func `an alarm that could not be set off is removed as well`() async {
    let script = CloudScript(["SetAlarmState": ["!ResourceNotFound"]])
    #expect(await perform(.ec2(EC2Action(.recover)), script).status == .failed)
    #expect(script.actions.last == "DeleteAlarms")
  }

  @Test func `alarms that were left behind are removed when they had their time`() async throws {
    func alarm(_ name: String, _ age: Int64) -> String {
      let time = CloudScript([:]).clock.now.milliseconds / 1000 - age
      return #"{"AlarmName":"\#(name)","StateValue":"OK","StateUpdatedTimestamp":\#(time)}"#
    }
    let script = CloudScript([
      "DescribeAlarms": [
        #"{"MetricAlarms":[\#(alarm("lifeguard-recover-i-1", 3600)),"#
          + #"\#(alarm("lifeguard-recover-i-2", 60))]}"#
      ]
    ])
    let removed = try await script.hands().removeRecoveryAlarms(
      at: script.clock.now, within: .seconds(10))
    #expect(removed == ["lifeguard-recover-i-1"])
    #expect(script.requests("DeleteAlarms").count == 1)
  }

  // MARK: Groups and functions

  @Test(
    arguments: [
      (AutoScalingAction(.scaleOut, by: 2, maximum: 10), 2, 1...4, 4),
      (AutoScalingAction(.scaleOut, by: 2, maximum: 3), 2, 1...4, 3),
      (AutoScalingAction(.scaleOut, maximum: 10), 4, 1...4, nil),
      (AutoScalingAction(.scaleIn, minimum: 2), 3, 1...4, 2),
      (AutoScalingAction(.scaleIn, by: 5, minimum: 0), 3, 1...4, 1),
      (AutoScalingAction(.scaleIn, minimum: 3), 3, 1...4, nil),
    ] as [(AutoScalingAction, Int, ClosedRange<Int>, Int?)])
  func `a group is resized within the bounds of the step and its own`(
    action: AutoScalingAction, desired: Int, bounds: ClosedRange<Int>, expected: Int?
  ) async {
    let script = CloudScript([
      "DescribeAutoScalingGroups": [
        CloudAnswer.group(["InService"], desired: desired, bounds: bounds)
      ]
    ])
    let result = await perform(.autoScaling(action), on: Self.group, script)
    #expect(result.status == (expected == nil ? .failed : .succeeded), "\(result)")
    let sent = script.requests("SetDesiredCapacity").first?.form["DesiredCapacity"]
    #expect(sent == expected.map { "\($0)" })
  }

  @Test(
    arguments: [
      // 51 % of two are more than one.
      (AutoScalingAction(.standby), ["InService", "InService"], 2, "minimum_healthy"),
      (AutoScalingAction(.standby, minimumHealthy: 50), ["InService", "InService"], 2, nil),
      (AutoScalingAction(.markUnhealthy), ["InService", "InService", "InService"], 3, nil),
      (
        AutoScalingAction(.markUnhealthy), ["InService", "InService", "Pending"], 3,
        "minimum_healthy"
      ),
      (AutoScalingAction(.markUnhealthy), ["InService!", "InService"], 2, nil),
      (AutoScalingAction(.standby), ["Other"], 1, nil),
    ] as [(AutoScalingAction, [String], Int, String?)])
  func `a member is taken away only from enough healthy ones`(
    action: AutoScalingAction, states: [String], desired: Int, code: String?
  ) async {
    let script = CloudScript([
      "DescribeAutoScalingInstances": [CloudAnswer.membership],
      "DescribeAutoScalingGroups": [CloudAnswer.group(states, desired: desired)],
      "DescribeInstances": [CloudAnswer.instance("running")],
    ])
    #expect(await refusal(.autoScaling(action), script)?.code == code)
  }

  @Test func `members and groups are acted on by name`() async {
    let answers = [
      "DescribeAutoScalingInstances": [CloudAnswer.membership],
      "DescribeAutoScalingGroups": [CloudAnswer.group(["InService", "InService"], desired: 2)],
      "StartInstanceRefresh": [
        CloudAnswer.query("StartInstanceRefresh", "<InstanceRefreshId>r-1</InstanceRefreshId>")
      ],
    ]
    let sick = CloudScript(answers)
    #expect(
      await perform(.autoScaling(AutoScalingAction(.markUnhealthy)), sick).status == .succeeded)
    #expect(sick.requests("SetInstanceHealth").first?.form["HealthStatus"] == "Unhealthy")

    let standby = CloudScript(answers)
    #expect(await perform(.autoScaling(AutoScalingAction(.standby)), standby).status == .succeeded)
    let form = standby.requests("EnterStandby").first?.form ?? [:]
    #expect(form["AutoScalingGroupName"] == "web")
    #expect(form["InstanceIds.member.1"] == CloudAnswer.server)

    let refresh = CloudScript(answers)
    let result = await perform(
      .autoScaling(AutoScalingAction(.instanceRefresh, minimumHealthy: 90)), on: Self.group, refresh
    )
    #expect(result.summary.contains("r-1"), "\(result)")
    #expect(
      refresh.requests("StartInstanceRefresh").first?.form["Preferences.MinHealthyPercentage"]
        == "90")
    let outsider = CloudScript(["DescribeAutoScalingInstances": [CloudAnswer.noMembership]])
    #expect(
      await refusal(.autoScaling(AutoScalingAction(.markUnhealthy)), outsider)?.code
        == "empty_target")
  }

  @Test func `another function gets the alert, and its error is a failed step`() async throws {
    let fine = CloudScript(["Invoke": ["{}"]])
    let result = await perform(.lambda(LambdaAction(function: "drain")), fine)
    #expect(result.status == .succeeded, "\(result)")
    let request = try #require(fine.requests("Invoke").first)
    #expect(request.url.path == "/2015-03-31/functions/drain/invocations")
    #expect(request.bodyText.contains("CPUHigh"))

    let broken = CloudScript(
      [:],
      failures: [
        "Invoke": AWSResponse.text(
          200, #"{"errorMessage":"no"}"#, ["X-Amz-Function-Error": "Unhandled"])
      ])
    let failed = await perform(.lambda(LambdaAction(function: "drain")), broken)
    #expect(failed.status == .failed)
    #expect(failed.summary.contains("Unhandled"))
  }

  // MARK: Time and shapes

  @Test func `no call of a step is given more time than there is left`() async {
    let steps: [(CloudAction, Target)] = [
      (Self.ssm, Self.target), (.ec2(EC2Action(.reboot)), Self.target),
      (.ec2(EC2Action(.recover)), Self.target),
      (.autoScaling(AutoScalingAction(.scaleOut, maximum: 9)), Self.group),
      (.lambda(LambdaAction(function: "drain")), Self.target),
    ]
    for (step, target) in steps {
      let script = CloudScript([
        "SendCommand": [CloudAnswer.sent],
        "GetCommandInvocation": [CloudAnswer.command("InProgress", "InProgress", code: -1)],
        "DescribeInstances": [CloudAnswer.instance("running")],
        "DescribeAutoScalingInstances": [CloudAnswer.membership],
        "DescribeAutoScalingGroups": [CloudAnswer.group(["InService"], desired: 1)],
      ])
      let hands = script.hands()
      _ = await hands.prepare(step, target: target, within: .seconds(3))
      _ = await hands.perform(
        step, target: target, alert: Self.alert, attempt: "7/0/1", within: .seconds(3))
      #expect(script.longest <= .seconds(3), "\(step.summary)")
      #expect(script.longest > .zero, "\(step.summary)")
    }
  }

  @Test(.enabled(if: Oracle.requirement.isMet, "\(Oracle.requirement.reason)"))
  func `requests and the answers of these tests have the shapes of the services' models`()
    async throws
  {
    let answers = [
      "SendCommand": [CloudAnswer.sent],
      "GetCommandInvocation": [CloudAnswer.command("Success", "Success")],
      "DescribeInstances": [CloudAnswer.instance("stopped", tags: ["a": "b"])],
      "DescribeAutoScalingInstances": [CloudAnswer.membership],
      "DescribeAutoScalingGroups": [
        CloudAnswer.group(
          ["InService", "InService!"], desired: 2, tags: ["a": "b"], suspended: ["Launch"])
      ],
      "StartInstanceRefresh": [
        CloudAnswer.query("StartInstanceRefresh", "<InstanceRefreshId>r-1</InstanceRefreshId>")
      ],
      "EnterStandby": [CloudAnswer.query("EnterStandby", "<Activities></Activities>")],
      "Invoke": ["{}"],
    ]
    let steps: [CloudAction] = [
      Self.ssm, .ec2(EC2Action(.reboot)), .ec2(EC2Action(.stopStart, force: true)),
      .ec2(EC2Action(.recover)), .autoScaling(AutoScalingAction(.markUnhealthy)),
      .autoScaling(AutoScalingAction(.standby)), .autoScaling(AutoScalingAction(.instanceRefresh)),
      .autoScaling(AutoScalingAction(.scaleOut, maximum: 4)),
      .lambda(LambdaAction(function: "drain")),
    ]
    var lines: [String] = []
    for step in steps {
      let script = CloudScript(answers)
      _ = await script.hands().prepare(step, target: Self.target)
      _ = await perform(step, script)
      lines += script.lines
    }
    let stuck = CloudScript([
      "SendCommand": [CloudAnswer.sent],
      "GetCommandInvocation": [CloudAnswer.command("Pending", "Pending", code: -1)],
    ])
    _ = await perform(Self.ssm, stuck, within: .seconds(5))
    lines += stuck.lines
    let problems = try await Oracle.run("shapes.py", input: lines.joined(separator: "\n"))
    #expect(problems == "")
    #expect(lines.count >= 20)
  }
}
