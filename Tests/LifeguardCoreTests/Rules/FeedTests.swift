import Testing

@testable import LifeguardCore

/// Absence is no proof: an alert ends as over only while everything that it was made of delivers.
@Suite struct FeedTests {
  struct Story: Sendable, CustomTestStringConvertible {
    var expression: String
    /// What breaches, and what comes after it; a series that is not named any more ends.
    var breach: [(String, Labels, Double)]
    var after: [(String, Labels, Double)]
    var testDescription: String { "\(expression): \(after.map { "\($0.0) \($0.2)" })" }

    init(
      _ expression: String, breach: [(String, Labels, Double)], after: [(String, Labels, Double)]
    ) {
      self.expression = expression
      self.breach = breach
      self.after = after
    }
  }

  /// What is left of the alert after some seconds: nil when it is over.
  private func outcome(_ story: Story) throws -> Alert? {
    let rule = AlertRule(name: "A", expression: try Query(parsing: story.expression))
    var timeline = RuleTimeline([RuleTimeline.group(.alert(rule))])
    func labels(_ series: (String, Labels, Double)) -> Labels {
      var labels = series.1
      labels[Labels.metricName] = series.0
      return labels
    }
    for second in 1...3 {
      try timeline.take(at: second, story.breach.map { (labels($0), $0.2) })
    }
    try #require(timeline.turn.monitor.state.tracker.firing.count == 1, "it never fired")
    let kept = Set(story.after.map(labels))
    let ended = story.breach.filter { !kept.contains(labels($0)) }
    for second in 4...12 {
      let stale = second == 4 ? ended.map { (labels($0), Double.staleMarker) } : []
      try timeline.take(at: second, stale + story.after.map { (labels($0), $0.2) })
    }
    return timeline.turn.monitor.state.tracker.firing.first
  }

  private static let disk: Labels = ["mountpoint": "/var", "instance": "a"]
  private static let other: Labels = ["instance": "b"]

  @Test(arguments: [
    Story(
      "avail / size < 0.1 and on (mountpoint) readonly == 0",
      breach: [("avail", disk, 1), ("size", disk, 100), ("readonly", disk, 0)],
      after: [("size", disk, 100), ("readonly", disk, 0)]),
    Story(
      "avail / size < 0.1 and on (mountpoint) readonly == 0",
      breach: [("avail", disk, 1), ("size", disk, 100), ("readonly", disk, 0)],
      after: [("avail", disk, 1), ("size", disk, 100)]),
    Story(
      "avail / size < 0.1", breach: [("avail", disk, 1), ("size", disk, 100)],
      after: [("avail", disk, 50)]),
    Story(
      "avail < 10 unless on (mountpoint) readonly == 1",
      breach: [("avail", disk, 1), ("readonly", disk, 0)], after: [("readonly", disk, 0)]),
    Story("a > 1 or b > 1", breach: [("a", disk, 5), ("b", disk, 0)], after: [("b", disk, 0)]),
    Story("a > 1", breach: [("a", disk, 5)], after: [("a", disk, .nan)]),
    Story("a > scalar(b)", breach: [("a", disk, 5), ("b", other, 1)], after: [("a", disk, 5)]),
    Story(
      "a * on (instance) group_left (node) info > 1",
      breach: [("a", disk, 5), ("info", ["instance": "a", "node": "n"], 1)],
      after: [("a", disk, 5)]),
    Story(
      "sum by (instance) (a) > 1", breach: [("a", disk, 5), ("a", other, 0)],
      after: [("a", other, 0)]),
  ])
  func `an alert whose series ended goes on`(_ story: Story) throws {
    let alert = try #require(try outcome(story))
    #expect(alert.hasNoData)
  }

  @Test(arguments: [
    Story(
      "avail / size < 0.1 and on (mountpoint) readonly == 0",
      breach: [("avail", disk, 1), ("size", disk, 100), ("readonly", disk, 0)],
      after: [("avail", disk, 50), ("size", disk, 100), ("readonly", disk, 0)]),
    Story(
      "avail < 10 unless on (mountpoint) readonly == 1", breach: [("avail", disk, 1)],
      after: [("avail", disk, 1), ("readonly", disk, 1)]),
    Story("a > 1 or b > 1", breach: [("a", disk, 5)], after: [("a", disk, 0)]),
    Story("a > 1 or b > 1", breach: [("a", disk, 5), ("b", other, 0)], after: [("a", disk, 0)]),
    Story(
      "a > scalar(b)", breach: [("a", disk, 5), ("b", other, 1)],
      after: [("a", disk, 0), ("b", other, 1)]),
    Story("absent(a)", breach: [("b", other, 1)], after: [("a", disk, 0), ("b", other, 1)]),
    // The expression writes a label over one that the series have.
    Story(
      "label_replace(a, 'instance', 'short', '', '') > 1", breach: [("a", disk, 5)],
      after: [("a", disk, 0)]),
    Story(
      "label_join(a, 'instance', '-', 'mountpoint', 'instance') > 1", breach: [("a", disk, 5)],
      after: [("a", disk, 0)]),
    Story(
      "a * on (instance) group_left (mountpoint) info > 1",
      breach: [("a", disk, 5), ("info", ["instance": "a", "mountpoint": "n"], 1)],
      after: [("a", disk, 0), ("info", ["instance": "a", "mountpoint": "n"], 1)]),
    Story(
      "info * on (instance) group_right (mountpoint) a > 1",
      breach: [("a", disk, 5), ("info", ["instance": "a", "mountpoint": "n"], 1)],
      after: [("a", disk, 0), ("info", ["instance": "a", "mountpoint": "n"], 1)]),
    Story(
      "sum by (instance) (a) * on (instance) group_left (mountpoint) info > 1",
      breach: [("a", disk, 5), ("info", ["instance": "a", "mountpoint": "n"], 1)],
      after: [("a", disk, 0), ("info", ["instance": "a", "mountpoint": "n"], 1)]),
    Story(
      "count_values('instance', a > 1) > 0", breach: [("a", disk, 5)], after: [("a", disk, 0)]),
    Story(
      "a > ignoring (instance) b", breach: [("a", disk, 5), ("b", ["mountpoint": "/var"], 1)],
      after: [("a", disk, 0), ("b", ["mountpoint": "/var"], 1)]),
  ])
  func `an alert whose series say that it is over ends`(_ story: Story) throws {
    #expect(try outcome(story) == nil)
  }

  @Test func `a recorded series is as fresh as its group is often evaluated`() throws {
    let rule = AlertRule(name: "A", expression: try Query(parsing: "level > 1"))
    var timeline = RuleTimeline([
      RuleTimeline.group(
        named: "slow", interval: .seconds(15), try RuleTimeline.recording("level", "busy + 0")),
      RuleTimeline.group(named: "fast", .alert(rule)),
    ])
    for second in 1...40 {
      try timeline.take(at: second, [(["__name__": "busy"], 20)])
      let alert = timeline.turn.monitor.state.tracker.firing.first
      #expect(alert?.hasNoData == false, "at \(second)s")
    }
  }
}
