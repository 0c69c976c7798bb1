import LifeguardCore
import Testing

/// What happens on a machine that is about to be taken away.
@Suite struct DrainingTests {
  private static let notice = "aws/InstanceTermination"

  /// A service of Lifeguard's own, and the plan that empties this machine.
  private func host(
    _ steps: [Step] = [.run(Command(arguments: ["/opt/drain"], disruptive: false))],
    target: String = "host", services: [Service] = [.child("web")]
  ) throws -> Timeline {
    var rule = AlertRule(
      name: "InstanceTermination", expression: try Query(parsing: "ending > 0"),
      labels: ["severity": try Template(parsing: "critical")], recovery: .plan("drain"),
      id: Self.notice)
    rule.isNotice = true
    let plan = Plan(name: "drain", target: try Template(parsing: target), steps: steps)
    var host = try Timeline(services: services, rules: [rule], plans: [plan])
    host.breached[Self.notice] = false
    host.pass(5)
    return host
  }

  private func announce(_ host: inout Timeline, _ isGiven: Bool) {
    host.facts.termination = isGiven ? "spot capacity is taken back" : nil
    host.breached[Self.notice] = isGiven
  }

  @Test func `a notice runs its plan once, however long the machine lives on`() throws {
    var host = try host()
    announce(&host, true)
    host.pass(3 * 3600)
    #expect(host.stepNames == ["run"])
    #expect(host.outcomes == ["recovered"])
    #expect(host.openIncidents == 1)
    #expect(host.codes.contains("instance_ends"))
    announce(&host, false)
    host.pass(10)
    #expect(host.openIncidents == 0)
    #expect(host.codes.contains("instance_stays"))
  }

  @Test func `a second notice later is answered again`() throws {
    var host = try host()
    announce(&host, true)
    host.pass(60)
    announce(&host, false)
    host.pass(60)
    announce(&host, true)
    host.pass(120)
    #expect(host.stepNames == ["run", "run"])
  }

  @Test func `nothing else acts until the notice is taken back`() throws {
    var host = try host()
    host.cures = ["start"]
    announce(&host, true)
    host.pass(30)
    host.dies("web")
    host.pass(3600)
    #expect(host.stepNames == ["run"])
    #expect(host.records.contains { $0.kind == .refused && $0.code == "instance_ends" })
    announce(&host, false)
    host.pass(120)
    #expect(host.stepNames == ["run", "start"])
    #expect(host.openIncidents == 0)
  }

  @Test func `each rung is tried once when none succeeds, and then a person is needed`() throws {
    let gentle = Command(arguments: ["/opt/drain"], disruptive: false)
    let hard = Command(arguments: ["/opt/drain", "--now"], disruptive: false)
    var host = try host([.run(gentle), .run(hard), .page(receiver: nil)])
    host.stepStatus = .failed
    announce(&host, true)
    host.pass(4 * 3600)
    #expect(host.stepNames == ["run", "run"])
    #expect(host.outcomes == ["not_recovered", "not_recovered"])
    #expect(host.pages == 1)
    #expect(!host.codes.contains("breaker_opened"))
  }

  @Test func `a step that is being verified does not keep the plan waiting`() throws {
    var host = try host(
      target: "service:web", services: [.unit("web", probed: true)])
    host.answers["web"] = .timeout
    host.pass(8)
    #expect(host.stepNames == ["restart"])
    announce(&host, true)
    host.pass(5)
    #expect(host.stepNames == ["restart", "run"])
    #expect(host.outcomes.first == "inconclusive")
  }

  @Test func `the plan is not run a second time by an agent that starts anew`() throws {
    var host = try host()
    announce(&host, true)
    host.pass(20)
    try host.restartAgent()
    host.pass(600)
    #expect(host.stepNames == ["run"])
  }

  @Test func `the kill switch comes first`() throws {
    var host = try host()
    host.facts.killSwitch = true
    announce(&host, true)
    host.pass(60)
    #expect(host.steps.isEmpty && host.codes.contains("kill_switch_file"))
  }
}
