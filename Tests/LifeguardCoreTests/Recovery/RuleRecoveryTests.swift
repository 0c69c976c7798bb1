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
}
