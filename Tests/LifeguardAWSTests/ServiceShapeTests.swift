import LifeguardAWS
import LifeguardCore
import TestSupport
import Testing

@Suite struct `calls as the services describe them` {
  @Test(.enabled(if: Oracle.requirement.isMet, "\(Oracle.requirement.reason)"))
  func `every call and every answer has the shape of the service's model`() async throws {
    var lines: [String] = []
    for call in Self.calls { lines.append(try await call.record().text()) }
    let problems = try await Oracle.run("shapes.py", input: lines.joined(separator: "\n"))
    #expect(problems == "")
    #expect(lines.count >= 36)
  }

  @Test(.enabled(if: Oracle.requirement.isMet, "\(Oracle.requirement.reason)"))
  func `a call that is wrong is noticed`() async throws {
    let wrong = [
      RecordedCall("ssm", "GetParameter") {
        _ = try await $0.json(
          .ssm, "GetParameter", ["Nam": "x", "WithDecryption": 1], repeatable: true)
      },
      RecordedCall.query("autoscaling", "SetDesiredCapacity") {
        var input = QueryInput()
        input["DesiredCapacity"] = "1"
        input["Group"] = "g"
        _ = try await $0.query(.autoScaling, "SetDesiredCapacity", input, repeatable: true)
      },
      RecordedCall.ec2("StopInstances", "<instances/>") {
        var input = QueryInput()
        input.list("InstanceId", ["i-1"])
        _ = try await $0.query(.ec2, "StopInstances", input, repeatable: true)
      },
    ]
    var lines: [String] = []
    for call in wrong { lines.append(try await call.record().text()) }
    let problems = try await Oracle.run("shapes.py", input: lines.joined(separator: "\n"))
    for words in [
      "input.Name is missing", "input.Nam is unknown", "WithDecryption is no boolean",
      "input.AutoScalingGroupName is missing", "the parameter Group is unknown",
      "output.instances of the answer is unknown",
    ] {
      #expect(problems.contains(words), "\(problems)")
    }
  }

  private static let time = Timestamp(milliseconds: 1_795_420_800_000)
  private static let topic = "arn:aws:sns:eu-west-1:123456789012:alerts"

  static var calls: [RecordedCall] { metrics + logs + messages + fleet + table }

  private static let metrics: [RecordedCall] = [
    RecordedCall("cloudwatch", "PutMetricData", "") {
      let upload = await $0.cloudWatch.putMetricData(
        namespace: "Lifeguard",
        [
          MetricDatum(
            "CPUUtilization", .single(91.5), at: time,
            dimensions: [MetricDimension("InstanceId", "i-1")], unit: "Percent",
            isHighResolution: true),
          MetricDatum(
            "a", .statistics(StatisticSet(count: 2, sum: 3, minimum: 1, maximum: 2)), at: time),
          MetricDatum("b", .distribution(values: [1, 2.5], counts: [3, 1]), at: time),
        ])
      #expect(upload.accepted == 3 && upload.failure == nil)
    },
    RecordedCall(
      "cloudwatch", "GetMetricData",
      #"{"MetricDataResults":[{"Id":"m1","Label":"l","Timestamps":[1795420860,1795420800.5],"#
        + #""Values":[2,1],"StatusCode":"Complete"},{"Id":"e1","Label":"x","Timestamps":[],"#
        + #""Values":[]}],"Messages":[{"Code":"c","Value":"v"}]}"#
    ) {
      let data = try await $0.cloudWatch.getMetricData(
        [
          .metric(
            id: "m1", namespace: "AWS/EC2", name: "NetworkIn",
            dimensions: [MetricDimension("InstanceId", "i-1")], period: .seconds(60),
            statistic: "Sum", label: "in", returnsData: false),
          .expression(id: "e1", "m1 / PERIOD(m1)", period: .seconds(60), label: "rate"),
        ], from: time - .seconds(600), to: time)
      #expect(data.isComplete && data.messages == ["v"])
      #expect(data.results[0].points.map(\.value) == [1, 2])
      #expect(data.results[0].points[0].time.milliseconds == 1_795_420_800_500)
    },
    RecordedCall(
      "cloudwatch", "DescribeAlarms",
      #"{"MetricAlarms":[{"AlarmName":"cpu","AlarmArn":"a","StateValue":"ALARM","Period":60,"#
        + #""EvaluationPeriods":3,"DatapointsToAlarm":2,"Threshold":80.5,"ActionsEnabled":true,"#
        + #""AlarmActions":["x"],"Dimensions":[{"Name":"InstanceId","Value":"i-1"}],"#
        + #""StateUpdatedTimestamp":1795420800.25}],"CompositeAlarms":[{"AlarmName":"all","#
        + #""AlarmRule":"ALARM(cpu)","ActionsSuppressedBy":"Alarm"}]}"#
    ) {
      let list = try await $0.cloudWatch.describeAlarms(
        names: ["cpu", "all"], state: .alarm)
      let alarm = try #require(list.metricAlarms.first)
      #expect(alarm.state == .alarm && alarm.datapointsToAlarm == 2 && alarm.threshold == 80.5)
      #expect(alarm.dimensions == [MetricDimension("InstanceId", "i-1")])
      #expect(alarm.status.updated?.milliseconds == 1_795_420_800_250)
      #expect(list.compositeAlarms.first?.actionsSuppressedBy == "Alarm")
    },
    RecordedCall("cloudwatch", "PutMetricAlarm", "") {
      var alarm = AlarmDefinition(
        name: "cpu", namespace: "Lifeguard", metricName: "CPUUtilization",
        dimensions: [MetricDimension("InstanceId", "i-1")], threshold: 80)
      alarm.description = "d"
      alarm.datapointsToAlarm = 1
      alarm.unit = "Percent"
      alarm.actions.alarm = [topic]
      alarm.actions.ok = [topic]
      alarm.actions.insufficientData = [topic]
      try await $0.cloudWatch.putMetricAlarm(alarm)
    },
    RecordedCall("cloudwatch", "SetAlarmState", "") {
      try await $0.cloudWatch.setAlarmState("cpu", .ok, reason: "r", reasonData: ["a": 1])
    },
  ]

  private static let logs: [RecordedCall] = [
    RecordedCall("logs", "CreateLogGroup", "") {
      let found = try await $0.logs.createLogGroup("g", tags: ["a": "b"])
      #expect(found)
    },
    RecordedCall("logs", "CreateLogStream", "") {
      let found = try await $0.logs.createLogStream(group: "g", stream: "s")
      #expect(found)
    },
    RecordedCall(
      "logs", "PutLogEvents", #"{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":1}}"#
    ) {
      let upload = await $0.logs.putLogEvents(
        group: "g", stream: "s", [LogEvent("b", at: time), LogEvent("a", at: time - .seconds(1))])
      #expect(upload.accepted == 1 && upload.rejected == 1)
      #expect(upload.rejections == ["1 events are older than 14 days"])
    },
    RecordedCall(
      "logs", "FilterLogEvents",
      #"{"events":[{"logStreamName":"s","timestamp":1795420800000,"message":"m","#
        + #""ingestionTime":1795420800001,"eventId":"3"}],"searchedLogStreams":[]}"#
    ) {
      let found = try await $0.logs.filterLogEvents(
        group: "g", streams: ["s"], pattern: "{ $.a = 1 }", from: time, to: time + .seconds(1))
      #expect(found.isComplete && found.events.first?.message == "m")
      #expect(found.events.first?.timestamp == time)
    },
    RecordedCall("secretsmanager", "GetSecretValue", #"{"Name":"n","SecretString":"s"}"#) {
      let value = try await $0.secretsManager.secretValue("n", versionStage: "AWSCURRENT")
      #expect(value.text == Secret("s"))
    },
    RecordedCall(
      "ssm", "GetParameter",
      #"{"Parameter":{"Name":"/p","Type":"SecureString","Value":"v","Version":3}}"#
    ) {
      let parameter = try await $0.ssm.parameter("/p")
      #expect(parameter.value == Secret("v") && parameter.version == 3)
    },
    RecordedCall(
      "ssm", "SendCommand", #"{"Command":{"CommandId":"12345678-1234-1234-1234-123456789012"}}"#
    ) {
      var command = SSMCommand(
        document: "AWS-RunShellScript", instances: ["i-0123456789abcdef0"],
        parameters: ["commands": ["a", "b"]])
      command.documentVersion = "1"
      command.comment = "why"
      command.maxConcurrency = "50%"
      command.maxErrors = "0"
      command.logGroup = "g"
      let found = try await $0.ssm.sendCommand(command)
      #expect(found == "12345678-1234-1234-1234-123456789012")
    },
    RecordedCall(
      "ssm", "SendCommand", #"{"Command":{"CommandId":"12345678-1234-1234-1234-123456789012"}}"#
    ) {
      var command = SSMCommand(document: "doc", instances: [])
      command.targets = [SSMCommand.Target("tag:Role", ["web"])]
      let found = try await $0.ssm.sendCommand(command)
      #expect(found == "12345678-1234-1234-1234-123456789012")
    },
    RecordedCall(
      "ssm", "GetCommandInvocation",
      #"{"CommandId":"12345678-1234-1234-1234-123456789012","Status":"Failed","ResponseCode":3,"#
        + #""StandardOutputContent":"o","StandardErrorContent":"e","StatusDetails":"Failed"}"#
    ) {
      let state = try await $0.ssm.commandInvocation(
        "12345678-1234-1234-1234-123456789012", instance: "i-0123456789abcdef0", plugin: "step")
      #expect(state.status == .failed && state.exitCode == 3 && state.standardError == "e")
    },
  ]

  private static let messages: [RecordedCall] = [
    .query("sns", "Publish", "<MessageId>m</MessageId>") {
      var message = SNSMessage(
        topic: topic, message: "é & =", subject: "s",
        attributes: ["severity": "critical", "a": "b"],
        perProtocol: ["email": "long"])
      message.groupID = "g"
      message.deduplicationID = "d"
      let found = try await $0.sns.publish(message)
      #expect(found == "m")
    },
    .query(
      "sts", "GetCallerIdentity",
      "<Arn>arn:aws:iam::1:user/x</Arn><UserId>U</UserId><Account>1</Account>"
    ) {
      let identity = try await $0.sts.callerIdentity()
      #expect(identity.account == "1")
    },
    .query("sts", "AssumeRole", credentials) {
      let found = try await $0.sts.assumeRole(
        "arn:aws:iam::123456789012:role/x", session: "s s", duration: .seconds(900),
        externalID: "x1")
      #expect(found.accessKeyID == "ASIAEXAMPLEEXAMPLE0" && found.expiration == time)
    },
    .query("sts", "AssumeRoleWithWebIdentity", credentials) {
      _ = try await $0.sts.assumeRole(
        "arn:aws:iam::123456789012:role/x", session: "s", webIdentity: Secret("token"))
    },
    RecordedCall("lambda", "Invoke", "{\"ok\":true}") {
      let result = try await $0.lambda.invoke(
        "arn:aws:lambda:eu-west-1:123456789012:function:f", payload: Array("{}".utf8),
        qualifier: "live")
      #expect(result.payload == Array("{\"ok\":true}".utf8))
    },
  ]

  private static let credentials =
    "<Credentials><AccessKeyId>ASIAEXAMPLEEXAMPLE0</AccessKeyId>"
    + "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
    + "<Expiration>\(time.text)</Expiration></Credentials>"

  private static let instanceMember =
    "<member><InstanceId>i-1</InstanceId><LifecycleState>InService</LifecycleState>"
    + "<HealthStatus>Healthy</HealthStatus><AvailabilityZone>eu-west-1a</AvailabilityZone>"
    + "<ProtectedFromScaleIn>false</ProtectedFromScaleIn>"

  private static let activity =
    "<ActivityId>a</ActivityId><AutoScalingGroupName>g</AutoScalingGroupName>"
    + "<StatusCode>InProgress</StatusCode><Progress>50</Progress><Cause>c</Cause>"

  private static let fleet: [RecordedCall] = [
    .ec2(
      "DescribeInstances",
      "<reservationSet><item><reservationId>r-1</reservationId><instancesSet><item>"
        + "<instanceId>i-1</instanceId><imageId>ami-1</imageId><instanceState><code>16</code>"
        + "<name>running</name></instanceState><instanceType>t3.micro</instanceType>"
        + "<launchTime>\(time.text)</launchTime><placement><availabilityZone>eu-west-1a"
        + "</availabilityZone></placement><privateIpAddress>10.0.0.1</privateIpAddress>"
        + "<tagSet><item><key>Name</key><value>web &amp; co</value></item></tagSet></item>"
        + "</instancesSet></item></reservationSet>"
    ) {
      let found = try await $0.ec2.describeInstances(
        ["i-1", "i-2"], filters: [EC2Filter("instance-state-name", ["running", "stopped"])])
      #expect(found.first?.state == "running" && found.first?.tags["Name"] == "web & co")
      #expect(found.first?.launched == time)
    },
    .ec2(
      "DescribeInstanceStatus",
      "<instanceStatusSet><item><instanceId>i-1</instanceId><instanceState><name>running</name>"
        + "</instanceState><systemStatus><status>impaired</status></systemStatus><instanceStatus>"
        + "<status>ok</status></instanceStatus><eventsSet><item><code>instance-retirement</code>"
        + "<description>d</description><notBefore>\(time.text)</notBefore></item></eventsSet>"
        + "</item></instanceStatusSet>"
    ) {
      let found = try await $0.ec2.describeInstanceStatus(["i-1"])
      #expect(found.first?.system == "impaired" && found.first?.instance == "ok")
      #expect(found.first?.events.first?.notBefore == time)
    },
    .ec2(
      "DescribeTags",
      "<tagSet><item><resourceId>i-1</resourceId><resourceType>instance</resourceType>"
        + "<key>k</key><value>v</value></item></tagSet>"
    ) {
      let found = try await $0.ec2.describeTags(filters: [EC2Filter("resource-id", ["i-1"])])
      #expect(found.first?.value == "v")
    },
    .ec2("RebootInstances", "<return>true</return>") { try await $0.ec2.rebootInstances(["i-1"]) },
    .ec2(
      "StopInstances",
      "<instancesSet><item><instanceId>i-1</instanceId><currentState><code>64</code>"
        + "<name>stopping</name></currentState><previousState><code>16</code><name>running</name>"
        + "</previousState></item></instancesSet>"
    ) {
      let change = try await $0.ec2.stopInstances(["i-1"], force: true, dryRun: true)
      #expect(change.first?.current == "stopping" && change.first?.previous == "running")
    },
    .ec2("StartInstances", "<instancesSet/>") { _ = try await $0.ec2.startInstances(["i-1"]) },
    .query(
      "autoscaling", "DescribeAutoScalingGroups",
      "<AutoScalingGroups><member><AutoScalingGroupName>g</AutoScalingGroupName>"
        + "<AutoScalingGroupARN>a</AutoScalingGroupARN><MinSize>1</MinSize><MaxSize>4</MaxSize>"
        + "<DesiredCapacity>2</DesiredCapacity><HealthCheckType>EC2</HealthCheckType>"
        + "<Instances>\(instanceMember)</member></Instances><SuspendedProcesses><member>"
        + "<ProcessName>Launch</ProcessName></member></SuspendedProcesses><Tags><member>"
        + "<Key>k</Key><Value>v</Value></member></Tags></member></AutoScalingGroups>"
    ) {
      let group = try #require(try await $0.autoScaling.describeGroups(["g"]).first)
      #expect((group.minimum, group.maximum, group.desired) == (1, 4, 2))
      #expect(group.instances.first?.group == "g" && group.suspendedProcesses == ["Launch"])
      #expect(group.tags == ["k": "v"])
    },
    .query(
      "autoscaling", "DescribeAutoScalingInstances",
      "<AutoScalingInstances>\(instanceMember)<AutoScalingGroupName>g</AutoScalingGroupName>"
        + "</member></AutoScalingInstances>"
    ) {
      let found = try await $0.autoScaling.describeInstances(["i-1"])
      #expect(found.first?.group == "g" && found.first?.lifecycleState == "InService")
    },
    .query("autoscaling", "SetDesiredCapacity") {
      try await $0.autoScaling.setDesiredCapacity("g", 3, honoursCooldown: true)
    },
    .query("autoscaling", "SetInstanceHealth") {
      try await $0.autoScaling.setInstanceHealth("i-1", isHealthy: false)
    },
    .query(
      "autoscaling", "TerminateInstanceInAutoScalingGroup", "<Activity>\(activity)</Activity>"
    ) {
      let found = try await $0.autoScaling.terminateInstance("i-1", decrementsCapacity: false)
      #expect(found.status == "InProgress" && found.progress == 50)
    },
    .query(
      "autoscaling", "EnterStandby", "<Activities><member>\(activity)</member></Activities>"
    ) {
      let found = try await $0.autoScaling.enterStandby(
        "g", instances: ["i-1"], decrementsCapacity: true)
      #expect(found.first?.id == "a")
    },
    .query("autoscaling", "ExitStandby", "<Activities/>") {
      let found = try await $0.autoScaling.exitStandby("g", instances: ["i-1"])
      #expect(found == [])
    },
    .query("autoscaling", "StartInstanceRefresh", "<InstanceRefreshId>f</InstanceRefreshId>") {
      let id = try await $0.autoScaling.startInstanceRefresh(
        "g", minimumHealthyPercentage: 90, warmup: .seconds(60), skipsMatching: true)
      #expect(id == "f")
    },
    .query(
      "autoscaling", "DescribeInstanceRefreshes",
      "<InstanceRefreshes><member><InstanceRefreshId>f</InstanceRefreshId><Status>InProgress"
        + "</Status><PercentageComplete>40</PercentageComplete></member></InstanceRefreshes>"
    ) {
      let found = try await $0.autoScaling.describeInstanceRefreshes("g", ids: ["f"])
      #expect(found.first?.status == "InProgress" && found.first?.percentage == 40)
    },
  ]

  private static let table: [RecordedCall] = [
    RecordedCall("dynamodb", "GetItem", #"{"Item":{"k":{"S":"1"},"n":{"N":"7"}}}"#) {
      let item = try await $0.dynamoDB.getItem("table", key: ["k": .string("1")])
      #expect(item?["n"]?.integer == 7)
    },
    RecordedCall("dynamodb", "PutItem") {
      let write = try await $0.dynamoDB.putItem(
        "table", ["k": .string("1"), "b": .binary([1, 2]), "l": .list([.bool(true), .null])],
        condition: DynamoExpression(
          "attribute_not_exists(#k) OR #e < :now", names: ["#k": "k", "#e": "e"],
          values: [":now": .integer(5)]), returning: .allOld)
      #expect(write == .written([:]))
    },
    RecordedCall("dynamodb", "UpdateItem", #"{"Attributes":{"n":{"N":"2"}}}"#) {
      let write = try await $0.dynamoDB.updateItem(
        "table", key: ["k": .string("1")],
        DynamoExpression("SET n = :n", values: [":n": .integer(2)]),
        condition: DynamoExpression("n = :old", values: [":old": .integer(1)]),
        returning: .updatedNew)
      #expect(write == .written(["n": .number("2")]))
    },
    RecordedCall("dynamodb", "DeleteItem") {
      _ = try await $0.dynamoDB.deleteItem(
        "table", key: ["k": .string("1")], condition: DynamoExpression("attribute_exists(k)"))
    },
  ]
}
