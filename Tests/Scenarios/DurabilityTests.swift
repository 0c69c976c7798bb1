import Glibc
import LifeguardCore
import TestSupport
import Testing

/// What survives the end of the agent, whenever and however it comes.
@Suite(
  .scenario,
  .enabled(if: LifeguardBinary.requirement.isMet, "\(LifeguardBinary.requirement.reason)"))
struct DurabilityTests {
  /// How often the agent is killed; `$LIFEGUARD_KILLS` asks for more.
  static let kills = getenv("LIFEGUARD_KILLS").flatMap { Int(String(cString: $0)) } ?? 200

  private static func workload(_ port: Int, _ steady: Int) -> String {
    """
    services:
      - name: steady
        command: [FOLDER/faults, serve, '\(steady)', FOLDER/never]
        recover: \(ladder)
      - name: victim
        command: [FOLDER/faults, wait]
        recover: \(ladder)
      - name: web
        command: [FOLDER/faults, serve, '\(port)', FOLDER/bad]
        probe: {http: 'http://127.0.0.1:\(port)/', interval: 200ms, failures: 1}
        recover:
          steps: [{run: {command: [FOLDER/fix.sh], timeout: 10s}}, page]
          limit: 1000 per 1s
          cooldown: 0s
          verify: {settle: 50ms, hold: 200ms, deadline: 5s}
    rules:
      - alert: Patience
        expr: 'node_memory_MemTotal_bytes > 0'
        for: 20s
        labels: {severity: info}
    """
  }

  private static let ladder = """
    {steps: [start, page], limit: 1000 per 1s, cooldown: 0s, \
    verify: {settle: 50ms, hold: 200ms, deadline: 5s}}
    """

  private static let noLimits =
    "target_budget: 1000 per 1s, action_budget: 1000 per 1s, breaker_passes: 100, "
    + "startup_evaluations: 1, cooldown: 0s"

  @Test func `kill -9 at any moment loses nothing and repeats no action`() async throws {
    let steady = try FreePort.tcp()
    let configuration = Self.workload(try FreePort.tcp(), steady)
    try await Scene.play(guardRails: Self.noLimits, configuration) { scene in
      try scene.script(
        "fix.sh", "echo \"$LIFEGUARD_ATTEMPT\" >> FOLDER/runs; rm -f FOLDER/bad")
      let beginning = ContinuousClock.now
      try await scene.start()
      // On a busy machine lives must be longer to have work in them.
      let startUp = ContinuousClock.now - beginning
      let life = min(max(startUp * 2 + .milliseconds(700), .milliseconds(1300)), .seconds(3))
      let unbroken = try await scene.pid(of: "steady")
      var random = SystemRandomNumberGenerator()
      var longestLife = Duration.zero
      for round in 0..<Self.kills {
        let begun = ContinuousClock.now
        if round > 0 { try scene.launch() }
        try await Self.disturb(scene, round)
        let part = Double.random(in: 0.04...1, using: &random)
        try await Task.sleep(for: life * part)
        scene.kill()
        longestLife = max(longestLife, ContinuousClock.now - begun)
        try #require(ProcessTable.isAlive(unbroken), "steady died in round \(round)")
      }
      try await scene.start()
      #expect(try await scene.pid(of: "steady") == unbroken, "it was not adopted")
      try await Self.settle(scene)
      try Self.expectNothingLost(scene, longestLife: longestLife)
    }
  }

  /// Breaks something, so that the agent is killed while it has work.
  private static func disturb(_ scene: Scene, _ round: Int) async throws {
    try TextFile.write("", to: scene.folder / "bad")
    if round % 3 == 0 {
      for pid in ProcessTable.running(scene.faults) where isWaiting(pid) {
        Glibc.kill(pid, SIGKILL)
      }
    }
  }

  private static func isWaiting(_ pid: Int32) -> Bool {
    // try?: it has ended meanwhile.
    ((try? TextFile.read("/proc/\(pid)/cmdline")) ?? "").hasSuffix("\0wait\0")
  }

  /// Waits until nothing is wrong, in flight or waiting to be sent any more.
  private static func settle(_ scene: Scene) async throws {
    let isQuiet = await eventually(within: .seconds(90), every: .milliseconds(200)) {
      let status = try scene.api.status()
      let open = try scene.api.incidents().filter { $0.state == "open" }
      return status.pendingNotifications == 0
        && open.allSatisfy { $0.title.contains("Patience") || $0.alerts == ["Patience"] }
        && status.services.allSatisfy { $0.state == "up" }
        && status.alerts.contains { $0.name == "Patience" && $0.state == "firing" }
    }
    try #require(isQuiet, "it does not settle\n\(scene.report.suffix(6000))")
  }

  private static func expectNothingLost(_ scene: Scene, longestLife: Duration) throws {
    let incidents = try scene.api.incidents()
    let ids = incidents.map(\.id).sorted()
    #expect(ids == Array(1...max(ids.count, 1)), "incidents are missing: \(ids)")
    // Actions: each ran once, and each is on record.
    let runs = scene.runs
    #expect(runs.count >= kills / 40, "only \(runs.count) scripts ran: the test tested little")
    #expect(Set(runs).count == runs.count, "repeated: \(repeated(runs))")
    let lost = runs.filter { !isOnRecord($0, incidents) }
    #expect(lost.isEmpty, "attempts that ran without a record: \(lost)")
    #expect(
      incidents.flatMap(\.attempts).allSatisfy { $0.outcome != nil },
      "an attempt has no outcome")
    // Messages: every incident's beginning and end came; one kill repeats at most one message.
    let keys = scene.hook.all.map(\.key)
    #expect(!keys.contains(""), "a message has no key")
    #expect(
      keys.count - Set(keys).count <= kills, "\(keys.count - Set(keys).count) messages repeated")
    let often = Dictionary(grouping: keys) { $0 }.filter { $0.value.count > 3 }
    #expect(often.isEmpty, "repeated again and again: \(often.mapValues(\.count))")
    for incident in incidents {
      let kinds = scene.hook.kinds(of: incident.id)
      #expect(kinds.contains("opened"), "incident \(incident.id) was never told: \(kinds)")
      guard incident.state != "open" else { continue }
      let isEnded = kinds.contains("recovered") || kinds.contains("resolved")
      #expect(isEnded, "the end of incident \(incident.id) was never told: \(kinds)")
    }
    // No life was as long as the rule's `for`, and it fired all the same.
    #expect(longestLife < .seconds(20), "a life lasted \(longestLife)")
    #expect(incidents.contains { $0.alerts.contains("Patience") }, "its `for` began anew")
  }

  /// An incident keeps its last twenty attempts; they are numbered, so that a gap would show.
  private static func isOnRecord(_ run: String, _ incidents: [IncidentRecord]) -> Bool {
    let incident = incidents.first { run.hasPrefix("\($0.id)/") }
    guard let kept = incident?.attempts, let oldest = kept.first else { return false }
    return kept.contains { $0.id == run } || number(run) < number(oldest.id)
  }

  private static func number(_ attempt: String) -> Int {
    attempt.split(separator: "/").last.flatMap { Int($0) } ?? 0
  }

  private static func repeated(_ items: [String]) -> [String] {
    Dictionary(grouping: items) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
  }

  @Test func `either half of an agent may be killed, and the other brings it back or ends`()
    async throws
  {
    let configuration = """
      services: [{name: web, command: [FOLDER/faults, wait], recover: \(Self.ladder)}]
      """
    try await Scene.play(guardRails: Self.noLimits, configuration) { scene in
      try await scene.start()
      let unbroken = try await scene.pid(of: "web")
      let acting = try #require(scene.agent?.pid)
      let deciding = try #require(ProcessTable.child(of: acting), "one process\n\(scene.report)")

      // The half that decides: the one that acts starts it again.
      Glibc.kill(deciding, SIGKILL)
      let isBack = await eventually(within: .seconds(30)) {
        let now = ProcessTable.child(of: acting)
        return try now != nil && now != deciding && scene.api.status().service("web")?.state == "up"
      }
      #expect(isBack, "\(scene.report)")
      #expect(scene.agent?.isRunning == true)
      #expect(try await scene.pid(of: "web") == unbroken)
      Glibc.kill(unbroken, SIGKILL)
      let isUp = await eventually(within: .seconds(30)) {
        let seen = try scene.api.status().service("web")
        return seen?.state == "up" && seen?.pid != unbroken
      }
      #expect(isUp, "nothing is recovered any more\n\(scene.report)")

      // The half that acts: nothing can be done without it, so the other ends by itself.
      let second = try #require(ProcessTable.child(of: acting))
      let child = try await scene.pid(of: "web")
      scene.kill()
      #expect(await eventually(within: .seconds(20)) { !ProcessTable.isAlive(second) })
      #expect(ProcessTable.isAlive(child), "the service died with the agent")
      try await scene.start()
      #expect(try await scene.pid(of: "web") == child, "it was not adopted\n\(scene.report)")
    }
  }

  @Test func `a half that hangs is ended and started again`() async throws {
    let configuration = """
      services: [{name: web, command: [FOLDER/faults, wait], recover: \(Self.ladder)}]
      """
    try await Scene.play(guardRails: Self.noLimits, configuration) { scene in
      try await scene.start()
      let unbroken = try await scene.pid(of: "web")
      let acting = try #require(scene.agent?.pid)
      let deciding = try #require(ProcessTable.child(of: acting), "one process\n\(scene.report)")
      Glibc.kill(deciding, SIGSTOP)
      // Looks every 4 s, five of them without a sign of life.
      #expect(await eventually(within: .seconds(60)) { !ProcessTable.isAlive(deciding) })
      #expect(try await scene.pid(of: "web") == unbroken, "\(scene.report)")
      Glibc.kill(unbroken, SIGKILL)
      let isUp = await eventually(within: .seconds(30)) {
        let seen = try scene.api.status().service("web")
        return seen?.state == "up" && seen?.pid != unbroken
      }
      #expect(isUp, "nothing is recovered any more\n\(scene.report)")
    }
  }

  @Test func `a full disk stops neither detection nor actions nor messages`() async throws {
    let port = try FreePort.tcp()
    let configuration = ScriptScenarios.server(
      port, steps: "[start, {run: {command: [FOLDER/fix.sh]}}, page]")
    try await Scene.play(mount: "data", configuration) { scene in
      try scene.script("fix.sh", "echo \"$LIFEGUARD_ATTEMPT\" >> FOLDER/runs; rm -f FOLDER/bad")
      try await scene.start()
      let before = try await scene.pid(of: "web")
      let disk = scene.seenByAgent(scene.data)
      Self.fill(disk)
      try TextFile.write("", to: scene.folder / "bad")
      let story = try await scene.incident(of: "service:web", "recovered")
      #expect(scene.runs.count == 1, "\(story)")
      #expect(story.incident.attempts.last?.outcome == "recovered", "\(story)")
      #expect(await eventually { scene.hook.kinds(of: story.incident.id).last == "recovered" })
      let told = await eventually(within: .seconds(30)) {
        scene.hook.all.contains { $0.title.contains("StateNotDurable") }
      }
      #expect(told, "nobody was told that nothing is durable\n\(scene.report)")
      #expect(try scene.api.status().storage.state != "durable")
      // A crash is met as well, and room brings the memory back to disk.
      kill(before, SIGKILL)
      #expect(
        await eventually(within: .seconds(30)) {
          let seen = try scene.api.status().service("web")
          return seen?.state == "up" && seen?.pid != before
        }, "\(scene.report)")
      unlink(disk + "/filling")
      let durable = await eventually(within: .seconds(90), every: .milliseconds(500)) {
        try scene.api.status().storage.state == "durable"
      }
      #expect(durable, "\(scene.report)")
    }
  }

  /// Writes until nothing fits any more.
  private static func fill(_ folder: String) {
    let descriptor = open(folder + "/filling", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(descriptor) }
    for size in [1 << 16, 1 << 12, 1] {
      let block = [UInt8](repeating: 1, count: size)
      while write(descriptor, block, size) > 0 {}
    }
  }

  @Test func `a corrupt state is set aside, and the agent only observes`() async throws {
    let port = try FreePort.tcp()
    let configuration = ScriptScenarios.server(
      port, steps: "[{run: {command: [FOLDER/fix.sh]}}, page]")
    try await Scene.play(configuration) { scene in
      try scene.script("fix.sh", "echo \"$LIFEGUARD_ATTEMPT\" >> FOLDER/runs; rm -f FOLDER/bad")
      try await scene.start()
      _ = try await scene.pid(of: "web")
      scene.kill()
      for name in ["state.db-wal", "state.db-shm"] { unlink(scene.data + "/" + name) }
      let garbage = [UInt8](repeating: 0x5A, count: 40_000)
      try TextFile.write(bytes: garbage, to: scene.data + "/state.db")
      try await scene.start()
      let frozen = try scene.api.status().frozen ?? ""
      #expect(frozen.contains("state of before was lost"), "\(frozen)")
      let aside = try await ChildProgram.run(["find", scene.data, "-name", "state.db?*"])
      #expect(aside.standardOutput.contains("corrupt"), "\(aside)")
      _ = try await scene.pid(of: "web")
      try TextFile.write("", to: scene.folder / "bad")
      let story = try await scene.incident(of: "service:web", "open")
      let refused = await eventually { try scene.api.story(story.incident.id).has("refused") }
      #expect(refused, "\(scene.report)")
      #expect(await holds(for: .seconds(3)) { scene.runs.isEmpty }, "\(scene.report)")
      #expect(scene.hook.first("opened", about: "service:web") != nil)
      #expect(try await scene.command("thaw").succeeded)
    }
  }
}
