import Glibc
import LifeguardAgent
import LifeguardCore
import Synchronization
import TestSupport
import Testing

/// Notices of the metadata service, and what a running agent does about them.
@Suite(.timeLimit(.minutes(3))) struct TerminationTests {
  /// A plan that writes a line each time it runs, and a child that a fault may hit meanwhile.
  private func configuration(_ folder: TemporaryFolder) -> String {
    """
    mode: auto
    interval: 200ms
    guard_rails: {minimum_uptime: 0s}
    aws:
      termination: {plan: drain}
    services:
      - name: worker
        command: [/bin/sleep, '1000']
    plans:
      drain:
        target: host
        steps:
          - run:
              command: [/bin/sh, -c, 'echo "$LIFEGUARD_ALERT" >> \(folder / "drained")']
              disruptive: false
    """
  }

  private func drained(_ folder: TemporaryFolder) -> Int {
    // Nothing was drained while there is no file.
    ((try? TextFile.read(folder / "drained")) ?? "").split(separator: "\n").count
  }

  private func pid(_ wired: WiredAgent) async -> Int32? {
    await wired.agent.status(listening: "").services.first?.pid
  }

  /// Ends the child that the agent started for this test.
  private static func end(_ pid: Int32) { kill(pid, SIGKILL) }

  @Test func `a spot notice runs the plan once, and nothing else acts until it is taken back`()
    async throws
  {
    let cloud = StubCloud()
    let server = try await ByteServer { cloud.answer($0) }
    let folder = try TemporaryFolder()
    try await WiredAgent.with(configuration(folder), aws: StubCloud.settings(server.address)) {
      wired in
      #expect(await eventually { await pid(wired) != nil })
      #expect(
        await eventually {
          try await wired.value("lifeguard_instance_termination{reason=\"spot\"}") == 0
        })
      cloud.set(
        "spot/instance-action", #"{"action": "terminate", "time": "2026-11-30T20:00:00Z"}"#)
      #expect(await eventually(within: .seconds(30)) { drained(folder) == 1 })
      let incident = try #require(await wired.agent.incidents(limit: 5).first)
      #expect(incident.title == "InstanceTermination")
      // A second notice about the same end is the same trouble.
      cloud.set("autoscaling/target-lifecycle-state", "Terminated")
      #expect(
        await eventually(within: .seconds(30)) {
          try await wired.value("lifeguard_instance_termination{reason=\"autoscaling\"}") == 1
        })
      let worker = try #require(await pid(wired))
      Self.end(worker)
      #expect(
        await eventually(within: .seconds(30)) {
          await wired.metric("lifeguard_refusals_total{code=\"instance_ends\"}") ?? 0 > 0
        })
      #expect(await holds(for: .seconds(2)) { await pid(wired) == nil })
      #expect(drained(folder) == 1)
      cloud.set("spot/instance-action", nil)
      cloud.set("autoscaling/target-lifecycle-state", "InService")
      #expect(await eventually(within: .seconds(40)) { await pid(wired) != nil })
      if let again = await pid(wired) { Self.end(again) }
      #expect(drained(folder) == 1)
    }
    try await server.close()
    folder.remove()
  }

  @Test func `without a plan people are told and nothing runs`() async throws {
    let cloud = StubCloud()
    cloud.set("autoscaling/target-lifecycle-state", "Terminated")
    let server = try await ByteServer { cloud.answer($0) }
    try await WiredAgent.with(
      "mode: auto\ninterval: 200ms\naws: {}\n", aws: StubCloud.settings(server.address)
    ) { wired in
      #expect(
        await eventually(within: .seconds(30)) {
          await wired.agent.incidents(limit: 5).first?.title == "InstanceTermination"
        })
      let incident = try #require(await wired.agent.incidents(limit: 5).first)
      #expect(incident.ladder == nil)
    }
    try await server.close()
  }

  @Test func `nobody is asked where the configuration says nothing of aws`() async throws {
    let cloud = StubCloud()
    let asked = Atomic(0)
    let server = try await ByteServer { request in
      asked.add(1, ordering: .relaxed)
      return cloud.answer(request)
    }
    try await WiredAgent.with(
      "interval: 200ms\n", aws: StubCloud.settings(server.address)
    ) { wired in
      #expect(await eventually { await wired.metric("lifeguard_turns_total")! > 10 })
      #expect(asked.load(ordering: .relaxed) == 0)
    }
    try await server.close()
  }
}
