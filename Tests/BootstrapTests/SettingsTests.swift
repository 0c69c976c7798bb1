import LifeguardConfiguration
import LifeguardCore
import Testing

@testable import bootstrap

@Suite struct SettingsTests {
  private func load(_ environment: [String: String]) throws -> Configuration {
    let source = ConfigurationSource(
      settings: try FunctionSettings(environment), environment: environment
    ) { _ in .success("mode: shadow\n") }
    return try source.load { _ in }
  }

  @Test func `without any variable the original's defaults hold`() throws {
    let configuration = try load([:])
    let rule = try #require(configuration.rules.first)
    #expect(rule.expression.text == "CPUUtilization >= 80")
    #expect(rule.samples == nil)
    #expect(configuration.mode == .auto)
    let plan = try #require(configuration.plans[ZeroFile.planName])
    #expect(
      plan.steps.first
        == .run(Command(arguments: ["/opt/restart_service.sh"], timeout: .seconds(15))))
  }

  @Test(arguments: [
    (["ALARM_THRESHOLD_CPU": "70"], "CPUUtilization >= 70"),
    (
      ["ALARM_THRESHOLD_CPU": "70", "ALARM_THRESHOLD_CPUUTILIZATION": "60"], "CPUUtilization >= 60"
    ),
    (
      ["METRIC_NAME_TO_MONITOR": "MemoryUtilization", "ALARM_THRESHOLD_CPU": "70"],
      "MemoryUtilization >= 70"
    ),
    (
      ["METRIC_NAME_TO_MONITOR": "system.load", "ALARM_THRESHOLD_SYSTEM_LOAD": "4.5"],
      "system_load >= 4.5"
    ),
    // Whatever a line may have for a key.
    (["METRIC_NAME_TO_MONITOR": "CPU load %"], "CPU_load__ >= 80"),
    (["METRIC_NAME_TO_MONITOR": "5xx"], "{__name__=\"5xx\"} >= 80"),
  ])
  func `thresholds are found by the metric's name`(
    environment: [String: String], expression: String
  ) throws {
    #expect(try load(environment).rules.first?.expression.text == expression)
  }

  @Test(arguments: [
    ("ALARM_THRESHOLD_CPU", "eighty"), ("SNS_TOPIC_ARN", "alerts"),
    ("RECOVERY_SCRIPT_PATH", "restart.sh"), ("LIFEGUARD_EVENT_AGE_MAX", "soon"),
    ("LIFEGUARD_CONFIG", "config"), ("METRIC_NAME_TO_MONITOR", ""),
    ("LIFEGUARD_ALARMS", "arn:aws:sns"),
  ])
  func `a value that cannot be right is an error that names its variable`(
    name: String, value: String
  ) {
    do {
      _ = try load([name: value])
      Issue.record("\(name) was taken")
    } catch {
      #expect("\(error)".contains(name))
    }
  }

  @Test func `a configuration comes from the variable or from a parameter`() throws {
    #expect(try load(["LIFEGUARD_CONFIG": "mode: observe\n"]).mode == .observe)
    #expect(try load(["LIFEGUARD_CONFIG": "ssm:/lifeguard/config"]).mode == .shadow)
  }

  @Test func `a channel that only the agent has is refused at the start`() {
    let yaml = """
      notify:
        receivers:
          ops: {alertmanager: {url: 'http://127.0.0.1:9093'}}
      """
    #expect(throws: ConfigurationSource.Problems.self) { try load(["LIFEGUARD_CONFIG": yaml]) }
  }
}
