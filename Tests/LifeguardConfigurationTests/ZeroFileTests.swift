import LifeguardConfiguration
import LifeguardCore
import Testing

@Suite struct ZeroFileTests {
  private func load(_ environment: [String: String]) -> LoadedConfiguration {
    var files = MemoryFiles()
    files.add("/opt/fix.sh", "#!/bin/sh\n", mode: 0o755)
    files.add("/bin/sh", "\u{7f}ELF", mode: 0o755)
    return files.loader(environment: environment).load(mainFile: nil)
  }

  @Test func `without variables nothing acts and nothing is added`() throws {
    let configuration = try #require(load([:]).configuration)
    #expect(configuration.mode == .observe)
    #expect(configuration.rules.isEmpty)
    #expect(configuration.zeroFile == nil)
  }

  @Test func `a metric and its threshold make one rule that only tells`() throws {
    let loaded = load([
      "METRIC_NAME_TO_MONITOR": "MemoryUtilization", "ALARM_THRESHOLD_MEMORYUTILIZATION": "92.5",
      "ALARM_THRESHOLD_CPU": "50",
    ])
    let configuration = try #require(loaded.configuration)
    #expect(configuration.rules.map(\.expression.text) == ["MemoryUtilization >= 92.5"])
    #expect(configuration.mode == .observe)
    #expect(configuration.plans.isEmpty)
  }

  @Test func `the threshold falls back to that of the CPU and then to 80`() {
    #expect(
      load(["METRIC_NAME_TO_MONITOR": "X", "ALARM_THRESHOLD_CPU": "50"]).configuration?.rules
        .map(\.expression.text) == ["X >= 50"])
    #expect(
      load(["METRIC_NAME_TO_MONITOR": "X"]).configuration?.rules.map(\.expression.text)
        == ["X >= 80"])
    #expect(
      load(["ALARM_THRESHOLD_CPUUTILIZATION": "70"]).configuration?.rules.map(\.expression.text)
        == ["CPUUtilization >= 70"])
  }

  @Test func `it acts only when the script is named`() throws {
    let configuration = try #require(
      load(["RECOVERY_SCRIPT_PATH": "/opt/fix.sh"]).configuration)
    #expect(configuration.mode == .auto)
    let plan = try #require(configuration.plans["zero-file"])
    guard case .run(let command) = plan.steps[0] else {
      Issue.record("the first step runs nothing")
      return
    }
    #expect(command.arguments == ["/opt/fix.sh"])
  }

  @Test func `a topic is told with the subject and prefix that are set`() throws {
    let loaded = load([
      "SNS_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:ops", "NOTIFICATION_SUBJECT": "Help",
    ])
    let configuration = try #require(loaded.configuration)
    guard case .sns(let channel) = configuration.receivers["sns"]?.channels.first else {
      Issue.record("no topic")
      return
    }
    #expect(channel.templates.subject?.text == "Help")
    #expect(channel.templates.prefix == "Server Metric Alert: ")
    #expect(configuration.zeroFile?.logGroup == "ServerMetricsLogGroup")
  }

  @Test(arguments: [
    ("ALARM_THRESHOLD_CPU", "eighty"), ("ALARM_THRESHOLD_CPUUTILIZATION", ""),
    ("ALARM_THRESHOLD_CPU", "nan"), ("METRIC_NAME_TO_MONITOR", "CPU Utilization"),
    ("METRIC_NAME_TO_MONITOR", "x > 1 or y"), ("RECOVERY_SCRIPT_PATH", "fix.sh"),
    ("SNS_TOPIC_ARN", "ops"), ("LOG_GROUP_NAME", ""),
  ])
  func `a value that does not parse is an error that names the variable`(
    name: String, value: String
  ) {
    let loaded = load([name: value])
    #expect(loaded.configuration == nil)
    #expect(loaded.errors.count == 1)
    #expect(loaded.errors.allSatisfy { $0.message.hasPrefix(name) })
  }

  @Test func `a script that is named lets nothing of the default pack act`() throws {
    var files = MemoryFiles()
    files.add("/opt/fix.sh", "\u{7f}ELF", mode: 0o755)
    var loader = files.loader(environment: ["RECOVERY_SCRIPT_PATH": "/opt/fix.sh"])
    loader.defaultPack = "{groups: [], plans: {p: {target: 'unit:x', steps: [restart]}}}"
    let configuration = try #require(loader.load(mainFile: nil).configuration)
    #expect(configuration.plans["p"]?.mode == .observe)
    #expect(configuration.plans["zero-file"]?.mode == nil)
  }
}
