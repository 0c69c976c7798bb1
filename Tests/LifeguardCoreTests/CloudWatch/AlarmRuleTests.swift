import Testing

@testable import LifeguardCore

/// CloudWatch's tables of missing data, through real turns over real samples.
@Suite struct AlarmRuleTests {
  private static let name = "cpu"
  private let metric: Labels = ["__name__": "cpu", "host": "a"]

  private func timeline(
    _ settings: AlarmSettings, expression: String = "cpu > 50"
  ) throws -> RuleTimeline {
    var rule = AlertRule(name: "High", expression: try Query(parsing: expression))
    rule.alarm = settings
    return RuleTimeline([RuleTimeline.group(.alert(rule))])
  }

  private func state(_ timeline: RuleTimeline) -> String {
    let alerts = timeline.turn.monitor.state.tracker.alerts.values
    guard let alert = alerts.first else { return "OK" }
    return alert.hasNoData ? "INSUFFICIENT_DATA" : "ALARM"
  }

  /// The first second of a minute: the timeline's own start is in the middle of one.
  private static let minute = 40

  /// Plays one row of a table, a period a minute, with a sample in the middle of each that has one.
  ///
  /// - Parameter fires: whether the alarm is in ALARM before.
  private func play(
    _ row: AlarmEvaluationTests.Row, _ missing: AlarmEvaluation.MissingData, fires: Bool
  ) throws -> RuleTimeline {
    var timeline = try timeline(
      AlarmSettings(
        evaluation: AlarmEvaluation(
          evaluationPeriods: 3, datapointsToAlarm: row.datapoints, missingData: missing)))
    var second = Self.minute
    if fires {
      for _ in 0..<5 {
        try timeline.take(at: second + 30, [(metric, 99)])
        second += 60
      }
      try timeline.take(at: second)
      #expect(timeline.turn.monitor.state.tracker.firing.count == 1)
    }
    for point in AlarmEvaluationTests.points(row.points) {
      switch point {
      case .breaching: try timeline.take(at: second + 30, [(metric, 99)])
      case .healthy: try timeline.take(at: second + 30, [(metric, 1)])
      case .missing: break
      }
      second += 60
    }
    try timeline.take(at: second)
    return timeline
  }

  @Test(arguments: AlarmEvaluationTests.rows, AlarmEvaluation.MissingData.allCases)
  func `a row of the tables gives its state in a turn`(
    row: AlarmEvaluationTests.Row, missing: AlarmEvaluation.MissingData
  ) throws {
    let index = try #require(AlarmEvaluation.MissingData.allCases.firstIndex(of: missing))
    for fires in [false, true] {
      let timeline = try play(row, missing, fires: fires)
      let isFiring = !timeline.turn.monitor.state.tracker.firing.isEmpty
      switch row.verdicts[index] {
      case .alarm: #expect(isFiring)
      case .ok: #expect(!isFiring)
      case .retain: #expect(isFiring == fires)
      // Insufficient data neither opens nor ends anything (on_no_data: keep).
      case .insufficientData:
        #expect(isFiring == fires)
        #expect(!fires || state(timeline) == "INSUFFICIENT_DATA")
      }
    }
  }

  @Test(arguments: [
    (AlarmSettings.Statistic.average, 20.0), (.sum, 80), (.minimum, 5), (.maximum, 40),
    (.sampleCount, 4), (.percentile(50), 17.5),
  ])
  func `a datapoint is the statistic of its period's samples alone`(
    statistic: AlarmSettings.Statistic, value: Double
  ) throws {
    let settings = AlarmSettings(
      statistic: statistic,
      evaluation: AlarmEvaluation(evaluationPeriods: 1, datapointsToAlarm: 1))
    for (limit, fires) in [(value - 0.01, true), (value + 0.01, false)] {
      var timeline = try timeline(settings, expression: "cpu > \(limit)")
      // Of the period before, and of the one after.
      try timeline.take(at: Self.minute - 5, [(metric, 1000)])
      for (index, value) in [5.0, 10, 25, 40].enumerated() {
        try timeline.take(at: Self.minute + 5 + index * 10, [(metric, value)])
      }
      try timeline.take(at: Self.minute + 60)
      #expect(timeline.turn.monitor.state.tracker.firing.isEmpty == !fires, "\(limit)")
    }
  }

  @Test func `between two ends of a period nothing changes`() throws {
    var timeline = try timeline(
      AlarmSettings(evaluation: AlarmEvaluation(evaluationPeriods: 1, datapointsToAlarm: 1)))
    for second in stride(from: Self.minute + 1, through: Self.minute + 59, by: 1) {
      try timeline.take(at: second, [(metric, 99)])
      #expect(state(timeline) == "OK", "\(second)")
    }
    try timeline.take(at: Self.minute + 60, [(metric, 1)])
    #expect(state(timeline) == "ALARM")
    for second in stride(from: Self.minute + 61, through: Self.minute + 119, by: 1) {
      try timeline.take(at: second, [(metric, 1)])
      #expect(state(timeline) == "ALARM", "\(second)")
    }
    try timeline.take(at: Self.minute + 120, [(metric, 1)])
    #expect(state(timeline) == "OK")
  }

  @Test func `each label set is an alarm of its own`() throws {
    var timeline = try timeline(
      AlarmSettings(evaluation: AlarmEvaluation(evaluationPeriods: 1, datapointsToAlarm: 1)))
    try timeline.take(
      at: Self.minute + 30, [(metric, 99), (["__name__": "cpu", "host": "b"], 1)])
    try timeline.take(at: Self.minute + 60)
    let firing = timeline.turn.monitor.state.tracker.firing
    #expect(firing.map { $0.key.labels["host"] } == ["a"])
    #expect(firing.first?.value == 99)
  }

  @Test func `a metric that nobody sends is missing, and may count as breaching`() throws {
    for missing in AlarmEvaluation.MissingData.allCases {
      var timeline = try timeline(
        AlarmSettings(
          evaluation: AlarmEvaluation(
            evaluationPeriods: 1, datapointsToAlarm: 1, missingData: missing)))
      try timeline.take(at: Self.minute)
      #expect(
        timeline.turn.monitor.state.tracker.firing.isEmpty == (missing != .breaching), "\(missing)")
      // Somebody begins to send it, and it is healthy.
      try timeline.take(at: Self.minute + 30, [(metric, 1)])
      try timeline.take(at: Self.minute + 60)
      #expect(timeline.turn.monitor.state.tracker.alerts.isEmpty, "\(missing)")
    }
  }

  @Test func `an alarm that ends because nothing is sent any more has not recovered`() throws {
    var timeline = try timeline(
      AlarmSettings(
        evaluation: AlarmEvaluation(
          evaluationPeriods: 1, datapointsToAlarm: 1, missingData: .notBreaching)))
    try timeline.take(at: Self.minute + 30, [(metric, 99)])
    try timeline.take(at: Self.minute + 60)
    #expect(timeline.turn.monitor.state.openIncidents.count == 1)
    // Three periods are looked at; after them nothing is left.
    for period in 2...5 { try timeline.take(at: Self.minute + period * 60) }
    #expect(timeline.turn.monitor.state.incidents.values.map(\.state) == [.closed])
  }

  @Test func `nothing at all after an action proves no recovery, whatever missing counts as`()
    throws
  {
    for missing in AlarmEvaluation.MissingData.allCases {
      var rule = AlertRule(name: "High", expression: try Query(parsing: "cpu > 50"))
      rule.alarm = AlarmSettings(
        evaluation: AlarmEvaluation(
          evaluationPeriods: 1, datapointsToAlarm: 1, missingData: missing))
      var evaluator = RuleEvaluator(rule, interval: .seconds(1))
      let labels: Labels = ["host": "a"]
      let evaluation = evaluator.evaluate(
        over: Head(), at: RuleTimeline.start, active: [labels], intervals: [:])
      let verdict = evaluation.elements.first { $0.labels == labels }?.verdict
      #expect(verdict != nil && verdict != .healthy, "\(missing)")
    }
  }

  @Test func `a minute's alarm is judged anew after a restart from the samples alone`() throws {
    let settings = AlarmSettings(
      evaluation: AlarmEvaluation(evaluationPeriods: 3, datapointsToAlarm: 2))
    var timeline = try timeline(settings)
    for period in 0..<3 {
      try timeline.take(at: Self.minute + period * 60 + 30, [(metric, 99)])
    }
    let head = timeline.turn.head
    var fresh = try self.timeline(settings)
    fresh.turn.head = head
    try fresh.take(at: Self.minute + 180)
    #expect(fresh.turn.monitor.state.tracker.firing.count == 1)
  }
}
