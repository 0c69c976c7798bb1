import LifeguardConfiguration
import LifeguardCore
import Testing

@Suite struct CloudSettingsTests {
  private func load(
    _ text: String, isFunction: Bool = false
  ) -> (Configuration?, [String]) {
    var files = MemoryFiles()
    files.add("/etc/lifeguard/lifeguard.yaml", text)
    files.add("/usr/bin/drain", "\u{7f}ELF", mode: 0o755)
    var loader = files.loader()
    loader.isFunction = isFunction
    let loaded = loader.load(mainFile: "/etc/lifeguard/lifeguard.yaml")
    return (loaded.configuration, loaded.problems.map(\.message))
  }

  @Test func `nothing is told to AWS unless somebody says so`() throws {
    let configuration = try #require(load("mode: auto\n").0)
    #expect(configuration.aws == nil)
    #expect(!configuration.rules.contains { $0.isNotice })
  }

  @Test(arguments: ["aws:\n", "aws: {}\n"])
  func `an empty section listens for notices and publishes nothing`(text: String) throws {
    let configuration = try #require(load(text).0)
    let aws = try #require(configuration.aws)
    #expect(aws.cloudWatch == nil && aws.logs == nil && aws.termination.watches)
    let rule = try #require(configuration.rules.first { $0.isNotice })
    #expect(rule.id == "aws/InstanceTermination")
    #expect(rule.expression.text == "lifeguard_instance_termination > 0")
    guard case .some(.none) = rule.recovery else {
      Issue.record("without a plan nothing may answer it: \(String(describing: rule.recovery))")
      return
    }
  }

  @Test func `what is published by default is what alarms and rules read`() throws {
    let aws = try #require(load("aws: {cloudwatch: {}, logs: {}}\n").0?.aws)
    let published = try #require(aws.cloudWatch)
    #expect(published == CloudWatchSettings())
    #expect(published.namespace == "Lifeguard")
    #expect(published.dimensions == [["InstanceId"], ["AutoScalingGroupName"]])
    #expect(published.metrics.map(\.name) == CloudMetric.usual.map(\.series))
    #expect(published.metrics.allSatisfy { $0.per.isEmpty && $0.fold == .max && $0.isOwnOnly })
    #expect(aws.logs == CloudLogSettings())
    #expect(aws.logs?.group == "ServerMetricsLogGroup")
  }

  @Test func `a slow resolution is sent as often as it has something to send`() throws {
    let aws = try #require(load("aws: {cloudwatch: {resolution: 5m}}\n").0?.aws)
    #expect(aws.cloudWatch?.sendEvery == .seconds(300))
  }

  @Test func `the plan of a notice counts as used and must be there`() throws {
    let plan = """
      plans:
        drain: {target: host, steps: [{run: {command: [/usr/bin/drain], disruptive: false}}]}

      """
    let (configuration, problems) = load(plan + "aws: {termination: {plan: drain}}\n")
    #expect(problems == [])
    #expect(configuration?.aws?.termination.plan == "drain")
    guard case .plan("drain") = configuration?.rules.first(where: \.isNotice)?.recovery else {
      Issue.record("the plan does not answer the notice")
      return
    }
    let missing = load(plan + "aws: {termination: {plan: drian}}\n").1
    #expect(missing.contains { $0.contains("drian") && $0.contains("drain") })
    let ignored = load(plan + "aws: {termination: {watch: false}}\n")
    #expect(ignored.0?.rules.contains { $0.isNotice } == false)
  }

  private static func read(_ path: String) throws -> String {
    String(
      decoding: try FileAccess.system.read(DocumentTests.root + path, 4 << 20).get(),
      as: UTF8.self)
  }

  @Test func `the alarms of the deployment look at what the agent publishes by default`() throws {
    let alarms = try Self.read("deploy/terraform/alarms.tf")
    let line = try #require(
      alarms.split(separator: "\n").first { $0.contains("lifeguard  = { namespace") })
    let metrics = line.split(separator: "\"").filter { $0.hasSuffix("Utilization") }.map(
      String.init)
    let usual = CloudWatchSettings()
    #expect(metrics.count == 2)
    #expect(Set(metrics).isSubset(of: usual.metrics.map(\.name)))
    #expect(usual.dimensions.contains(["InstanceId"]))
    #expect(alarms.contains("dimensions          = { InstanceId = each.value.instance }"))
    #expect(line.contains("namespace = local.namespace"))
    #expect(
      try Self.read("deploy/terraform/locals.tf").contains(
        "namespace       = \"\(usual.namespace)\""))
    #expect(
      try Self.read("deploy/cloudformation/lifeguard.yaml").contains(
        "lifeguard: {Namespace: \(usual.namespace), Memory: \(metrics[0]), Disk: \(metrics[1])}"))
    // The role allows one namespace of ours, and the group is the one that the deployment makes.
    #expect(
      try Self.read("deploy/terraform/variables.tf").contains(
        "default     = \"\(CloudLogSettings.usualGroup)\""))
  }

  @Test func `a server without a configuration is given one that publishes`() throws {
    let text = "aws:\n  cloudwatch: {}\n  logs: {}\n"
    let escaped = text.split(separator: "\n").joined(separator: #"\\n"#)
    #expect(try Self.read("deploy/ssm/install-lifeguard.json").contains(escaped))
    let aws = try #require(load(text).0?.aws)
    #expect(aws.cloudWatch == CloudWatchSettings() && aws.logs == CloudLogSettings())
  }

  @Test func `the guide's figures are those of the calculation`() throws {
    let usual = CloudWatchSettings()
    let cost = CloudCost(
      CloudUse(
        metrics: usual.metrics.count, dimensionSets: 1, resolution: usual.resolution,
        sendEvery: usual.sendEvery))
    #expect(cost.customMetrics == 6 && cost.requests == 43_800)
    #expect((cost.metricDollars * 100).rounded() == 180)
    #expect((cost.requestDollars * 100).rounded() == 44)
    let guide = try Self.read("docs/guide-aws.md")
    #expect(guide.contains("| 6 a server | 0.30 each | 1.80 a server |"))
    #expect(guide.contains("| 43,800 requests | 0.01 a thousand | 0.44 a server |"))
  }

  @Test func `a function has no server to tell of`() {
    let (configuration, problems) = load("aws: {cloudwatch: {}}\n", isFunction: true)
    #expect(configuration == nil)
    #expect(problems.contains { $0.contains("agent on a server") })
  }

  @Test func `a function has no samples of whole periods to judge as an alarm`() {
    let rule = "rules:\n  - {alert: High, expr: CPUUtilization > 80, alarm: {}}\n"
    #expect(load(rule).1 == [])
    #expect(load(rule, isFunction: true).1.contains { $0.contains("\"alarm\" is for an agent") })
  }
}
