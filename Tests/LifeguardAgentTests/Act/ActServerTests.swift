import Glibc
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardAgent
@testable import LifeguardHost

/// What the acting side does for an asker that it must not believe.
@Suite struct ActServerTests {
  private static let configuration = """
    services:
      - name: web
        command: [sleep, '300']
        recover: fix
      - name: db
        command: [sleep, '301']
    plans:
      fix:
        target: service:web
        steps: [nudge, {run: {command: [FOLDER/fix.sh]}}, {signal: KILL}, stop]
        limit: 4 per 15m
      unit:
        target: 'unit:{{ $labels.unit }}'
        steps: [restart]
    recoveries:
      - {matchers: [alertname=X], plan: unit}
    """

  @Test func `only a rung of a plan that it knows itself is carried out, and only on its target`()
    async throws
  {
    try await ActingWorld.with(Self.configuration) { world in
      let remote = world.remote
      func code(_ order: StepOrder) async -> String? { await remote.perform(order).refusalCode }
      #expect(await code(world.order(fence: 1, rung: 1, hash: "0")) == "plan_changed")
      #expect(await code(world.order(fence: 1, rung: 9)) == "plan_changed")
      #expect(await code(world.order(fence: 1, rung: -1)) == "plan_changed")
      #expect(await code(world.order(fence: 1, plan: "invented")) == "plan_changed")
      let foreign = [
        Target(.service, "db"), .host, Target(.service, "sshd"), Target(.unit, "ssh.service"),
      ]
      for target in foreign {
        #expect(await code(world.order(fence: 1, rung: 1, target: target)) == "foreign_target")
      }
      #expect(world.runs.isEmpty)
      let result = await remote.perform(world.order(fence: 1, rung: 1))
      #expect(result.status == .succeeded, "\(result)")
      #expect(world.runs == ["1/1/1"])
    }
  }

  @Test func `an order that is not newer than the last on its target is not carried out`()
    async throws
  {
    try await ActingWorld.with(Self.configuration) { world in
      let remote = world.remote
      #expect(await remote.perform(world.order(fence: 5, rung: 1)).status == .succeeded)
      for fence in [5, 4, 0, -1] {
        let again = await remote.perform(world.order(fence: fence, rung: 1))
        #expect(again.refusalCode == "stale_order", "\(fence): \(again)")
      }
      #expect(await remote.perform(world.order(fence: 6, rung: 1)).status == .succeeded)
      #expect(world.runs == ["1/1/5", "1/1/6"])
    }
  }

  @Test func `a process that is said to be a child is believed only if it is one`() async throws {
    try await ActingWorld.with(Self.configuration) { world in
      let stranger = try ChildProgram(["sleep", "302"])
      defer { stranger.kill() }
      let identity = try #require(ProcessIdentity.current(pid: stranger.pid))
      await withTaskGroup(of: Void.self) { group in
        let isDown = OneShot<Bool>()
        group.addTask {
          await world.remote.watch(
            children: [ChildRecord(service: "web", identity: identity)], startsMissing: false
          ) { report in
            if case .observed(let seen) = report, seen.service == "web",
              case .dead = seen.condition
            {
              isDown.finish(true)
            }
          }
        }
        #expect(await isDown.value)
        for (fence, rung) in [(1, 0), (2, 2), (3, 3)] {
          _ = await world.remote.perform(world.order(fence: fence, rung: rung))
        }
        #expect(ProcessIdentity.current(pid: stranger.pid) == identity)
        group.cancelAll()
      }
    }
  }

  @Test(arguments: [
    ("ssh.service", "never_list"), ("dbus.service", "never_list"), ("user.slice", "never_list"),
    ("poweroff.target", "never_list"), ("web*.service", "no_unit_name"), ("web", "no_unit_name"),
  ])
  func `a unit that is never put down, and a pattern, are refused at the last moment`(
    _ unit: String, _ code: String
  ) async throws {
    try await ActingWorld.with(Self.configuration) { world in
      var order = world.order(fence: 1, target: Target(.unit, unit), plan: "unit")
      order.alert.labels = ["unit": unit]
      #expect(await world.remote.perform(order).refusalCode == code)
    }
  }

  @Test func `after a freeze a reload starts no child that is down, after a thaw it does`()
    async throws
  {
    try await ActingWorld.with(Self.configuration) { world in
      let (reports, reporting) = AsyncStream.makeStream(of: HandsReport.self)
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          await world.remote.watch(children: [], startsMissing: false) { reporting.yield($0) }
        }
        var seen = reports.makeAsyncIterator()
        func nextLook() async -> ServiceCondition? {
          while let report = await seen.next() {
            if case .observed(let observation) = report, observation.service == "db" {
              return observation.condition
            }
          }
          return nil
        }
        _ = await nextLook()
        await world.remote.allowStarts(false)
        _ = await world.remote.configurationFiles()
        for _ in 0..<3 { #expect(await nextLook()?.identity == nil) }
        #expect(world.hands.supervisor.identity(of: "db") == nil)
        await world.remote.allowStarts(true)
        _ = await world.remote.configurationFiles()
        #expect(await eventually { world.hands.supervisor.identity(of: "db") != nil })
        group.cancelAll()
      }
    }
  }

  @Test func `the kill switch file stops what was already decided`() async throws {
    try await ActingWorld.with(Self.configuration) { world in
      try TextFile.write("", to: world.folder / "freeze")
      let result = await world.remote.perform(world.order(fence: 1, rung: 1))
      #expect(result.refusalCode == "kill_switch_file" && world.runs.isEmpty)
    }
  }

  @Test func `evidence holds the processes of the moment in which it was asked for`() async throws {
    try await ActingWorld.with(Self.configuration) { world in
      world.list("culprit", at: .seconds(100))
      world.list("guilty", at: .seconds(110))
      let report = await world.remote.collectEvidence(
        EvidenceRequest(
          incident: 1, target: .host, service: nil, limit: .milliseconds(300)))
      #expect(report.sections.count { $0.title == "top processes" } == 1)
      let text = try #require(report.sections.first).text
      #expect(text.contains("guilty"))
      #expect(text.hasSuffix("\nthe minute before, by CPU\n10s before: culprit (7) 97.0 %\n"))
      #expect(report.summary.contains("; busiest: 7 1 R 97.0"), "\(report.summary)")
    }
  }

  @Test func `what only root may read of a process is looked at by the acting side`() async throws {
    try await ActingWorld.with(Self.configuration) { world in
      let child = try ChildProgram(["sleep", "303"])
      defer { child.kill() }
      let identity = try #require(ProcessIdentity.current(pid: child.pid))
      let ended = ProcessIdentity(pid: child.pid, startTicks: identity.startTicks + 1)
      world.list("sleep", at: .seconds(1), unread: [ended, identity])
      #expect(await eventually { world.processes.looks[child.pid] != nil })
      let look = try #require(world.processes.looks[child.pid])
      #expect(look.process == identity && (look.descriptors ?? 0) >= 3, "\(look)")
      #expect(world.processes.looks.count == 1)
    }
  }
}
