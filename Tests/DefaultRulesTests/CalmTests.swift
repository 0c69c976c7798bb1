import LifeguardCore
import Testing

/// A host that is merely at work gives no reason to wake anybody.
///
/// To record another one, on Linux, as root (30 is minutes; the title stands in the fixture):
///
///     swift run -c release rule-recorder 30 \
///       Tests/DefaultRulesTests/Fixtures/calm-idle.txt "an idle machine"
///
/// A fixture whose name begins with `calm-` and that is listed here is replayed.
@Suite struct CalmTests {
  /// With how many minutes each must have.
  static let recordings = [
    ("calm-idle", 30), ("calm-make", 5), ("calm-busy", 10), ("calm-units", 15),
  ]

  @Test(arguments: recordings)
  func `a host at work raises no critical alert and at most one warning`(
    name: String, minutes: Int
  ) throws {
    let recording = try Recording(name)
    var replay = try Replay(start: recording.start)
    try replay.play(recording)
    #expect(recording.columns > 4 * minutes, "shorter than \(minutes) minutes")
    #expect(replay.problems.isEmpty, "\(replay.problems)")
    #expect(replay.contradictions.isEmpty, "\(replay.contradictions)")
    #expect(replay.firings.filter { $0.severity == "critical" }.isEmpty, "\(replay.firings)")
    #expect(replay.firings.count { $0.severity == "warning" } <= 1, "\(replay.firings)")
  }
}
