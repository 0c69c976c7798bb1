import LifeguardConfiguration
import LifeguardCore
import Testing

@Suite struct ValueTests {
  @Test(arguments: [
    ("500ms", Duration.milliseconds(500)), ("1h30m", .seconds(5400)), ("2m", .seconds(120)),
    ("1m30s500ms", .milliseconds(90_500)),
  ])
  func `durations are read as Prometheus writes them`(text: String, expected: Duration) throws {
    let loaded = load("evaluation_interval: \(text)\ninterval: 1h")
    #expect(loaded.problems == [])
    let configuration = try #require(loaded.configuration)
    #expect(configuration.evaluationInterval == expected)
    #expect(configuration.interval == .seconds(3600))
  }

  @Test(arguments: ["1m1h", "1s1s", "s", "1", "1.5s", "", "-1s", "9999999999999999999s", "1x"])
  func `what is no duration is refused`(text: String) {
    let loaded = load("interval: '\(text)'")
    #expect(loaded.configuration == nil)
    #expect(loaded.errors.count == 1)
  }

  @Test func `an empty file gives every default`() throws {
    let loaded = load("")
    let configuration = try #require(loaded.configuration)
    #expect(loaded.problems == [])
    #expect(configuration.mode == .observe)
    #expect(configuration.http.host == "127.0.0.1")
    #expect(configuration.http.port == 9911)
    #expect(configuration.receivers.keys.sorted() == ["log"])
    #expect(configuration.routes.map(\.receivers) == [["log"]])
    #expect(configuration.files == ["/etc/lifeguard/lifeguard.yaml"])
  }

  @Test func `an IPv6 address listens in brackets`() throws {
    let configuration = try #require(load("listen: '[::1]:9000'").configuration)
    #expect(configuration.http.host == "::1")
    #expect(configuration.http.port == 9000)
  }

  @Test(arguments: ["127.0.0.1:0", "localhost:9911", "127.8.9.1:1"])
  func `loopback needs no TLS`(listen: String) {
    #expect(load("listen: \(listen)").problems == [])
  }

  @Test(arguments: [
    "0.0.0.0:9911", "10.0.0.1:9911", "example.com:9911", ":9911", "'[::]:9911'",
    "127.0.0.1.example.com:1", "127.evil:1",
  ])
  func `anything but loopback needs TLS`(listen: String) {
    #expect(load("listen: \(listen)").configuration == nil)
  }

  @Test func `an inline rule carries everything that is written`() throws {
    let text = """
      mode: auto
      rules:
        - alert: CPUHigh
          expr: CPUUtilization > 80
          clear: CPUUtilization < 60
          for: 2m
          keep_firing_for: 30s
          samples: 3 of 5
          on_no_data: alert
          mode: shadow
          labels: {severity: warning}
          annotations: {summary: high}
          recover: relieve
      plans:
        relieve:
          target: service:web
          steps: [reload, {restart: }, {run: {command: [/bin/x, -y], timeout: 9s, user: deploy}}, page]
          limit: 3 per 15m
          cooldown: 10s
          verify: {expr: CPUUtilization < 80, settle: 1s, hold: 2s, deadline: 3s}
      services: [{name: web, unit: nginx}]
      """
    let loaded = load(text)
    let configuration = try #require(loaded.configuration)
    let rule = try #require(configuration.rules.first)
    #expect(rule.expression.text == "CPUUtilization > 80")
    #expect(rule.clear?.text == "CPUUtilization < 60")
    #expect(rule.hold == .seconds(120))
    #expect(rule.keepFiringFor == .seconds(30))
    #expect(rule.samples == SampleWindow(needed: 3, window: 5))
    #expect(rule.onNoData == .alert)
    #expect(rule.mode == .shadow)
    #expect(rule.location?.line == 3)
    guard case .plan("relieve") = rule.recovery else {
      Issue.record("the rule names no plan")
      return
    }
    let plan = try #require(configuration.plans["relieve"])
    #expect(plan.target?.text == "service:web")
    #expect(plan.steps.map(\.name) == ["reload", "restart", "run", "page"])
    #expect(plan.limit == UsageLimit(count: 3, per: .seconds(900)))
    #expect(plan.cooldown == .seconds(10))
    #expect(plan.verify.deadline == .seconds(3))
    guard case .run(let command) = plan.steps[2] else {
      Issue.record("the third step runs nothing")
      return
    }
    #expect(command.arguments == ["/bin/x", "-y"])
    #expect(command.timeout == .seconds(9))
    #expect(command.user == "deploy")
    #expect(command.disruptive)
  }

  @Test func `a service entry alone brings its own ladder`() throws {
    let configuration = try #require(load("services: [{name: web, unit: nginx}]").configuration)
    let service = try #require(configuration.services.first)
    #expect(service.handle == .unit("nginx.service"))
    guard case .plan(let name) = service.plan else {
      Issue.record("the service has no plan")
      return
    }
    let plan = try #require(configuration.plans[name])
    #expect(plan.steps == [.start, .nudge, .restart, .stopCleanStart, .page(receiver: nil)])
    #expect(plan.target?.text == "service:web")
  }

  @Test func `a bare program is found on PATH, and its own name beside the executable`() throws {
    var files = MemoryFiles()
    files.add("/opt/lifeguard/lifeguard", "\u{7f}ELF", mode: 0o755)
    files.add("/opt/lifeguard/tool", "\u{7f}ELF", mode: 0o755)
    files.add("/usr/bin/lifeguard", "\u{7f}ELF", mode: 0o755)
    files.add("/usr/bin/other", "\u{7f}ELF", mode: 0o755)
    files.add(
      "/etc/lifeguard/lifeguard.yaml",
      """
      services:
        - {name: a, command: [lifeguard, demo-service]}
        - {name: b, command: [other]}
        - {name: c, command: [tool]}
      """)
    let loader = files.loader(
      environment: ["PATH": "/usr/bin"], executable: "/opt/lifeguard/lifeguard")
    let loaded = loader.load(mainFile: "lifeguard.yaml")
    #expect(loaded.problems == [])
    let programs = loaded.configuration?.services.map { service in
      if case .command(let command) = service.handle { command.arguments[0] } else { "" }
    }
    #expect(programs == ["/opt/lifeguard/lifeguard", "/usr/bin/other", "/opt/lifeguard/tool"])
  }

  @Test func `rule files are found by pattern and keep Prometheus' ways`() throws {
    let rules = """
      groups:
        - name: a
          labels: {team: core, severity: low}
          rules:
            - {alert: X, expr: up == 0, labels: {severity: high}}
      """
    let loaded = load(
      "rule_files: ['rules/*.yaml']\nevaluation_interval: 20s",
      files: [
        "/etc/lifeguard/rules/b.yaml": rules, "/etc/lifeguard/rules/a.yaml": rules,
        "/etc/lifeguard/rules/c.txt": "not yaml: [", "/etc/lifeguard/rules/.hidden.yaml": "x: [",
      ])
    #expect(loaded.problems == [])
    let groups = try #require(loaded.configuration?.ruleGroups)
    #expect(
      groups.map(\.file) == ["/etc/lifeguard/rules/a.yaml", "/etc/lifeguard/rules/b.yaml"])
    #expect(groups[0].interval == .seconds(20))
    guard case .alert(let rule) = groups[0].rules[0] else {
      Issue.record("not an alerting rule")
      return
    }
    #expect(rule.origin == .ruleFile)
    #expect(rule.onNoData == .ok)
    #expect(rule.labels.mapValues(\.text) == ["team": "core", "severity": "high"])
  }

  @Test func `the user's recoveries and plans come before those of the default pack`() throws {
    let pack = """
      groups:
        - name: host
          interval: 5s
          rules:
            - {alert: A, expr: up == 0, clear: up == 1, samples: 2 of 3}
            - {alert: B, expr: up == 0, on_no_data: alert}
      recoveries:
        - {matchers: [alertname=A], plan: shared}
      plans:
        shared: {target: 'unit:a.service', steps: [restart]}
        own: {target: host, steps: [page]}
      """
    var files = MemoryFiles()
    files.add(
      "/etc/lifeguard/lifeguard.yaml",
      """
      recoveries: [{matchers: [alertname=A], plan: none}, {matchers: [alertname=B], plan: shared}]
      plans: {shared: {target: 'unit:b.service', steps: [restart]}}
      """)
    var loader = files.loader()
    loader.defaultPack = pack
    let configuration = try #require(loader.load(mainFile: "lifeguard.yaml").configuration)
    #expect(configuration.recoveries.map(\.plan) == [nil, "shared", "shared"])
    #expect(configuration.plans["shared"]?.target?.text == "unit:b.service")
    #expect(configuration.plans["own"] != nil)
    guard case .alert(let rule) = configuration.ruleGroups[0].rules[0] else {
      Issue.record("not an alerting rule")
      return
    }
    #expect(rule.origin == .defaultPack)
    #expect(rule.onNoData == .keep)
    #expect(rule.clear?.text == "up == 1")
    #expect(rule.samples == SampleWindow(needed: 2, window: 3))
    #expect(loader.loadDefaultPack(text: pack).pack?.groups.count == 1)

    files.add("/etc/lifeguard/off.yaml", "default_rules: false")
    loader.files = files.access
    #expect(loader.load(mainFile: "off.yaml").configuration?.ruleGroups.isEmpty == true)
  }

  @Test func `a mistake in the default pack is found`() {
    let loader = MemoryFiles().loader()
    let (pack, problems) = loader.loadDefaultPack(
      text: "groups: []\nrecoveries: [{matchers: [a=b], plan: x}]")
    #expect(pack == nil)
    #expect(problems.map(\.message) == ["no plan is named \"x\""])
  }

  @Test func `nothing is half-applied`() {
    let loaded = load("mode: auto\nrules: [{alert: A, expr: up}]\ninterval: x")
    #expect(loaded.configuration == nil)
    #expect(loaded.errors.count == 1)
  }

  @Test func `a rule file and a configuration are told apart when checked`() {
    let files = MemoryFiles([
      "/etc/lifeguard/a.yaml": "groups: [{name: x, rules: [{alert: A}]}]",
      "/etc/lifeguard/b.yaml": "mode: on",
    ])
    let problems = files.loader().check(["a.yaml", "b.yaml", "c.yaml"]).map(\.description)
    #expect(problems.count == 3)
    #expect(problems[0].hasPrefix("a.yaml:1:28: \"expr\" is missing"))
    #expect(problems[1].hasPrefix("b.yaml:1:7: unknown mode"))
    #expect(problems[2].hasPrefix("c.yaml:1:1: /etc/lifeguard/c.yaml does not exist"))
  }

  @Test func `the default rules load, and there are at least twenty-five`() throws {
    let loader = ConfigurationLoader(
      files: MemoryFiles().access, environment: { _ in nil }, user: 0)
    let loaded = loader.load(mainFile: nil)
    #expect(loaded.problems == [])
    let groups = try #require(loaded.configuration?.ruleGroups)
    let alerts = groups.flatMap(\.rules).compactMap { rule in
      if case .alert(let alert) = rule { alert } else { nil }
    }
    #expect(alerts.count >= 25)
    #expect(Set(alerts.map(\.id)).count == alerts.count)
    #expect(alerts.allSatisfy { $0.clear != nil || $0.samples != nil })
  }

  @Test func `rules of one name are told apart by their place`() throws {
    let text = """
      rules:
        - {alert: A, expr: up == 0, labels: {severity: warning}}
        - {alert: B, expr: up == 0}
        - {alert: A, expr: up == 1, labels: {severity: critical}}
      """
    let configuration = try #require(load(text).configuration)
    #expect(configuration.rules.map(\.id) == ["inline/A", "inline/B", "inline/A#2"])
  }
}
