import LifeguardCore
import Testing

/// Recovery that answers a rule over metrics.
@Suite struct RuleRecoveryTests {
  private let rule = "inline/Busy"

  private func host(
    target: String? = "process:queue",
    steps: [Step] = [
      .http(HTTPAction(url: "http://x/")),
      .page(receiver: nil),
    ], noData: NoDataPolicy = .keep, keep: Duration = .zero
  ) throws -> Timeline {
    let plan = Plan(
      name: "relieve", target: try target.map { try Template(parsing: $0) }, steps: steps)
    let rule = AlertRule(
      name: "Busy", expression: try Query(parsing: "busy > 1"), keepFiringFor: keep,
      onNoData: noData, labels: ["severity": try Template(parsing: "critical")],
      recovery: .plan("relieve"))
    var host = try Timeline(services: [], rules: [rule], plans: [plan])
    host.breached[self.rule] = false
    host.pass(5)
    return host
  }

  @Test func `a breach is answered, verified with samples after the action, and closed`() throws {
    var host = try host()
    host.cures = ["http"]
    host.breached[rule] = true
    host.pass(60)
    #expect(host.stepNames == ["http"])
    #expect(host.outcomes == ["recovered"])
    #expect(host.openIncidents == 0)
  }

  @Test func `a rung that failed is followed by the next, and all of them by a person`() throws {
    var host = try host()
    host.breached[rule] = true
    host.pass(140)
    #expect(host.outcomes == ["not_recovered"])
    #expect(host.pages == 1)
  }

  @Test func `a child that dies while a rule's step is verified is started at once`() throws {
    let plan = Plan(
      name: "relieve", target: try Template(parsing: "service:web"),
      steps: [.restart, .page(receiver: nil)])
    let busy = AlertRule(
      name: "Busy", expression: try Query(parsing: "busy > 1"), recovery: .plan("relieve"))
    var host = try Timeline(services: [.child("web")], rules: [busy], plans: [plan])
    host.cures = ["start"]
    host.breached[rule] = false
    host.pass(5)
    host.breached[rule] = true
    host.pass(12)
    #expect(host.stepNames == ["restart"])
    host.dies("web")
    host.pass(2)
    #expect(host.stepNames == ["restart", "start"])
    #expect(host.outcomes == ["inconclusive"])
  }

  @Test func `stale samples act on nothing`() throws {
    var host = try host()
    host.breached[rule] = nil
    for _ in 0..<30 {
      host.send(.evaluated(host.evaluation(rule, true, age: 20)))
      host.pass(1)
    }
    #expect(host.steps.isEmpty && host.codes.contains("stale_evidence"))
  }

  @Test func `no data neither acts nor ends an incident`() throws {
    var host = try host(noData: .alert)
    host.breached[rule] = nil
    for _ in 0..<60 {
      host.send(.evaluated(Evaluation(rule: rule, hasData: false)))
      host.pass(1)
    }
    #expect(host.openIncidents == 1)
    #expect(host.steps.isEmpty && host.codes.contains("no_data"))
  }

  @Test func `an alert that only keeps firing is not acted on`() throws {
    var host = try host(keep: .seconds(600))
    host.send(.command(.freeze(by: "ann", reason: "look")))
    host.breached[rule] = true
    host.pass(3)
    host.breached[rule] = false
    host.pass(3)
    host.send(.command(.thaw(by: "ann")))
    host.pass(60)
    #expect(host.steps.isEmpty && host.codes.contains("subsiding"))
  }

  @Test func `nothing disruptive happens to a host that no plan names`() throws {
    var host = try host(target: nil)
    host.breached[rule] = true
    host.pass(60)
    #expect(host.steps.isEmpty && host.codes.contains("no_target"))
  }

  @Test func `samples from before the clock was set back act on nothing`() throws {
    var host = try host()
    host.send(.command(.freeze(by: "ann", reason: "look")))
    host.breached[rule] = true
    host.pass(2)
    host.setClock(back: 600)
    host.send(.command(.thaw(by: "ann")))
    host.pass(10)
    #expect(host.steps.isEmpty && host.codes.contains("clock_set_back"))
    host.pass(30)
    #expect(host.stepNames == ["http"])
  }

  @Test func `an incident whose series ended is closed, not recovered, also over a restart`() throws
  {
    var host = try host(noData: .ok)
    host.isSilent = true
    host.breached[rule] = true
    host.pass(3)
    host.breached[rule] = nil
    host.send(.evaluated(Evaluation(rule: rule, hasData: false)))
    try host.restartAgent()
    host.pass(600)
    #expect(host.monitor.state.incidents[1]?.state == .closed)
  }

  @Test func `an action elsewhere of which nobody knows calls a person, not a stronger step`()
    throws
  {
    var host = try host(
      target: "instance:i-1",
      steps: [
        .cloud(.ssm(SSMAction(document: "AWS-RunShellScript"))), .cloud(.ec2(EC2Action(.reboot))),
        .page(receiver: nil),
      ])
    host.stepStatus = .unknown
    host.breached[rule] = true
    host.pass(130)
    #expect(host.outcomes == ["inconclusive"])
    #expect(host.pages == 1)
    host.pass(3600)
    #expect(Set(host.stepNames) == ["ssm"])
    #expect(Set(host.outcomes) == ["inconclusive"])
  }

  @Test func `so does one that the agent's end interrupted`() throws {
    var host = try host(
      target: "instance:i-1",
      steps: [
        .cloud(.ssm(SSMAction(document: "AWS-RunShellScript"))), .cloud(.ec2(EC2Action(.reboot))),
        .page(receiver: nil),
      ])
    host.isSilent = true
    host.breached[rule] = true
    host.pass(3)
    try host.restartAgent()
    host.pass(130)
    #expect(host.outcomes == ["inconclusive"])
    #expect(host.stepNames == ["ssm"])
  }

  @Test func `a script of which nobody knows is over, so that the next rung follows`() throws {
    let script = Step.run(Command(arguments: ["/opt/fix"]))
    var host = try host(steps: [script, .stopCleanStart, .page(receiver: nil)])
    host.stepStatus = .unknown
    host.breached[rule] = true
    host.pass(140)
    #expect(host.outcomes == ["not_recovered"])
    #expect(host.stepNames == ["run", "stop_clean_start"])
  }

  @Test func `a machine is rebooted once in a while, and not more often in a day`() throws {
    let reboot = Step.cloud(.ec2(EC2Action(.reboot)))
    let plan = Plan(
      name: "relieve", target: try Template(parsing: "instance:i-1"),
      steps: [reboot, .page(receiver: nil)])
    let busy = AlertRule(
      name: "Busy", expression: try Query(parsing: "busy > 1"),
      labels: ["severity": try Template(parsing: "critical")], recovery: .plan("relieve"))
    var settings = GuardRailSettings()
    settings.rebootBudget = UsageLimit(count: 1, per: .seconds(1200))
    settings.rebootDayBudget = UsageLimit(count: 2, per: .seconds(4800))
    var host = try Timeline(services: [], rules: [busy], plans: [plan], settings: settings)
    host.cures = ["ec2"]
    host.breached[rule] = false
    host.pass(5)
    var used: [Int] = []
    // It breaks every ten minutes, and only a reboot helps.
    for _ in 0..<12 {
      host.breached[rule] = true
      host.pass(600)
      used.append(host.steps.count)
    }
    #expect(used == [1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 4, 4])
    #expect(host.codes.contains("budget_reboot"))
    #expect(host.pages >= 1)
  }
}
