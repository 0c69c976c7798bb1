import Testing

@testable import LifeguardCore

struct RecordingTests {
  @Test func `a recorded series carries the rule's name and labels over the result's`() throws {
    var timeline = RuleTimeline([
      RuleTimeline.group(
        try RuleTimeline.recording("job:x:sum", "sum by (job, kind) (x)", labels: ["kind": "own"]))
    ])
    try timeline.take(at: 0, [(["__name__": "x", "job": "a", "kind": "k"], 2)])
    #expect(try timeline.query("job:x:sum") == [#"job:x:sum{job="a", kind="own"} => 2"#])
    #expect(timeline.status("g", 0)?.health == .ok)
    #expect(timeline.status("g", 0)?.lastEvaluation == RuleTimeline.start)
  }

  @Test func `a recorded series ends with a marker when the result has it no more`() throws {
    var timeline = RuleTimeline([
      RuleTimeline.group(try RuleTimeline.recording("r", "x > 0"))
    ])
    try timeline.take(
      at: 0, [(["__name__": "x", "i": "1"], 1), (["__name__": "x", "i": "2"], 1)])
    try timeline.take(
      at: 1, [(["__name__": "x", "i": "1"], 1), (["__name__": "x", "i": "2"], -1)])
    #expect(try timeline.query("r") == [#"r{i="1"} => 1"#])
    #expect(
      try timeline.samples("r") == [
        #"r{i="1"} 0ms 1"#, #"r{i="1"} 1s 1"#, #"r{i="2"} 0ms 1"#, #"r{i="2"} 1s stale"#,
      ])
  }

  @Test func `each rule of a group sees what the ones before it recorded`() throws {
    var timeline = RuleTimeline([
      RuleTimeline.group(
        try RuleTimeline.recording("a", "x + 1"), try RuleTimeline.recording("b", "a * 10"))
    ])
    try timeline.take(at: 0, [(["__name__": "x"], 1)])
    #expect(try timeline.query("b") == ["b => 20"])
  }

  @Test func `results that would have the same labels fail the rule and write nothing`() throws {
    var timeline = RuleTimeline([
      RuleTimeline.group(try RuleTimeline.recording("r", "x", labels: ["i": "same"]))
    ])
    try timeline.take(
      at: 0, [(["__name__": "x", "i": "1"], 1), (["__name__": "x", "i": "2"], 1)])
    #expect(try timeline.query("r").isEmpty)
    let problem = "vector contains metrics with the same labelset after applying rule labels"
    #expect(timeline.status("g", 0)?.lastError == problem)
    #expect(timeline.status("g", 0)?.health == .bad)
    #expect(timeline.turn.ruleProblems["record/r"] == problem)
  }

  @Test func `more series than the group's limit fail the rule`() throws {
    var timeline = RuleTimeline([
      RuleTimeline.group(limit: 1, try RuleTimeline.recording("r", "x"))
    ])
    try timeline.take(at: 0, [(["__name__": "x", "i": "1"], 1)])
    #expect(try timeline.query("r").count == 1)
    try timeline.take(at: 1, [(["__name__": "x", "i": "2"], 1)])
    #expect(timeline.status("g", 0)?.lastError == "exceeded limit of 1 with 2 series")
  }

  @Test func `a query offset moves evaluation and recorded samples into the past`() throws {
    var timeline = RuleTimeline([
      RuleTimeline.group(offset: .seconds(5), try RuleTimeline.recording("r", "timestamp(x)"))
    ])
    for second in 0...10 { try timeline.take(at: second, [(["__name__": "x"], Double(second))]) }
    #expect(try timeline.samples("r").last == "r 5s 1700000005")
  }

  @Test func `series of a removed rule end after two intervals, those of a renamed group go on`()
    throws
  {
    let kept = try RuleTimeline.recording("kept", "x")
    var timeline = RuleTimeline([
      RuleTimeline.group(named: "old", kept, try RuleTimeline.recording("gone", "x"))
    ])
    try timeline.take(at: 0, [(["__name__": "x"], 1)])
    timeline.turn.setRules(
      inline: [], groups: [RuleTimeline.group(named: "new", kept)], interval: .seconds(1))
    try timeline.take(at: 1)
    #expect(try timeline.query("gone").count == 1)
    for second in 2...4 { try timeline.take(at: second) }
    #expect(try timeline.query("gone").isEmpty)
    #expect(try timeline.query("kept").count == 1)
    #expect(try timeline.samples("gone") == ["gone 0ms 1", "gone 3s stale"])
  }

  @Test func `a scalar is recorded as one series without labels`() throws {
    var timeline = RuleTimeline([RuleTimeline.group(try RuleTimeline.recording("r", "1 + 2"))])
    try timeline.take(at: 0)
    #expect(try timeline.query("r") == ["r => 3"])
  }

  @Test func `evaluations that a late turn left out are counted and not made up for`() throws {
    var timeline = RuleTimeline([
      RuleTimeline.group(interval: .seconds(10), try RuleTimeline.recording("r", "vector(1)"))
    ])
    for second in [0, 5, 10, 20, 57, 60, 67] { try timeline.take(at: second) }
    let group = try #require(timeline.turn.ruleGroups.first { $0.name == "g" })
    #expect(group.missedEvaluations == 2)
    #expect(try timeline.samples("r").count == 5)
  }
}
