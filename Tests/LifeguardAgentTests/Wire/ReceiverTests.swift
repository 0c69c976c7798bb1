import Glibc
import LifeguardAgent
import LifeguardCore
import Synchronization
import TestSupport
import Testing

/// Receivers as a running agent treats them.
@Suite(.timeLimit(.minutes(3)))
struct ReceiverTests {
  @Test func `a receiver that refuses messages is a problem until it takes them again`()
    async throws
  {
    let status = Mutex(400)
    let server = try await ByteServer { _ in
      ByteServer.Answer(status: status.withLock { $0 }, body: Array("no such channel".utf8))
    }
    @Sendable func configuration(_ alert: String) -> String {
      """
      rules: [{alert: \(alert), expr: vector(1)}]
      notify:
        receivers: {hook: {webhook: {url: 'http://\(server.address)/'}}}
        routes: [{to: [hook]}]

      """
    }
    try await WiredAgent.with(configuration("First")) { wired in
      func isFailing() async -> Bool {
        await wired.agent.alerts.contains { $0.name == "LifeguardReceiverFailing" }
      }
      #expect(await eventually { await isFailing() })
      let problems = await wired.agent.status(listening: "").notificationProblems
      #expect(
        problems == [
          "messages to hook by webhook do not arrive: the webhook answered 400: no such channel"
        ])
      #expect(
        await wired.metric("lifeguard_notifications_abandoned_total{receiver=\"hook\"}") ?? 0 >= 1)
      status.withLock { $0 = 200 }
      try await wired.reload(configuration("Second"))
      #expect(await eventually { await !isFailing() })
      #expect(await wired.agent.status(listening: "").notificationProblems.isEmpty)
    }
    try await server.close()
  }

  /// A real Alertmanager that tells nobody.
  private static func alertmanager(_ folder: TemporaryFolder) async throws -> (ChildProgram, Int) {
    let port = try FreePort.tcp()
    try TextFile.write("route: {receiver: r}\nreceivers: [{name: r}]\n", to: folder / "am.yml")
    let program = try ChildProgram([
      "prometheus-alertmanager", "--config.file=\(folder / "am.yml")",
      "--storage.path=\(folder / "am")", "--web.listen-address=127.0.0.1:\(port)",
      "--cluster.listen-address=", "--log.level=warn",
    ])
    try #require(
      await eventually {
        try HTTPExchange.send("GET", "/-/ready", port: port).status == 200
      }, "\(program.standardError)")
    return (program, port)
  }

  /// When amtool says that the alerts of some disks were posted last, by disk.
  private static func updates(_ port: Int) async throws -> [String: String] {
    let result = try await ChildProgram.run(
      [
        "amtool", "alert", "query", "--alertmanager.url=http://127.0.0.1:\(port)", "-o", "json",
        "alertname=DiskFull",
      ], timeout: .seconds(10))
    let alerts = try JSON.parse(Array(result.standardOutput.utf8)).array ?? []
    return Dictionary(
      alerts.compactMap { alert in
        guard let disk = alert["labels"]?["disk"]?.string,
          let time = alert["updatedAt"]?.string
        else { return nil }
        return (disk, time)
      }
    ) { $1 }
  }

  @Test(
    .enabled(
      if: Requirement.all(.program("prometheus-alertmanager"), .program("amtool")).isMet,
      "needs prometheus-alertmanager: `scripts/setup.sh test` installs it"))
  func `a real Alertmanager knows every alert, after a restart too, and forgets what ended`()
    async throws
  {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let (peer, port) = try await Self.alertmanager(folder)
    let joins = time(nil) + 4
    let ends = time(nil) + 8
    // Three disks of one incident: one joins it later, one is well again before the others.
    let rules = """
      rules:
        - alert: DiskFull
          expr: >-
            label_replace(vector(1), "disk", "sda", "", "")
            or label_replace(vector(time()) > \(joins), "disk", "sdb", "", "")
            or label_replace(vector(time()) < \(ends), "disk", "sdc", "", "")
          on_no_data: ok
          annotations: {summary: '{{ $labels.disk }} is full'}

      """
    let notify = """
      notify:
        receivers:
          am: {alertmanager: {url: 'http://127.0.0.1:\(port)'}}
        routes:
          - {matchers: ['alertname="DiskFull"'], to: [am]}
          - {to: [log]}

      """
    try await WiredAgent.with(rules + notify, in: folder) { wired in
      #expect(await eventually { try await Set(Self.updates(port).keys) == ["sda", "sdc"] })
      #expect(await eventually { try await Set(Self.updates(port).keys) == ["sda", "sdb"] })
      #expect(await wired.agent.incidents(limit: 10).count == 1)
    }
    let before = try await Self.updates(port)
    try await WiredAgent.with(rules + notify, in: folder) { wired in
      #expect(
        await eventually {
          let now = try await Self.updates(port)
          return ["sda", "sdb"].allSatisfy { now[$0] ?? "" > before[$0] ?? "" }
        })
      // What is over here is over there, though nobody is told of it.
      let matcher = Matcher(name: "alertname", equals: "DiskFull")
      _ = await wired.agent.silence([matcher], for: .seconds(600), by: "test", comment: "")
      try await wired.reload(notify)
      #expect(await eventually { try await Self.updates(port).isEmpty })
    }
    await peer.terminate()
  }
}
