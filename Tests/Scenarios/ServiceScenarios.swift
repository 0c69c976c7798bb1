import Glibc
import TestSupport
import Testing

/// Supervised children that crash, stop, hang and will not stay up.
@Suite(
  .scenario,
  .enabled(if: LifeguardBinary.requirement.isMet, "\(LifeguardBinary.requirement.reason)"))
struct ServiceScenarios {
  /// The built-in ladder with short verification; a test must not take minutes.
  static let ladder = """
    {steps: [nudge, start, restart, stop_clean_start, page], cooldown: 1s, \
    verify: {settle: 500ms, hold: 2s, deadline: 15s}}
    """

  private static func server(_ port: Int) -> String {
    """
    services:
      - name: web
        command: [FOLDER/faults, serve, '\(port)', FOLDER/bad]
        probe: {http: 'http://127.0.0.1:\(port)/', interval: 1s, timeout: 1s}
        recover: \(ladder)
    """
  }

  @Test func `a supervised child that crashes is started again and answers`() async throws {
    let port = try FreePort.tcp()
    try await Scene.play(Self.server(port)) { scene in
      try await scene.start()
      let before = try await scene.pid(of: "web")
      kill(before, SIGKILL)
      let answers = await eventually(within: .seconds(20)) {
        try HTTPExchange.send(port: port).status == 200
      }
      #expect(answers, "it does not answer again")
      let story = try await scene.incident(of: "service:web", "recovered")
      await scene.expectWhole(story, step: "start")
      #expect(story.incident.steps == ["start"])
      #expect(try await scene.pid(of: "web") != before)
      #expect(scene.hook.first("opened")?.whatHappened.contains("signal 9") == true)
    }
  }

  @Test func `a stopped child is continued and not killed`() async throws {
    let port = try FreePort.tcp()
    try await Scene.play(Self.server(port)) { scene in
      try await scene.start()
      let before = try await scene.pid(of: "web")
      kill(before, SIGSTOP)
      let story = try await scene.incident(of: "service:web", "recovered")
      await scene.expectWhole(story, step: "nudge")
      #expect(story.incident.steps == ["nudge"])
      #expect(try await scene.pid(of: "web") == before)
      #expect(ProcessTable.state(of: before) != "T")
      #expect(try HTTPExchange.send(port: port).status == 200)
    }
  }

  @Test func `a deadlock behind an open port is ended by a restart`() async throws {
    let port = try FreePort.tcp()
    try await Scene.play(Self.server(port)) { scene in
      try await scene.start()
      let before = try await scene.pid(of: "web")
      kill(before, SIGUSR1)
      let story = try await scene.incident(of: "service:web", "recovered")
      await scene.expectWhole(story, step: "restart")
      #expect(story.incident.steps == ["restart"])
      let after = try await scene.pid(of: "web")
      #expect(after != before)
      #expect(!ProcessTable.isAlive(before))
      #expect(try HTTPExchange.send(port: port).status == 200)
    }
  }

  @Test func `a crash loop ends in a page and not in endless restarts`() async throws {
    let services = """
      services:
        - name: loop
          command: [FOLDER/faults, crash, FOLDER/starts, '200']
          recover: \(Self.ladder)
      """
    try await Scene.play(services) { scene in
      try await scene.start()
      let paged = await eventually(within: .seconds(60), every: .milliseconds(100)) {
        scene.hook.first("escalated", about: "service:loop") != nil
      }
      #expect(paged, "nobody was paged\n\(scene.report)")
      // What the agent itself starts first, and at most three attempts in 15 minutes.
      let starts = scene.starts
      #expect((2...4).contains(starts), "\(starts) starts\n\(scene.report)")
      let quiet = await holds(for: .seconds(8), every: .milliseconds(200)) {
        scene.starts <= 4
      }
      #expect(quiet, "\(scene.starts) starts\n\(scene.report)")
      let story = try await scene.incident(of: "service:loop", "open")
      #expect(story.has("escalated", "page"), "\(story)")
      #expect(story.has("evidence"), "\(story)")
      #expect(story.timeline.contains { $0.kind == "outcome" }, "\(story)")
      #expect(story.incident.attempts.allSatisfy { $0.outcome != "recovered" }, "\(story)")
      #expect(story.incident.attempts.contains { $0.outcome == "not_recovered" }, "\(story)")
    }
  }

  @Test func `dependants of a service that is down are left alone, in one incident`() async throws {
    let port = try FreePort.tcp()
    let services = """
      services:
        - name: db
          pidfile: FOLDER/db.pid
          recover: {steps: [page], verify: {settle: 500ms, hold: 2s, deadline: 15s}}
        - name: web
          command: [FOLDER/faults, serve, '\(port)', FOLDER/bad]
          depends_on: [db]
          probe: {http: 'http://127.0.0.1:\(port)/', failures: 2}
          recover: {steps: [restart, page], verify: {settle: 5s, hold: 2s, deadline: 15s}}
      """
    try await Scene.play(services) { scene in
      let first = try scene.startDatabase()
      try await scene.start()
      _ = try await scene.pid(of: "db")
      let web = try await scene.pid(of: "web")
      // The database dies, and web answers 503 without it.
      first.kill()
      try TextFile.write("", to: scene.folder / "bad")
      let story = try await scene.story("incident that both are part of") {
        $0.target == "service:db" && $0.state == "open" && $0.next != nil
      }
      let joined = await eventually(within: .seconds(20)) {
        try scene.api.story(story.incident.id).has("joined")
      }
      #expect(joined, "web's alert did not join\n\(scene.report)")
      #expect(scene.hook.first("escalated", about: "service:db") != nil)
      let alone = await holds(for: .seconds(5), every: .milliseconds(200)) {
        ProcessTable.isAlive(web)
      }
      #expect(alone, "web was restarted\n\(scene.report)")
      let incidents = try scene.api.incidents()
      #expect(incidents.count == 1, "\(scene.report)")
      #expect(incidents.allSatisfy { $0.steps.allSatisfy { $0 == "page" } }, "\(scene.report)")

      // What is answered again before the root is seen to be well stays one incident.
      unlink(scene.folder / "bad")
      let isAnswered = await eventually(within: .seconds(20)) {
        try scene.api.status().service("web")?.state == "up"
      }
      #expect(isAnswered, "\(scene.report)")
      let second = try scene.startDatabase()
      let end = try await scene.incident(of: "service:db", "recovered")
      #expect(await eventually { scene.hook.kinds(of: end.incident.id).last == "recovered" })
      #expect(try await scene.pid(of: "web") == web)
      #expect(try scene.api.incidents().count == 1, "\(scene.report)")
      second.kill()
    }
  }
}

extension Scene {
  /// How often `faults crash` was started.
  fileprivate var starts: Int {
    // try?: before the first start there is no file.
    ((try? TextFile.read(folder / "starts")) ?? "").split(separator: "\n").count
  }

  /// A daemon that nobody supervises, with its pid file.
  fileprivate func startDatabase() throws -> ChildProgram {
    let daemon = try ChildProgram([faults, "wait"])
    try TextFile.write("\(daemon.pid)\n", to: folder / "db.pid")
    return daemon
  }
}

extension HTTPExchange {
  /// Asks a server for its first page.
  fileprivate static func send(port: Int) throws -> HTTPAnswer {
    try send("GET", "/", port: port, timeout: .seconds(2))
  }
}
