import LifeguardAWS
import LifeguardCore
import TestSupport
import Testing

/// Every call against an implementation of the services that is not ours, which verifies each key,
/// signature and permission.
@Suite(.moto, .enabled(if: Oracle.requirement.isMet, "\(Oracle.requirement.reason)"))
struct `calls to services that check them` {
  private func moto() throws -> Moto { try #require(Moto.current) }

  @Test func `metrics are uploaded and read back`() async throws {
    try await moto().with { client in
      let now = Timestamp(milliseconds: AWSClock.system.wall.milliseconds / 60_000 * 60_000)
      let upload = await client.cloudWatch.putMetricData(
        namespace: "Lifeguard",
        (0..<1500).map {
          MetricDatum(
            $0 == 0 ? "CPUUtilization" : "m\($0)", .single(Double($0) + 42), at: now,
            dimensions: [MetricDimension("InstanceId", "i-1")], unit: "Percent")
        })
      #expect(upload.failure == nil, "\(String(describing: upload.failure))")
      #expect(upload.accepted == 1500)
      #expect(upload.requests == 2)
      let data = try await client.cloudWatch.getMetricData(
        [
          .metric(
            id: "m1", namespace: "Lifeguard", name: "CPUUtilization",
            dimensions: [MetricDimension("InstanceId", "i-1")], period: .seconds(60),
            statistic: "Maximum")
        ], from: now - .seconds(300), to: now + .seconds(300))
      #expect(data.results.first?.points.map(\.value) == [42])
    }
  }

  @Test func `alarms are made, listed page by page and set`() async throws {
    try await moto().with { client in
      for number in 0..<3 {
        var alarm = AlarmDefinition(
          name: "cpu-\(number)", namespace: "Lifeguard", metricName: "CPUUtilization",
          dimensions: [MetricDimension("InstanceId", "i-\(number)")], threshold: 80)
        alarm.description = "é & <\(number)>"
        try await client.cloudWatch.putMetricAlarm(alarm)
      }
      try await client.cloudWatch.setAlarmState(
        "cpu-1", .alarm, reason: "because", reasonData: ["a": 1])
      let all = try await client.cloudWatch.describeAlarms(prefix: "cpu-")
      #expect(all.metricAlarms.map(\.name).sorted() == ["cpu-0", "cpu-1", "cpu-2"])
      let firing = try await client.cloudWatch.describeAlarms(state: .alarm)
      let alarm = try #require(firing.metricAlarms.first)
      #expect(firing.metricAlarms.count == 1)
      #expect(alarm.description == "é & <1>")
      #expect(alarm.threshold == 80)
      #expect(alarm.status.reason == "because")
      #expect(alarm.dimensions == [MetricDimension("InstanceId", "i-1")])
    }
  }

  @Test func `log lines are uploaded and found`() async throws {
    try await moto().with { client in
      #expect(try await client.logs.createLogGroup("app", tags: ["a": "b"]))
      #expect(try await client.logs.createLogGroup("app") == false)
      #expect(try await client.logs.createLogStream(group: "app", stream: "i-1"))
      #expect(try await client.logs.createLogStream(group: "app", stream: "i-1") == false)
      let now = AWSClock.system.wall
      let upload = await client.logs.putLogEvents(
        group: "app", stream: "i-1",
        [
          LogEvent(#"{"CPUUtilization": 91.2}"#, at: now),
          LogEvent("é\u{1F600}", at: now - .seconds(5)),
          LogEvent("too old", at: now - .seconds(20 * 86_400)),
        ])
      #expect(upload.failure == nil)
      #expect(upload.rejected == 1)
      #expect(upload.accepted == 2)
      let found = try await client.logs.filterLogEvents(
        group: "app", streams: ["i-1"], from: now - .seconds(60), to: now + .seconds(1))
      #expect(found.events.map(\.message) == ["é\u{1F600}", #"{"CPUUtilization": 91.2}"#])
      #expect(found.isComplete)
      let missing = await client.logs.putLogEvents(
        group: "nowhere", stream: "s", [LogEvent("m", at: now)])
      #expect(missing.failure?.kind == .notFound)
      #expect(missing.remaining.count == 1)
    }
  }

  @Test func `a message reaches the topic's subscriber as it was sent`() async throws {
    let moto = try moto()
    try await moto.with { client in
      let id = try await client.sns.publish(
        SNSMessage(
          topic: try moto.fact("topic"), message: "CPU is at 91 % & <rising> + é",
          subject: "[Warning] High\nServer Metric Alert é",
          attributes: ["severity": "critical"]))
      #expect(!id.isEmpty)
      let question: JSON = ["QueueUrl": .string(try moto.fact("queue"))]
      let url = try #require(AWSURL(moto.endpoint + "/123456789012/alerts"))
      let transport = AsyncHTTPTransport()
      let request = AWSRequest(
        "POST", url,
        headers: [
          AWSHeader("Content-Type", "application/x-amz-json-1.0"),
          AWSHeader("X-Amz-Target", "AmazonSQS.ReceiveMessage"),
        ],
        body: question.bytes())
      let signed = SignatureV4(
        try moto.credentials("allowed"), region: "eu-west-1", service: "sqs",
        time: AWSClock.system.wall
      ).sign(request)
      let answer = try await transport.send(signed, timeout: .seconds(60))
      await transport.shutdown()
      let body = try #require(try JSON.parse(answer.body)["Messages"]?[0]?["Body"]?.string)
      let message = try JSON.parse(body)
      #expect(message["Message"]?.string == "CPU is at 91 % & <rising> + é")
      #expect(message["Subject"]?.string == "[Warning] High Server Metric Alert ?")
      #expect(message["MessageAttributes"]?["severity"]?["Value"]?.string == "critical")
      let none = await #expect(throws: AWSError.self) {
        try await client.sns.publish(
          SNSMessage(topic: "arn:aws:sns:eu-west-1:123456789012:nobody", message: "m"))
      }
      #expect(none?.kind == .notFound)
    }
  }

  @Test func `commands are sent and their results read`() async throws {
    let moto = try moto()
    try await moto.with { client in
      let instance = try #require(moto.facts["instances"]?[0]?.string)
      let id = try await client.ssm.sendCommand(
        SSMCommand(
          document: "AWS-RunShellScript", instances: [instance],
          parameters: ["commands": ["systemctl restart web"]]))
      let state = try await client.ssm.waitForCommand(
        id, instance: instance, within: .seconds(60))
      #expect(state.status == .success)
      #expect(state.status.isFinal)
      let unknown = try await client.ssm.commandInvocation(id, instance: "i-00000000000000000")
      #expect(unknown.status == .pending)
    }
  }

  @Test func `parameters and secrets are read`() async throws {
    try await moto().with { client in
      let parameter = try await client.ssm.parameter("/app/secret")
      #expect(parameter.value == Secret("hush"))
      #expect(parameter.type == "SecureString")
      #expect(
        try await client.ssm.parameter("/app/secret", decrypts: false).value != Secret("hush"))
      let missing = await #expect(throws: AWSError.self) {
        try await client.ssm.parameter("/nothing")
      }
      #expect(missing?.kind == .notFound)
      #expect(try await client.secretsManager.secretValue("app").text == Secret("hush too"))
      let none = await #expect(throws: AWSError.self) {
        try await client.secretsManager.secretValue("nothing")
      }
      #expect(none?.kind == .notFound)
    }
  }

  @Test func `instances are described, rebooted, stopped and started`() async throws {
    let moto = try moto()
    try await moto.with { client in
      let ids = moto.facts["instances"]?.array?.compactMap(\.string) ?? []
      try #require(ids.count == 2)
      let found = try await client.ec2.describeInstances(
        filters: [EC2Filter("tag:Name", ["web & co"])])
      #expect(Set(found.map(\.id)) == Set(ids))
      #expect(found.allSatisfy { $0.state == "running" && $0.type == "t3.micro" })
      #expect(found.first?.tags["Name"] == "web & co")
      let tags = try await client.ec2.describeTags(
        filters: [EC2Filter("resource-id", [ids[0]])])
      #expect(tags.contains { $0.key == "Name" && $0.value == "web & co" })
      let status = try await client.ec2.describeInstanceStatus([ids[0]])
      #expect(status.first?.instance == "ok")
      try await client.ec2.rebootInstances([ids[0]])
      #expect(try await client.ec2.stopInstances([ids[1]], dryRun: true) == [])
      let stop = try await client.ec2.stopInstances([ids[1]])
      #expect(stop.first?.id == ids[1])
      #expect(stop.first?.previous == "running")
      _ = try await client.ec2.startInstances([ids[1]])
      #expect(try await client.ec2.describeInstances([ids[1]]).first?.state == "running")
      let unknown = await #expect(throws: AWSError.self) {
        try await client.ec2.describeInstances(["i-00000000000000000"])
      }
      #expect(unknown?.kind == .notFound)
      #expect(unknown?.code == "InvalidInstanceID.NotFound")
    }
  }

  @Test func `groups are described and changed`() async throws {
    try await moto().with { client in
      let group = try #require(try await client.autoScaling.describeGroups(["web"]).first)
      #expect((group.minimum, group.maximum, group.desired) == (0, 5, 2))
      #expect(group.instances.count == 2)
      let instance = group.instances[0]
      #expect(instance.lifecycleState == "InService")
      #expect(instance.group == "web")
      let same = try await client.autoScaling.describeInstances([instance.id])
      #expect(same.first?.group == "web")
      try await client.autoScaling.setInstanceHealth(instance.id, isHealthy: false)
      _ = try await client.autoScaling.enterStandby(
        "web", instances: [instance.id], decrementsCapacity: true)
      let standby = try await client.autoScaling.describeGroups(["web"]).first
      #expect(
        standby?.instances.first { $0.id == instance.id }?.lifecycleState == "Standby")
      #expect(standby?.desired == 1)
      _ = try await client.autoScaling.exitStandby("web", instances: [instance.id])
      try await client.autoScaling.setDesiredCapacity("web", 3)
      #expect(try await client.autoScaling.describeGroups(["web"]).first?.desired == 3)
      _ = try await client.autoScaling.terminateInstance(instance.id, decrementsCapacity: true)
      #expect(try await client.autoScaling.describeGroups(["web"]).first?.desired == 2)
      #expect(try await client.autoScaling.describeGroups(["nobody"]) == [])
    }
  }

  @Test func `only one of many conditional writes wins`() async throws {
    try await moto().with { client in
      let condition = DynamoExpression("attribute_not_exists(#k)", names: ["#k": "key"])
      let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<16 {
          group.addTask {
            let write = try await client.dynamoDB.putItem(
              "state", ["key": .string("claim"), "owner": .integer(Int64(number))],
              condition: condition)
            if case .written = write { return true }
            return false
          }
        }
        return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(wins == 1)
      let key: DynamoItem = ["key": .string("claim")]
      let owner = try #require(try await client.dynamoDB.getItem("state", key: key)?["owner"])
      let update = try await client.dynamoDB.updateItem(
        "state", key: key,
        DynamoExpression("SET #v = :one", names: ["#v": "version"], values: [":one": .integer(1)]),
        condition: DynamoExpression(
          "#o = :o AND attribute_not_exists(#v)", names: ["#o": "owner", "#v": "version"],
          values: [":o": owner]), returning: .allNew)
      guard case .written(let item) = update else {
        Issue.record("refused")
        return
      }
      #expect(item["version"]?.integer == 1)
      let wrong = try await client.dynamoDB.deleteItem(
        "state", key: key,
        condition: DynamoExpression(
          "#v = :two", names: ["#v": "version"], values: [":two": .integer(2)]))
      if case .written = wrong { Issue.record("deleted against its condition") }
      _ = try await client.dynamoDB.deleteItem("state", key: key)
      #expect(try await client.dynamoDB.getItem("state", key: key) == nil)
      let none = await #expect(throws: AWSError.self) {
        try await client.dynamoDB.getItem("nowhere", key: key)
      }
      #expect(none?.kind == .notFound)
    }
  }

  @Test func `a function is invoked`() async throws {
    try await moto().with { client in
      let result = try await client.lambda.invoke("echo", payload: Array(#"{"a":1}"#.utf8))
      #expect(result.status == 200)
      #expect(result.functionError == nil)
      let event = try await client.lambda.invoke(
        "echo", payload: Array("{}".utf8), type: .event)
      #expect(event.status == 202)
    }
  }

  @Test func `a role is assumed and its credentials are good`() async throws {
    let moto = try moto()
    let credentials = try await moto.with { client in
      let identity = try await client.sts.callerIdentity()
      #expect(identity.arn.hasSuffix("user/allowed"))
      #expect(identity.account == "123456789012")
      return try await client.sts.assumeRole(
        try moto.fact("role"), session: "test", duration: .seconds(900))
    }
    #expect(credentials.sessionToken != nil)
    #expect(credentials.expiration.map { $0 > AWSClock.system.wall } == true)
    try await moto.with(StaticCredentials(credentials)) { client in
      let identity = try await client.sts.callerIdentity()
      #expect(identity.arn.contains("assumed-role/worker"))
      let item = try await client.dynamoDB.getItem("state", key: ["key": .string("x")])
      #expect(item == nil)
    }
    var forged = credentials
    forged.sessionToken = Secret("forged")
    let error = await #expect(throws: AWSError.self) {
      try await moto.with(StaticCredentials(forged)) { client in
        try await client.dynamoDB.getItem("state", key: ["key": .string("x")])
      }
    }
    #expect(
      error?.kind == .badCredentials || error?.kind == .accessDenied, "\(String(describing: error))"
    )
  }

  @Test(arguments: ["json", "query", "ec2", "rest"])
  func `wrong keys, secrets and permissions have their own errors`(form: String) async throws {
    let moto = try moto()
    func error(_ credentials: AWSCredentials) async -> AWSError? {
      await #expect(throws: AWSError.self) {
        try await moto.with(StaticCredentials(credentials)) { client in
          switch form {
          case "json":
            _ = try await client.dynamoDB.getItem("state", key: ["key": .string("x")])
          case "query": _ = try await client.autoScaling.describeGroups()
          case "ec2": _ = try await client.ec2.describeInstances()
          default: _ = try await client.lambda.invoke("echo", payload: Array("{}".utf8))
          }
        }
      }
    }
    let allowed = try moto.credentials("allowed")
    var wrong = allowed
    wrong.secretAccessKey = Secret("wrong")
    let mismatch = await error(wrong)
    #expect(mismatch?.kind == .badCredentials, "\(String(describing: mismatch))")
    var unknown = allowed
    unknown.accessKeyID = "AKIAUNKNOWNUNKNOWN00"
    let missing = await error(unknown)
    #expect(missing?.kind == .badCredentials, "\(String(describing: missing))")
    let denied = await error(try moto.credentials("denied"))
    #expect(denied?.kind == .accessDenied, "\(String(describing: denied))")
    #expect(denied?.permission?.isEmpty == false)
    #expect(denied?.attempts == 1)
  }

  @Test func `a call that the server does not know is an error of one line`() async throws {
    let error = await #expect(throws: AWSError.self) {
      try await moto().with("allowed") { client in
        var impatient = client
        impatient.retry.attemptsMax = 1
        _ = try await impatient.json(.ssm, "StartAutomationExecution", [:], repeatable: true)
      }
    }
    #expect(error?.description.contains("\n") == false)
    #expect(error?.status != nil)
  }
}
