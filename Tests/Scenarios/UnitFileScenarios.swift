import TestSupport
import Testing

/// The agent under `deploy/systemd/lifeguard.service`, hardening and watchdog included.
@Suite(
  .scenario, .enabled(if: BoxScene.requirement.isMet, "\(BoxScene.requirement.reason)"))
struct UnitFileScenarios {
  private static let ladder = """
    {steps: [start, page], cooldown: 0s, verify: {settle: 100ms, hold: 500ms, deadline: 10s}}
    """

  private static let services = """
    services:
      - {name: kid, command: [/bin/sleep, infinity], recover: \(ladder)}
      - {name: app, unit: app.service, recover: \(ladder)}
    """

  private static let app = """
    [Service]
    ExecStart=/bin/sleep infinity
    """

  @Test func `under its unit the agent recovers, and its children outlive it`() async throws {
    try await BoxScene.play(
      units: ["app.service": Self.app], start: ["app.service"], startedBy: .systemd, Self.services
    ) { scene in
      #expect(try await scene.property("ActiveState", of: "lifeguard") == "active")
      try await scene.waitFor("kid", "up")
      try await scene.waitFor("app", "up")
      let kid = try #require(try scene.api.status().service("kid")?.pid)

      // What it is for, with the rights that the unit leaves it.
      try await scene.killMainProcess(of: "app.service")
      let story = try await scene.incident(of: "unit:app.service", "recovered")
      #expect(story.incident.steps == ["start"], "\(story)")

      // Killed, systemd brings it back, and it adopts its child.
      let first = try await scene.property("MainPID", of: "lifeguard")
      try await scene.killMainProcess(of: "lifeguard")
      let isBack = await eventually(within: .seconds(40), every: .milliseconds(200)) {
        let now = try await scene.property("MainPID", of: "lifeguard")
        return try now != first && now != "0" && scene.api.status().service("kid")?.state == "up"
      }
      #expect(isBack, "\(scene.report)")
      #expect(try scene.api.status().service("kid")?.pid == kid, "\(scene.report)")
      let past = try scene.api.incidents()
      #expect(past.contains { $0.id == story.incident.id && $0.state == "recovered" })

      // An upgrade drops no child, and a stop leaves it running.
      try await scene.box.require(["systemctl", "restart", "lifeguard"], timeout: .seconds(100))
      try await scene.waitFor("kid", "up")
      #expect(try scene.api.status().service("kid")?.pid == kid, "\(scene.report)")
      try await scene.box.require(["systemctl", "stop", "lifeguard"], timeout: .seconds(60))
      #expect(try await scene.property("Result", of: "lifeguard") == "success")
      #expect(try await scene.box.run(["pgrep", "-x", "sleep"]).standardOutput.contains("\n"))
    }
  }

  @Test func `an agent whose evaluation hangs is ended by the watchdog and comes back`()
    async throws
  {
    try await BoxScene.play(
      files: [
        "/etc/systemd/system/lifeguard.service.d/test.conf":
          "[Service]\nWatchdogSec=4s\nTimeoutAbortSec=2s\n"
      ],
      startedBy: .systemd, Self.services.split(separator: "\n").prefix(2).joined(separator: "\n")
    ) { scene in
      try await scene.waitFor("kid", "up")
      let kid = try #require(try scene.api.status().service("kid")?.pid)
      let main = try await scene.property("MainPID", of: "lifeguard")
      // The half that evaluates stops: it is the child of the one that systemd started.
      let half = try await scene.box.require(["pgrep", "-P", main, "-x", "lifeguard"])
      try await scene.box.require(["kill", "-STOP", half.filter(\.isNumber)])
      let isBack = await eventually(within: .seconds(60), every: .milliseconds(300)) {
        let now = try await scene.property("MainPID", of: "lifeguard")
        return try now != main && now != "0" && scene.api.status().service("kid")?.state == "up"
      }
      #expect(isBack, "\(scene.report)")
      #expect(try scene.api.status().service("kid")?.pid == kid, "\(scene.report)")
    }
  }
}
