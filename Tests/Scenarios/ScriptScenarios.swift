import Glibc
import TestSupport
import Testing

/// Recovery scripts that are interrupted and that hang, and an operator's hand on the brake.
@Suite(
  .scenario,
  .enabled(if: LifeguardBinary.requirement.isMet, "\(LifeguardBinary.requirement.reason)"))
struct ScriptScenarios {
  /// A server that answers 503 while FOLDER/bad exists, and what to do about it.
  static func server(_ port: Int, steps: String, deadline: String = "15s") -> String {
    """
    services:
      - name: web
        command: [FOLDER/faults, serve, '\(port)', FOLDER/bad]
        probe: {http: 'http://127.0.0.1:\(port)/', failures: 1}
        recover:
          steps: \(steps)
          cooldown: 1s
          verify: {settle: 500ms, hold: 2s, deadline: \(deadline)}
    """
  }

  @Test func `a step that was running when the agent was killed is verified, not run again`()
    async throws
  {
    let configuration = Self.server(
      try FreePort.tcp(), steps: "[{run: {command: [FOLDER/slow.sh], timeout: 30s}}, page]")
    try await Scene.play(configuration) { scene in
      try scene.script(
        "slow.sh", "echo \"$LIFEGUARD_ATTEMPT\" >> FOLDER/runs; sleep 3; rm -f FOLDER/bad")
      try await scene.start()
      let web = try await scene.pid(of: "web")
      try TextFile.write("", to: scene.folder / "bad")
      #expect(
        await eventually { scene.runs.count == 1 }, "the script did not run\n\(scene.report)")
      scene.kill()
      try await scene.start()
      let story = try await scene.incident(of: "service:web", "recovered")
      #expect(scene.runs.count == 1, "\(scene.runs)\n\(story)")
      #expect(story.incident.attempts.map(\.id) == scene.runs, "\(story)")
      #expect(story.incident.attempts.last?.wasInterrupted == true, "\(story)")
      #expect(story.incident.attempts.last?.outcome == "recovered", "\(story)")
      #expect(story.has("acted", "interrupted"), "\(story)")
      #expect(story.has("evidence"), "\(story)")
      #expect(try await scene.pid(of: "web") == web, "it was not adopted")
      #expect(await eventually { scene.hook.kinds(of: story.incident.id).last == "recovered" })
      // Nothing lost, and at most what was in flight came twice, under its key.
      let keys = scene.hook.all.map(\.key)
      #expect(scene.hook.kinds(of: story.incident.id).first == "opened")
      #expect(keys.count - Set(keys).count <= 1, "\(keys)")
    }
  }

  @Test func `of a script that hangs and its detached children nothing survives`() async throws {
    let steps = """
      [{run: {command: [FOLDER/hang.sh], timeout: 2s}}, {run: {command: [FOLDER/fix.sh]}}, page]
      """
    let configuration = Self.server(try FreePort.tcp(), steps: steps, deadline: "4s")
    try await Scene.play(configuration) { scene in
      let orphan = scene.folder / "orphan"
      #expect(link(scene.faults, orphan) == 0)
      try scene.script(
        "hang.sh",
        """
        trap '' TERM HUP
        setsid FOLDER/orphan wait &
        setsid sh -c 'trap "" TERM; (setsid FOLDER/orphan wait &) ; FOLDER/orphan wait' &
        echo begun
        FOLDER/orphan wait
        """)
      try scene.script("fix.sh", "rm -f FOLDER/bad")
      try await scene.start()
      let web = try await scene.pid(of: "web")
      try TextFile.write("", to: scene.folder / "bad")
      let began = await eventually { ProcessTable.running(orphan).count == 4 }
      #expect(began, "\(ProcessTable.running(orphan))\n\(scene.report)")
      let gone = await eventually(within: .seconds(20)) { ProcessTable.running(orphan).isEmpty }
      #expect(gone, "\(ProcessTable.running(orphan)) survived\n\(scene.report)")
      #expect(ProcessTable.using(scene.folder / "hang.sh").isEmpty)
      let story = try await scene.incident(of: "service:web", "recovered")
      #expect(story.incident.attempts.count == 2, "\(story)")
      #expect(story.incident.attempts.first?.succeeded == false, "\(story)")
      #expect(story.incident.attempts.first?.outcome == "not_recovered", "\(story)")
      await scene.expectWhole(story, step: "run")
      #expect(ProcessTable.isAlive(web), "the service itself is not the script's child")
    }
  }

  @Test func `freeze stops actions and thaw lets them go on`() async throws {
    try await Scene.play(Self.fixable(try FreePort.tcp())) { scene in
      try scene.script("fix.sh", "echo \"$LIFEGUARD_ATTEMPT\" >> FOLDER/runs; rm -f FOLDER/bad")
      try await scene.start()
      _ = try await scene.pid(of: "web")
      let frozen = try await scene.command("freeze", "--reason", "a test")
      #expect(frozen.succeeded, "\(frozen)")
      try TextFile.write("", to: scene.folder / "bad")
      let story = try await scene.incident(of: "service:web", "open")
      let refused = await eventually { try scene.api.story(story.incident.id).has("refused") }
      #expect(refused, "\(scene.report)")
      #expect(try scene.api.story(story.incident.id).has("refused", "frozen"), "\(scene.report)")
      #expect(await holds(for: .seconds(4)) { scene.runs.isEmpty }, "\(scene.report)")
      #expect(try scene.api.status().frozen?.contains("a test") == true)
      let thawed = try await scene.command("thaw")
      #expect(thawed.succeeded, "\(thawed)")
      let end = try await scene.incident(of: "service:web", "recovered")
      #expect(scene.runs.count == 1)
      await scene.expectWhole(end, step: "run")
    }
  }

  @Test func `in mode observe it says what it would do and does nothing`() async throws {
    try await Scene.play(mode: "observe", Self.fixable(try FreePort.tcp())) { scene in
      try scene.script("fix.sh", "echo \"$LIFEGUARD_ATTEMPT\" >> FOLDER/runs; rm -f FOLDER/bad")
      try await scene.start()
      _ = try await scene.pid(of: "web")
      try TextFile.write("", to: scene.folder / "bad")
      let story = try await scene.incident(of: "service:web", "open")
      let said = await eventually { try scene.api.story(story.incident.id).has("would_act") }
      #expect(said, "\(scene.report)")
      #expect(await eventually { scene.hook.all.contains { $0.text.contains("would run") } })
      #expect(await holds(for: .seconds(4)) { scene.runs.isEmpty }, "\(scene.report)")
      // It is over by itself, and nobody claims to have helped.
      unlink(scene.folder / "bad")
      let end = try await scene.incident(of: "service:web", "recovered")
      #expect(end.incident.steps.isEmpty, "\(end)")
    }
  }

  @Test func `in mode approve it waits for a person`() async throws {
    try await Scene.play(mode: "approve", Self.fixable(try FreePort.tcp())) { scene in
      try scene.script("fix.sh", "echo \"$LIFEGUARD_ATTEMPT\" >> FOLDER/runs; rm -f FOLDER/bad")
      try await scene.start()
      _ = try await scene.pid(of: "web")
      try TextFile.write("", to: scene.folder / "bad")
      let asked = await eventually(within: .seconds(30)) {
        try !scene.api.status().approvals.isEmpty
      }
      #expect(asked, "\(scene.report)")
      #expect(await eventually { scene.hook.first("approval_needed") != nil }, "\(scene.report)")
      #expect(await holds(for: .seconds(3)) { scene.runs.isEmpty }, "\(scene.report)")
      let approval = try #require(try scene.api.status().approvals.first)
      let approved = try await scene.command("approve", approval.id)
      #expect(approved.succeeded, "\(approved)")
      let story = try await scene.incident(of: "service:web", "recovered")
      #expect(scene.runs.count == 1, "\(story)")
      await scene.expectWhole(story, step: "run")
      let why = try await scene.command("why", "web")
      #expect(why.succeeded && why.standardOutput.contains("approved"), "\(why)")
      let list = try await scene.command("incidents", "--json")
      #expect(list.succeeded && list.standardOutput.contains("\"recovered\""), "\(list)")
    }
  }

  private static func fixable(_ port: Int) -> String {
    server(port, steps: "[{run: {command: [FOLDER/fix.sh]}}, page]")
  }
}

extension Scene {
  /// The attempts whose script ran, one a run.
  var runs: [String] {
    // try?: before the first run there is no file.
    ((try? TextFile.read(folder / "runs")) ?? "").split(separator: "\n").map(String.init)
  }
}
