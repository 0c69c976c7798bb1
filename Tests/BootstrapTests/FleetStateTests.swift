import LifeguardCore
import Synchronization
import Testing

@testable import bootstrap

/// What is remembered between invocations, and what it is good for.
@Suite struct FleetStateTests {
  private static let windowed = EventWorkTests.yaml.replacing(
    "expr: CPUUtilization >= 80", with: "expr: avg_over_time(CPUUtilization[5m]) >= 80")

  private static let stopStart = EventWorkTests.yaml
    .replacing(
      "ssm: {document: Lifeguard-RestartService, parameters: {service: web}}",
      with: "ec2: {action: stop_start}")

  private func series(
    _ name: String, _ values: Int, before: Timestamp, every: Int64 = 1000
  ) -> FleetDocument.Series {
    FleetDocument.Series(
      labels: [Labels.metricName: "CPUUtilization", "instance": name],
      times: (1...Int64(values)).reversed().map { before.milliseconds - $0 * every },
      values: [Double?](repeating: 10, count: values))
  }

  // MARK: Servers that were stopped

  @Test func `a server that was still stopping is started by the next invocation`() async throws {
    let table = SharedTable()
    let sandbox = try Sandbox(Self.stopStart, table: table)
    await sandbox.handle(sandbox.value(95), seconds: 200)
    #expect(sandbox.cloud.calls("StopInstances").count == 1)
    #expect(sandbox.cloud.calls("StartInstances").isEmpty)
    #expect(try await table.document().starts?.values.map(\.instance) == ["i-0aaa"])
    // Whatever comes next, and whether or not it is about this server.
    sandbox.cloud.turn("stopping")
    sandbox.advance(.seconds(60))
    await sandbox.handle(sandbox.value(10, stream: "i-other"))
    #expect(sandbox.cloud.calls("StartInstances").isEmpty)
    sandbox.cloud.turn("stopped")
    sandbox.advance(.seconds(60))
    await sandbox.handle(sandbox.value(10, stream: "i-other"))
    #expect(sandbox.cloud.calls("StartInstances").count == 1)
    #expect(try await table.document().starts?.isEmpty == true)
    // Stopped later, it was stopped by somebody else.
    sandbox.advance(.seconds(60))
    await sandbox.handle(sandbox.value(10, stream: "i-other"))
    #expect(sandbox.cloud.calls("StartInstances").count == 1)
  }

  @Test func `a start is owed from before the stop, and whoever is at it is let be`() async throws {
    let table = SharedTable()
    let sandbox = try Sandbox(Self.stopStart, table: table)
    var document = FleetDocument()
    document.starts = [
      "1/0/1": FleetDocument.Start(instance: "i-0aaa", since: sandbox.now.milliseconds)
    ]
    document.leases = ["1/0/1": (sandbox.now + .seconds(60)).milliseconds]
    try await table.remember(document)
    sandbox.cloud.turn("stopped")
    await sandbox.handle(sandbox.value(10))
    #expect(sandbox.cloud.calls("StartInstances").isEmpty)
    // Its lease is over: it was killed on the way.
    sandbox.advance(.seconds(61))
    await sandbox.handle(sandbox.value(10))
    #expect(sandbox.cloud.calls("StartInstances").count == 1)
  }

  @Test func `a step that ended well or was refused owes nothing`() async throws {
    let table = SharedTable()
    let sandbox = try Sandbox(Self.stopStart, table: table)
    // Too little time: nothing is begun.
    await sandbox.handle(sandbox.value(95), seconds: 60)
    #expect(sandbox.cloud.calls("StopInstances").isEmpty)
    #expect(try await table.document().starts?.isEmpty == true)
    #expect(sandbox.lines.withLock { $0.contains { $0.contains("no_time") } })
  }

  // MARK: Size

  @Test func `a state that grew too large loses windows, not events`() async throws {
    let table = SharedTable()
    let sandbox = try Sandbox(Self.windowed, table: table)
    var document = FleetDocument()
    let padding = String(repeating: "x", count: 600)
    document.series = (0..<450).map { number in
      series("i-\(number)-\(padding)", 17, before: sandbox.now)
    }
    #expect(try JSONCoder.encode(document).count > FleetDocument.bytesMax)
    try await table.remember(document)
    #expect(await sandbox.handle(sandbox.value(95)) == "done")
    #expect(sandbox.cloud.calls("SendCommand").count == 1)
    #expect(sandbox.lines.withLock { $0.contains { $0.contains("State too large") } })
    let kept = try await table.memory.load().document
    #expect(kept.count <= FleetDocument.bytesMax)
  }

  @Test func `windows go before servers, and servers before messages`() throws {
    var document = FleetDocument()
    let now = Timestamp(milliseconds: 1_713_567_600_000)
    document.series = [series("i-1", 100, before: now)]
    document.noteInstances((0..<1000).map { "i-\($0)" }, at: now)
    _ = document.shed(0)
    #expect(document.series[0].times.count == 50)
    #expect(document.series[0].times.last == now.milliseconds - 1000)
    _ = document.shed(1)
    #expect(document.series[0].values.count == 1)
    #expect(document.instances.count == 1000)
    _ = document.shed(2)
    #expect(document.instances.count == FleetDocument.instancesMax / 10)
    #expect(document.shed(3) != nil)
    #expect(document.shed(4) == nil)
  }

  @Test func `series of servers that are gone make room, and the newest ones stay`() async throws {
    let table = SharedTable()
    let sandbox = try Sandbox(Self.windowed, table: table)
    var document = FleetDocument()
    let old = sandbox.now - .seconds(7200)
    document.series = [series("a-gone", 3, before: old)]
    document.series += (0..<FleetDocument.seriesMax).map { number in
      series("m-\(number)", 1, before: sandbox.now - .seconds(60), every: Int64(number) * 10)
    }
    try await table.remember(document)
    // Last by its name, first by its time.
    await sandbox.handle(sandbox.value(20, stream: "z-new"))
    let names = try await table.document().series.compactMap { $0.labels["instance"] }
    #expect(names.count == FleetDocument.seriesMax)
    #expect(names.contains("z-new"))
    #expect(!names.contains("a-gone"))
    #expect(!names.contains("m-\(FleetDocument.seriesMax - 1)"))
    #expect(sandbox.lines.withLock { $0.contains { $0.contains("Series not kept") } })
  }

  @Test func `samples that come too late or too early are counted in one line`() async throws {
    let sandbox = try Sandbox(Self.windowed, table: SharedTable())
    await sandbox.handle(sandbox.value(20))
    await sandbox.handle(sandbox.value(30, ago: .seconds(30)))
    await sandbox.handle(sandbox.value(40, ago: .seconds(-300)))
    let lines = sandbox.lines.withLock { $0.filter { $0.contains("Samples not taken") } }
    try #require(lines.count == 2)
    #expect(lines[0].contains(#""olderThanKnown":1,"aheadOfTheClock":0"#), "\(lines[0])")
    #expect(lines[1].contains(#""olderThanKnown":0,"aheadOfTheClock":1"#), "\(lines[1])")
  }

  // MARK: The fleet

  @Test func `a storm is told once, and holds until it was calm for five minutes`() async throws {
    let sandbox = try Sandbox(EventWorkTests.yaml, table: SharedTable())
    for number in 1...6 {
      await sandbox.handle(sandbox.value(95, stream: "i-\(number)"))
      sandbox.advance(.seconds(2))
    }
    let during = sandbox.cloud.calls("SendCommand").count
    func storms() -> Int {
      sandbox.cloud.calls("Publish").count {
        $0.body.contains("Subject") && $0.body.contains("LifeguardStorm")
          && $0.body.contains("FIRING")
      }
    }
    #expect(storms() == 1)
    // The first ones are not newly bad any more; what is new is still part of it.
    for _ in 0..<2 {
      sandbox.advance(.seconds(100))
      await sandbox.handle(sandbox.value(95, stream: "i-7"))
    }
    #expect(sandbox.cloud.calls("SendCommand").count == during)
    #expect(storms() == 1)
    sandbox.advance(.seconds(400))
    for _ in 0..<3 {
      await sandbox.handle(sandbox.value(95, stream: "i-7"))
      sandbox.advance(.seconds(61))
    }
    #expect(sandbox.cloud.calls("SendCommand").count == during + 1)
  }

  @Test func `five percent of the servers may be acted on in ten minutes, whatever the step`()
    async throws
  {
    let table = SharedTable()
    let sandbox = try Sandbox(EventWorkTests.yaml, table: table)
    var document = FleetDocument()
    // Forty servers, and as many names that are none.
    let names = (0..<40).flatMap { ["i-0\($0)", "2024/04/19/[$LATEST]\($0)"] }
    document.noteInstances(names, at: sandbox.now)
    try await table.remember(document)
    for number in 0..<4 {
      await sandbox.handle(sandbox.value(95, stream: "i-0\(number)"))
      sandbox.advance(.seconds(65))
    }
    #expect(sandbox.cloud.calls("SendCommand").count == 2)
    #expect(sandbox.lines.withLock { $0.contains { $0.contains("budget_fleet") } })
  }

  @Test func `a kind of step has the budget of one host for every server`() throws {
    let sandbox = try Sandbox(EventWorkTests.yaml)
    let one = sandbox.function.rules.policy(host: "f").guardRails.actionBudget
    let many = sandbox.function.rules.policy(host: "f", servers: 40).guardRails.actionBudget
    #expect(many.count == one.count * 40)
    #expect(many.window == one.window)
  }

  @Test func `an alarm without a server makes no fleet larger`() async throws {
    let table = SharedTable()
    let sandbox = try Sandbox(EventWorkTests.yaml, table: table)
    sandbox.time.withLock { $0 = Timestamp(milliseconds: 1_713_568_090_000) }
    await sandbox.handle(try Samples.fixture("alarm-lambda-action-composite"))
    #expect(try await table.document().instances.isEmpty)
  }

  @Test func `the table is never waited for longer than the invocation lasts`() async throws {
    let table = SharedTable()
    let sandbox = try Sandbox(EventWorkTests.yaml, table: table)
    await sandbox.handle(sandbox.value(95), seconds: 20)
    let limits = table.limits.withLock { $0 }
    #expect(limits.count >= 4)
    #expect(limits.allSatisfy { $0 > .zero && $0 < .seconds(20) }, "\(limits)")
  }
}
