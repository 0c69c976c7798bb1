import LifeguardCore
import Testing

/// Faults that were caused for real, as the collectors saw them.
@Suite struct RecordedFaultTests {
  /// Collections every 10 s and columns every 15 s on a busy machine: how late a fault is seen.
  private static let slack = Duration.seconds(45)

  /// Rules that rightly fire beside those that the faults are for: both machines were busy with
  /// builds of others, and neither keeps its clock by NTP; blocked processes raise the load.
  private static let companions: Set<String> = [
    "HostCPUBusy", "HostCPUPressure", "HostClockUnsynchronised", "HostLoadHigh",
    "HostRebooted",
  ]

  @Test(arguments: ["faults-together", "faults-slow", "unit-failed"])
  func `each fault fires its rule in time, and the rule ends after it`(name: String) throws {
    let recording = try Recording(name)
    var replay = try Replay(start: recording.start)
    try replay.play(recording)
    #expect(replay.problems.isEmpty, "\(replay.problems)")
    #expect(replay.contradictions.isEmpty, "\(replay.contradictions)")
    let length = Replay.step * recording.columns
    for mark in recording.marks where mark.what == "begin" {
      let shape = try #require(Shape.all.first { $0.rule == mark.rule })
      let firings = replay.firings.filter { $0.rule == mark.rule }
      let fired = try #require(firings.first, "\(mark.rule) does not fire")
      #expect(firings.count == 1, "\(firings)")
      #expect(fired.from >= mark.at, "\(fired) before \(mark)")
      #expect(fired.from - mark.at <= shape.firesWithin + Self.slack, "\(fired) after \(mark)")
      let end = recording.marks.first { $0.what == "end" && $0.rule == mark.rule }
      guard let end, length - end.at > shape.endsWithin + Self.slack else { continue }
      let over = try #require(fired.to, "\(mark.rule) does not end")
      #expect(over - end.at <= shape.endsWithin + Self.slack, "\(fired) after \(end)")
      #expect(over >= end.at, "\(fired) before \(end)")
    }
    let expected = Set(recording.marks.map(\.rule)).union(Self.companions)
    let others = replay.firings.filter { !expected.contains($0.rule) }
    #expect(others.isEmpty, "\(others)")
  }

  @Test func `a host that has just booted says so, until it has run for ten minutes`() throws {
    // Recorded in a time namespace that had begun 100 s before.
    let recording = try Recording("faults-together")
    var replay = try Replay(start: recording.start)
    try replay.play(recording)
    let fired = try #require(replay.firings.first { $0.rule == "HostRebooted" })
    #expect(fired.from == .zero)
    #expect(try #require(fired.to) > .seconds(300))
  }
}
