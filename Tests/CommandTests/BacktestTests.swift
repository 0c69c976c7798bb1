import LifeguardCore
import TestSupport
import Testing

/// Rules and their recovery over recorded samples.
@Suite(.enabled(if: Requirement.lifeguard.isMet, "\(Requirement.lifeguard.reason)"))
struct BacktestTests {
  private static let configuration = """
    default_rules: false
    rules:
      - alert: CPUHigh
        expr: CPUUtilization > 80
        clear: CPUUtilization < 60
        for: 10m
        labels: {severity: critical}
        annotations: {summary: 'CPU is {{ $value }} %'}
        recover: relieve
    plans:
      relieve:
        target: host
        steps: [{run: {command: [/bin/true], disruptive: false}}, {page: {}}]
    notify:
      receivers: {ops: {webhook: {url: 'http://127.0.0.1:9/'}}}
      routes: [{matchers: ['severity="critical"'], to: [ops]}]
    """

  private struct Place {
    let folder: TemporaryFolder
    let configuration: String

    init(_ yaml: String = BacktestTests.configuration) throws {
      folder = try TemporaryFolder()
      configuration = folder / "lifeguard.yaml"
      try TextFile.write(yaml, to: configuration)
    }

    /// Every five minutes, as CloudWatch has it: an hour of calm, an hour of trouble, calm again.
    func write(_ name: String = "cpu.csv") throws -> String {
      var text = "timestamp,value\n"
      for index in 0..<36 {
        let minute = index * 5
        let value = (12..<24).contains(index) ? 95 : 20
        text += "2026-01-31 \(12 + minute / 60):\(minute % 60 < 10 ? "0" : "")\(minute % 60):00,"
        text += "\(value)\n"
      }
      try TextFile.write(text, to: folder / name)
      return folder / name
    }

    func backtest(_ arguments: [String]) async throws -> ProgramResult {
      let program = try #require(Program.lifeguard)
      return try await ChildProgram.run(
        [program, "backtest", "--config", configuration] + arguments)
    }
  }

  @Test func `an hour of trouble is one incident with an action and its messages`() async throws {
    let place = try Place()
    defer { place.folder.remove() }
    let file = try place.write()
    let result = try await place.backtest(
      ["--csv", file, "--series", #"CPUUtilization{instance="web"}"#, "--json"])
    #expect(result.succeeded, "\(result)")
    let report = try JSON.parse(Array(result.standardOutput.utf8))
    let entries = report["entries"]?.array ?? []
    func entry(_ kind: String) -> [JSON] { entries.filter { $0["kind"]?.string == kind } }
    #expect(report["samples"]?.integer == 36 && report["series"]?.integer == 1)
    #expect(entry("opened").count == 1)
    // Bad from 13:00 on, and for ten minutes.
    #expect(entry("opened").first?["time"]?.string?.hasPrefix("2026-01-31T13:1") == true)
    #expect(!entry("would_act").isEmpty, "\(result.standardOutput)")
    #expect(entry("acted").isEmpty && entry("intended").isEmpty)
    let told = report["notifications"]?.array ?? []
    #expect(told.first?["receiver"] == "ops" && told.first?["kind"] == "opened")
    // Over at 14:00.
    #expect(
      entry("alert").contains { $0["time"]?.string?.hasPrefix("2026-01-31T14:0") == true },
      "\(result.standardOutput)")

    let text = try await place.backtest(
      ["--csv", file, "--series", #"CPUUtilization{instance="web"}"#])
    #expect(text.succeeded && text.standardOutput.contains("Would act"), "\(text)")
    #expect(text.standardOutput.contains("36 samples of 1 series"))
    let part = try await place.backtest(
      [
        "--csv", file, "--series", #"CPUUtilization{instance="web"}"#, "--to",
        "2026-01-31T12:55:00Z",
      ])
    #expect(part.succeeded && part.standardOutput.contains("alerts         0"), "\(part)")
  }

  @Test func `what cannot be replayed is named with its place`() async throws {
    let place = try Place()
    defer { place.folder.remove() }
    try TextFile.write("series,timestamp,value\nx,yesterday,1\n", to: place.folder / "bad.csv")
    let bad = try await place.backtest(["--csv", place.folder / "bad.csv"])
    #expect(bad.end == .exited(1) && bad.standardError.contains("bad.csv:2:"), "\(bad)")
    let missing = try await place.backtest(["--data", place.folder / "nowhere"])
    #expect(missing.end == .exited(1) && missing.standardError.contains("samples.db"), "\(missing)")
    let both = try await place.backtest(["--data", "x", "--csv", "y"])
    #expect(both.end == .exited(64), "\(both)")
    try TextFile.write("rules:\n  - {alert: A, expr: 'sum('}\n", to: place.configuration)
    let broken = try await place.backtest(["--csv", try place.write(), "--series", "x"])
    #expect(broken.end == .exited(1) && broken.standardError.contains("lifeguard.yaml:2:"))
  }
}
