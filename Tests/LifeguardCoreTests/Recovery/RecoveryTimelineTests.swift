import LifeguardCore
import Testing

/// Each guard rail as a short story.
@Suite struct RecoveryTimelineTests {
  @Test func `a dead child is started at once and verified`() throws {
    var host = try Timeline(services: [.child("web")])
    host.cures = ["start"]
    host.pass(2)
    host.dies("web")
    #expect(host.stepNames == ["start"])
    host.pass(40)
    #expect(host.outcomes == ["recovered"])
    #expect(host.openIncidents == 0)
    #expect(host.codes.last { $0 == "recovered" || $0 == "closed" } == "recovered")
  }

  @Test func `a crash loop ends in a page and not in endless restarts`() throws {
    var host = try Timeline(services: [.child("web")])
    host.cures = []
    host.pass(2)
    host.dies("web")
    host.pass(2 * 3600)
    #expect(host.pages >= 1)
    // Six an hour, and a breaker that opens for ever longer.
    #expect(host.steps.count <= 12, "\(host.steps.count) steps")
    #expect(host.codes.contains("breaker_opened"))
    #expect(host.openIncidents == 1)
  }

  @Test func `a child that works for a minute each time ends in a page too`() throws {
    var host = try Timeline(services: [.child("web")])
    host.cures = ["start"]
    host.pass(2)
    for _ in 0..<10 {
      host.dies("web")
      host.pass(60)
    }
    #expect(host.steps.count == 3)
    #expect(host.pages == 1)
    #expect(host.codes.contains("budget_target"))
  }

  @Test func `a unit is acted on only after three looks`() throws {
    var host = try Timeline(services: [.unit("web")])
    host.dies("web")
    #expect(host.codes.contains("starting_up"))
    #expect(host.steps.isEmpty)
    host.pass(2)
    #expect(host.stepNames == ["start"])
  }

  @Test func `a hung service is restarted, not started`() throws {
    var host = try Timeline(services: [.unit("web", probed: true)])
    host.cures = ["restart"]
    host.pass(5)
    host.answers["web"] = .timeout
    host.pass(60)
    #expect(host.stepNames == ["restart"])
    #expect(host.outcomes == ["recovered"])
  }

  @Test func `a suspended process is continued, not killed`() throws {
    var host = try Timeline(services: [.unit("web")])
    host.cures = ["nudge"]
    host.pass(5)
    host.conditions["web"] = .suspended(ProcessIdentity(pid: 9, startTicks: 9), traced: false)
    host.pass(60)
    #expect(host.stepNames == ["nudge"])
  }

  @Test func `what is frozen while its start is verified is continued soon`() throws {
    var host = try Timeline(services: [.child("web")])
    host.cures = ["start", "nudge"]
    host.pass(2)
    host.dies("web")
    host.pass(3)
    host.conditions["web"] = .suspended(ProcessIdentity(pid: 101, startTicks: 101), traced: false)
    host.pass(8)
    #expect(host.stepNames == ["start", "nudge"])
    host.pass(60)
    #expect(host.outcomes == ["not_recovered", "recovered"])
  }

  @Test func `what SIGCONT does not wake is restarted without waiting for the deadline`() throws {
    var host = try Timeline(services: [.unit("web")])
    host.cures = ["restart"]
    host.pass(5)
    host.conditions["web"] = .suspended(ProcessIdentity(pid: 9, startTicks: 9), traced: false)
    host.pass(20)
    #expect(host.stepNames == ["nudge", "restart"])
  }

  @Test func `a process in a debugger is left alone`() throws {
    var host = try Timeline(services: [.unit("web")])
    host.pass(5)
    host.conditions["web"] = .suspended(ProcessIdentity(pid: 9, startTicks: 9), traced: true)
    host.pass(600)
    #expect(host.steps.isEmpty)
  }

  @Test func `an operator's stop is not a fault, and ends an incident without a recovery`() throws {
    var host = try Timeline(services: [.unit("web")])
    host.pass(5)
    host.conditions["web"] = .stoppedByOperator("systemctl stop")
    host.pass(60)
    #expect(host.steps.isEmpty && host.openIncidents == 0)
    host.comesUp("web")
    host.pass(5)
    host.isSilent = true
    host.dies("web")
    host.conditions["web"] = .stoppedByOperator("systemctl stop")
    host.pass(400)
    #expect(host.monitor.state.incidents[1]?.state == .closed)
  }

  @Test func `what its own supervisor restarts is watched, and a loop of it ends in a page`() throws
  {
    var host = try Timeline(services: [.unit("web")])
    host.pass(5)
    for _ in 0..<4 {
      host.conditions["web"] = .restarting("systemd restarts it")
      host.pass(10)
      host.comesUp("web")
      host.pass(6)
      host.dies("web")
    }
    #expect(host.records.contains { $0.kind == .acted && $0.code == "observe" })
    host.conditions["web"] = .restarting("systemd restarts it")
    host.pass(600)
    #expect(host.pages >= 1)
  }

  @Test func `a failing configuration test forbids the restart and is told once`() throws {
    var host = try Timeline(services: [.unit("web", probed: true, configTest: ["nginx", "-t"])])
    host.preparation = Preparation(
      refusals: [Refusal(.precondition, code: "config_test", "nginx -t failed")])
    host.pass(5)
    host.answers["web"] = .timeout
    host.pass(600)
    #expect(host.steps.isEmpty)
    #expect(host.announcements.count { $0.kind == .refused } == 1)
    #expect(host.pages == 1)
  }

  @Test func `dependants of what is down are left alone, and brought up after it`() throws {
    var host = try Timeline(services: [.child("db"), .child("web", dependsOn: ["db"])])
    host.cures = ["start"]
    host.pass(5)
    host.isSilent = true
    host.dies("db")
    host.dies("web")
    host.pass(30)
    #expect(host.steps.map(\.target) == ["service:db"])
    #expect(host.openIncidents == 1)
    host.isSilent = false
    host.comesUp("db")
    host.pass(60)
    #expect(host.steps.map(\.target) == ["service:db", "service:web"])
    host.pass(300)
    #expect(host.openIncidents == 0)
  }

  @Test func `a neighbour that breaks during an action stops the ladder`() throws {
    var host = try Timeline(services: [
      .unit("db", probed: true), .unit("web", dependsOn: ["db"]),
    ])
    host.pass(5)
    host.answers["db"] = .timeout
    host.pass(4)
    #expect(host.stepNames == ["restart"])
    host.dies("web")
    host.pass(1000)
    #expect(host.outcomes.first == "worse")
    #expect(host.steps.count { $0.target == "unit:db.service" } == 1)
    #expect(host.pages >= 1)
  }

  @Test func `nothing is done while frozen, and everything once thawed`() throws {
    var host = try Timeline(services: [.child("web")])
    host.cures = ["start"]
    host.send(.command(.freeze(by: "ann", reason: "a look around")))
    host.dies("web")
    host.pass(300)
    #expect(host.steps.isEmpty && host.codes.contains("frozen"))
    host.send(.command(.thaw(by: "ann")))
    #expect(host.stepNames == ["start"])
  }

  @Test func `the kill switch file stops everything`() throws {
    var host = try Timeline(services: [.child("web")])
    host.facts.killSwitch = true
    host.pass(1)
    host.dies("web")
    host.pass(300)
    #expect(host.steps.isEmpty && host.codes.contains("kill_switch_file"))
  }

  @Test func `observe says what it would do, and still starts its own children`() throws {
    var host = try Timeline(services: [.child("job"), .unit("web")], mode: .observe)
    host.cures = ["start"]
    host.pass(5)
    host.dies("web")
    host.dies("job")
    host.pass(120)
    #expect(host.steps.map(\.target) == ["service:job"])
    #expect(host.records.count { $0.kind == .wouldAct } == 1)
  }

  @Test func `approve waits for a person, once per step, and not for ever`() throws {
    var host = try Timeline(services: [.unit("web")], mode: .approve)
    host.cures = ["start"]
    host.pass(5)
    host.dies("web")
    host.pass(60)
    #expect(host.steps.isEmpty && host.codes.contains("approval_needed"))
    host.pass(900)
    #expect(host.codes.contains("approval_expired"))
    host.send(.command(.approve(id: "1-0-1", by: "ann")))
    #expect(host.stepNames == ["start"])
  }

  @Test func `under pressure slow answers alone restart nothing`() throws {
    var host = try Timeline(services: [.unit("web", probed: true)])
    host.facts.cpuPressureSome = 80
    host.pass(5)
    for _ in 0..<60 {
      host.send(
        .probed(
          ProbeResult(
            service: "web", outcome: .timeout, started: host.moment, duration: .seconds(1),
            cpuTicksUsed: 50)))
      host.answers["web"] = nil
      host.pass(1)
    }
    #expect(host.steps.isEmpty && host.codes.contains("slow_not_dead"))
  }

  @Test func `under pressure a hang must last, and be asked for with more patience`() throws {
    var host = try Timeline(services: [.unit("web", probed: true)])
    host.facts.cpuPressureSome = 80
    host.pass(5)
    func hang(_ host: inout Timeline, waiting: Duration) {
      host.answers["web"] = nil
      host.send(
        .probed(
          ProbeResult(
            service: "web", outcome: .timeout, started: host.moment, duration: waiting,
            cpuTicksUsed: 0)))
      host.pass(3)
    }
    // As patient as without pressure: however often, it proves nothing.
    for _ in 0..<10 { hang(&host, waiting: .seconds(1)) }
    #expect(host.steps.isEmpty && host.codes.contains("slow_not_dead"))
    for _ in 0..<2 { hang(&host, waiting: .seconds(3)) }
    #expect(host.steps.isEmpty)
    hang(&host, waiting: .seconds(3))
    host.pass(60)
    #expect(host.stepNames.first == "restart")
  }

  @Test func `workers that use CPU time are no hang, however quiet their master is`() throws {
    var host = try Timeline(services: [.unit("web", probed: true)])
    host.pass(5)
    host.answers["web"] = nil
    for ticks: UInt64 in [0, 40] {
      host.send(
        .probed(
          ProbeResult(
            service: "web", outcome: .timeout, started: host.moment, duration: .seconds(1),
            cpuTicksUsed: ticks)))
      host.pass(1)
    }
    #expect(host.steps.isEmpty)
  }

  @Test func `a plan whose label holds a pattern acts on nothing, and says so`() throws {
    let plan = Plan(
      name: "units", target: try Template(parsing: "unit:{{ $labels.service }}"),
      steps: [.restart])
    var service = Service.unit("web")
    service.plan = .plan("units")
    service.labels = ["service": "web*"]
    var host = try Timeline(services: [service], plans: [plan])
    host.pass(5)
    host.dies("web")
    host.pass(30)
    #expect(host.steps.isEmpty && host.codes.contains("no_unit_name"))
  }

  @Test func `nothing disruptive happens right after a boot`() throws {
    var host = try Timeline(services: [.unit("web", probed: true)], bootedAt: -10)
    host.pass(5)
    host.answers["web"] = .timeout
    host.pass(60)
    #expect(host.steps.isEmpty && host.codes.contains("just_booted"))
    host.pass(60)
    #expect(host.stepNames == ["restart"])
  }

  @Test func `an unfinished intent is verified after a crash and never run again`() throws {
    var host = try Timeline(services: [.child("web")])
    host.pass(5)
    host.isSilent = true
    host.dies("web")
    host.comesUp("web")
    try host.restartAgent()
    #expect(host.codes.contains("interrupted"))
    host.pass(60)
    #expect(host.stepNames == ["start"])
    #expect(host.outcomes == ["recovered"])
  }

  @Test func `a budget survives the agent`() throws {
    var host = try Timeline(services: [.child("web")])
    host.cures = ["start"]
    for _ in 0..<8 {
      host.dies("web")
      host.pass(40)
      try host.restartAgent()
    }
    #expect(host.steps.count == 3)
  }

  @Test func `a lost state acts on nothing before a thaw, and has no budget after it`() throws {
    var host = try Timeline(services: [.unit("web")])
    try host.restartAgent(stateWasLost: true)
    host.pass(5)
    host.dies("web")
    host.pass(60)
    #expect(host.steps.isEmpty && host.codes.contains("state_lost"))
    host.send(.command(.thaw(by: "ann")))
    host.pass(60)
    #expect(host.steps.isEmpty && host.codes.contains("budget_target"))
    host.pass(3600)
    #expect(host.stepNames.first == "start")
  }

  @Test func `a step that says nothing is verified in the end`() throws {
    var host = try Timeline(services: [.child("web")])
    host.isSilent = true
    host.dies("web")
    host.pass(300)
    #expect(host.codes.contains("start") && !host.outcomes.isEmpty)
  }

  @Test func `a look that failed neither acts nor climbs`() throws {
    var host = try Timeline(services: [.unit("web")])
    host.pass(5)
    host.isSilent = true
    host.dies("web")
    host.conditions["web"] = .unknown("systemctl timed out")
    host.pass(3000)
    #expect(host.stepNames == ["start"])
  }

  @Test func `a reload of the policy keeps incidents of services open`() throws {
    var host = try Timeline(services: [.unit("web")])
    host.pass(5)
    host.isSilent = true
    host.dies("web")
    host.replacePolicy(host.monitor.policy)
    #expect(host.openIncidents == 1)
  }

  @Test func `a target that is healthy again gets its whole budget back`() throws {
    var host = try Timeline(services: [.child("web")])
    host.cures = ["start"]
    for _ in 0..<5 {
      host.dies("web")
      host.pass(40)
    }
    #expect(host.steps.count == 3)
    host.comesUp("web")
    host.pass(3600)
    let before = host.steps.count
    for _ in 0..<3 {
      host.dies("web")
      host.pass(40)
    }
    #expect(host.steps.count == before + 3)
  }

  /// A database that hangs, and what needs it.
  private func database() throws -> Timeline {
    var host = try Timeline(services: [
      .unit("db", probed: true), .unit("web", probed: true, dependsOn: ["db"]),
    ])
    host.cures = ["restart"]
    host.pass(5)
    host.answers["db"] = .timeout
    host.pass(4)
    return host
  }

  @Test func `a neighbour that breaks after a restart ends the ladder at once`() throws {
    var host = try database()
    #expect(host.stepNames == ["restart"])
    host.pass(6)
    host.dies("web")
    #expect(host.outcomes == ["worse"])
    // It comes back, which does not make the restart harmless.
    host.comesUp("web")
    host.pass(60)
    #expect(host.outcomes == ["worse"] && host.stepNames == ["restart"])
    #expect(host.pages >= 1)
  }

  @Test func `a neighbour that breaks while its dependency restarts gets time to recover`() throws {
    var host = try database()
    host.answers["web"] = .refused("connection refused")
    host.pass(3)
    host.answers["web"] = .success
    host.pass(40)
    #expect(host.outcomes == ["recovered"])
  }

  @Test func `what its own supervisor brings back is not made worse`() throws {
    var host = try database()
    host.pass(6)
    host.conditions["web"] = .restarting("systemd restarts it")
    host.pass(3)
    host.comesUp("web")
    host.pass(40)
    #expect(host.outcomes.last == "recovered" && !host.outcomes.contains("worse"))
  }
}
