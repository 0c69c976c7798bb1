import Testing

@testable import LifeguardCore

struct AlertSeriesTests {
  private static let x: Labels = ["__name__": "x", "i": "1"]

  @Test func `an alert writes ALERTS in its state, and when it became active`() throws {
    var timeline = RuleTimeline([
      RuleTimeline.group(
        try RuleTimeline.alert(
          "Down", "x == 0", hold: .seconds(2), labels: ["severity": "page"]))
    ])
    try timeline.take(at: 0, [(Self.x, 0)])
    let labels = #"alertname="Down", alertstate="pending", i="1", severity="page""#
    #expect(try timeline.query("ALERTS") == ["ALERTS{\(labels)} => 1"])
    for second in 1...2 { try timeline.take(at: second, [(Self.x, 0)]) }
    #expect(
      try timeline.query("ALERTS")
        == [#"ALERTS{alertname="Down", alertstate="firing", i="1", severity="page"} => 1"#])
    #expect(
      try timeline.query("ALERTS_FOR_STATE")
        == [#"ALERTS_FOR_STATE{alertname="Down", i="1", severity="page"} => 1700000000"#])
    try timeline.take(at: 3, [(Self.x, 1)])
    #expect(try timeline.query("ALERTS").isEmpty)
    #expect(try timeline.query("ALERTS_FOR_STATE").isEmpty)
    #expect(
      try timeline.samples(#"{__name__=~"ALERTS.*"}"#).filter { $0.hasSuffix("stale") } == [
        #"ALERTS{alertname="Down", alertstate="firing", i="1", severity="page"} 3s stale"#,
        #"ALERTS{alertname="Down", alertstate="pending", i="1", severity="page"} 2s stale"#,
        #"ALERTS_FOR_STATE{alertname="Down", i="1", severity="page"} 3s stale"#,
      ])
  }

  @Test func `keep_firing_for holds an alert whose series has gone`() throws {
    var timeline = RuleTimeline([
      RuleTimeline.group(try RuleTimeline.alert("Down", "x == 0", keep: .seconds(3)))
    ])
    try timeline.take(at: 0, [(Self.x, 0)])
    try timeline.take(at: 1, [(Self.x, .staleMarker)])
    #expect(try timeline.query("ALERTS").count == 1)
    for second in 2...3 { try timeline.take(at: second) }
    #expect(try timeline.query("ALERTS").count == 1)
    try timeline.take(at: 4)
    #expect(try timeline.query("ALERTS").isEmpty)
  }

  @Test func `two elements that become the same alert fail the rule`() throws {
    var timeline = RuleTimeline([
      RuleTimeline.group(try RuleTimeline.alert("Down", "x == 0", labels: ["i": "all"]))
    ])
    try timeline.take(at: 0, [(Self.x, 0), (["__name__": "x", "i": "2"], 0)])
    #expect(
      timeline.status("g", 0)?.lastError
        == "vector contains metrics with the same labelset after applying alert labels")
    #expect(try timeline.query("ALERTS").isEmpty)
  }

  @Test func `more alerts than the group's limit end them all and fail the rule`() throws {
    var timeline = RuleTimeline([
      RuleTimeline.group(limit: 1, try RuleTimeline.alert("Down", "x == 0"))
    ])
    try timeline.take(at: 0, [(Self.x, 0)])
    #expect(timeline.turn.monitor.state.tracker.firing.count == 1)
    try timeline.take(at: 1, [(Self.x, 0), (["__name__": "x", "i": "2"], 0)])
    #expect(timeline.turn.monitor.state.tracker.firing.isEmpty)
    #expect(timeline.status("g", 0)?.lastError == "exceeded limit of 1 with 2 alerts")
  }

  @Test func `alerts of services are series as well`() throws {
    var timeline = RuleTimeline([])
    let problem = Problem(name: "DiskSlow", summary: "slow", isActive: true)
    _ = timeline.turn.handle(.problem(problem), at: RuleTimeline.moment(0))
    try timeline.take(at: 0)
    #expect(try timeline.query(#"ALERTS{alertname="DiskSlow", alertstate="firing"}"#).count == 1)
    let over = Problem(name: "DiskSlow", summary: "", isActive: false)
    _ = timeline.turn.handle(.problem(over), at: RuleTimeline.moment(1))
    try timeline.take(at: 1)
    #expect(try timeline.query("ALERTS").isEmpty)
  }

  @Test func `an annotation may run a query`() throws {
    var rule = AlertRule(
      name: "Down", expression: try Query(parsing: "x == 0"), onNoData: .ok, origin: .ruleFile)
    rule.labels = [
      "others": try Template(
        parsing: #"{{ with query "count(x)" }}{{ . | first | value }}{{ end }}"#)
    ]
    var timeline = RuleTimeline([RuleTimeline.group(.alert(rule))])
    try timeline.take(at: 0, [(Self.x, 0), (["__name__": "x", "i": "2"], 1)])
    #expect(timeline.turn.monitor.state.tracker.firing.first?.key.labels["others"] == "2")
  }

  // MARK: Restarts

  private static func pending(hold: Duration, since seconds: Int) throws -> MonitorState {
    var timeline = RuleTimeline([
      RuleTimeline.group(try RuleTimeline.alert("Down", "x == 0", hold: hold))
    ])
    try timeline.take(at: 0, [(x, 0)])
    for second in stride(from: 60, through: seconds, by: 60) {
      try timeline.take(at: second, [(x, 0)])
    }
    return timeline.turn.monitor.state
  }

  private static func restarted(
    hold: Duration, watched: Int, restartAt: Int
  ) throws -> (fires: Int?, timeline: RuleTimeline) {
    var timeline = RuleTimeline(
      [RuleTimeline.group(try RuleTimeline.alert("Down", "x == 0", hold: hold))],
      state: try pending(hold: hold, since: watched))
    _ = timeline.turn.handle(.started(StartReport()), at: RuleTimeline.moment(restartAt))
    for second in stride(from: restartAt, through: restartAt + 7200, by: 10) {
      try timeline.take(at: second, [(x, 0)])
      if !timeline.turn.monitor.state.tracker.firing.isEmpty {
        return (second - restartAt, timeline)
      }
    }
    return (nil, timeline)
  }

  @Test func `a long wait goes on after a restart, the outage left out`() throws {
    // 20 of 60 minutes had passed; 40 remain, whatever the 10 minutes of outage.
    #expect(
      try Self.restarted(hold: .seconds(3600), watched: 1200, restartAt: 1800).fires == 2400)
  }

  @Test func `a wait goes on where it was, however short it is or what is left of it`() throws {
    #expect(try Self.restarted(hold: .seconds(3600), watched: 3540, restartAt: 3600).fires == 60)
    #expect(try Self.restarted(hold: .seconds(300), watched: 240, restartAt: 250).fires == 60)
  }

  @Test func `after an outage of more than an hour every wait begins anew`() throws {
    #expect(
      try Self.restarted(hold: .seconds(1800), watched: 1200, restartAt: 6000).fires == 1800)
  }
}
