import LifeguardCore

/// `alarm:` of an inline rule.
extension LoadSession {
  /// A day, as for CloudWatch's own (API_PutMetricAlarm).
  private static let spanMax: Duration = .seconds(86_400)

  func readAlarm(_ parent: SectionReader, into rule: inout AlertRule) {
    // An empty one is meant, too: every key has a default.
    guard let node = parent.node["alarm"],
      let reader = SectionReader(node, Schema.alarm, log: log),
      let window = readDatapoints(reader)
    else { return }
    if loader.isFunction {
      log.error(
        parent.location(of: "alarm"),
        "\"alarm\" is for an agent, which keeps the samples of whole periods; a function is told by"
          + " CloudWatch's own alarms")
    }
    for key in parent.written(["clear", "samples", "for"]) where !parent.isEmptyValue(key) {
      log.error(
        parent.location(of: key),
        "an alarm decides by its datapoints alone; remove \(quoted(key)) or \"alarm\"")
    }
    guard rule.expression.isThreshold else {
      log.error(
        parent.location(of: "expr"),
        "an alarm compares one metric with a number; write an expression such as"
          + " CPUUtilization > 80, or remove \"alarm\"")
      return
    }
    let missing = reader.choice(
      "missing", AlarmEvaluation.MissingData.allCases.map { ($0.rawValue, $0) })
    let settings = AlarmSettings(
      period: readPeriod(reader), statistic: readStatistic(reader),
      evaluation: AlarmEvaluation(
        evaluationPeriods: window.of, datapointsToAlarm: window.needed,
        missingData: missing ?? .missing))
    checkSpan(settings, reader)
    rule.alarm = settings
  }

  /// `2 of 3`.
  private func readDatapoints(_ reader: SectionReader) -> (needed: Int, of: Int)? {
    guard let node = reader["datapoints"] else { return (1, 1) }
    let words = (node.scalar?.text ?? "").split(separator: " ")
    guard words.count == 3, words[1] == "of", let needed = Int(words[0]),
      let periods = Int(words[2]), (1...1440).contains(periods), (1...periods).contains(needed)
    else {
      reader.wrong("datapoints", node, must: "two numbers such as 2 of 3, the first not larger")
      return nil
    }
    return (needed, periods)
  }

  private func readPeriod(_ reader: SectionReader) -> Duration {
    guard
      let period = reader.duration("period", minimum: .seconds(1), maximum: .seconds(86_400))
    else { return .seconds(60) }
    let isUsual = [1000, 5000, 10_000, 20_000, 30_000].contains(period.milliseconds)
    if !isUsual, period.milliseconds % 60_000 != 0 {
      log.error(
        reader.location(of: "period"),
        "\"period\" must be 1s, 5s, 10s, 20s, 30s or whole minutes, not"
          + " \(DurationFormat.text(period))")
    }
    return period
  }

  private func readStatistic(_ reader: SectionReader) -> AlarmSettings.Statistic {
    let usual: [AlarmSettings.Statistic] = [.average, .sum, .minimum, .maximum, .sampleCount]
    if let text = reader["statistic"]?.scalar?.text, text.hasPrefix("p"),
      let percent = Double(text.dropFirst()), (0...100).contains(percent)
    {
      return .percentile(percent)
    }
    return reader.choice("statistic", usual.map { ($0.name, $0) }) ?? .average
  }

  /// What it looks at must be there: it is judged from the samples in memory.
  private func checkSpan(_ settings: AlarmSettings, _ reader: SectionReader) {
    let span = settings.period * settings.range
    let kept = configuration.collect.memoryRetention
    if settings.period * settings.evaluation.evaluationPeriods > LoadSession.spanMax {
      log.error(
        reader.location(of: "datapoints"), "\"datapoints\" span more than a day")
    } else if span > kept {
      log.error(
        reader.node.location,
        "an alarm of \(settings.evaluation.evaluationPeriods) periods looks back"
          + " \(DurationFormat.text(span)), and samples stay in memory for"
          + " \(DurationFormat.text(kept)); raise collect.memory_retention")
    }
  }
}
