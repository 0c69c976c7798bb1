/// Evaluates one alerting rule over whatever holds samples; keeps nothing but look-ups.
public struct RuleEvaluator: Sendable {
  public let rule: AlertRule
  /// How often the rule is evaluated.
  public let interval: Duration
  private let needsData: Bool
  private var expression: PreparedQuery
  private var clear: PreparedQuery?
  private var alarm: AlarmEvaluator?
  /// Metric names that the selectors name, to find their sources' intervals.
  private let metrics: [String]

  public init(_ rule: AlertRule, interval: Duration) {
    self.rule = rule
    self.interval = interval
    expression = PreparedQuery(rule.expression)
    clear = rule.clear.map { PreparedQuery($0) }
    alarm = AlarmEvaluator(rule)
    needsData = !rule.expression.expression.selectorsOutsideAbsent.isEmpty
    metrics = rule.expression.expression.metricsOutsideAbsent
  }

  /// - Parameters:
  ///   - active: The label sets that are pending or firing, as the rule returned them: each gets a
  ///     verdict of its own, because a label set that vanished is healthy only if the series that
  ///     fed it are still there.
  ///   - intervals: How often each metric's source delivers; others as often as the rule runs.
  public mutating func evaluate(
    over source: some SeriesSource, at time: Timestamp, active: [Labels],
    intervals: [String: Duration], options: QueryOptions = QueryOptions()
  ) -> Evaluation {
    let longest = metrics.compactMap { intervals[$0] }.max() ?? interval
    var evaluation = Evaluation(rule: rule.id, freshness: max(longest * 2, .seconds(5)))
    do throws(QueryError) {
      if let alarm = try alarm?.evaluate(over: source, at: time, active: active, options: options) {
        return alarm
      }
      let result = try expression.instant(over: source, at: time, options: options)
      evaluation.newestInput = result.newestInput
      evaluation.hasData =
        !needsData
        || result.newestInput.map { time - $0 <= evaluation.freshness } ?? false
      switch result.value {
      case .string, .matrix: throw .execution("rule result is not a vector or scalar")
      case .scalar, .vector: break
      }
      var breached: Set<Labels> = []
      for element in RuleEvaluator.elements(result.value) {
        breached.insert(element.labels)
        evaluation.elements.append(
          Evaluation.Element(
            labels: element.labels, value: element.value, verdict: .breached,
            newestInput: element.inputs?.upperBound ?? result.newestInput,
            origin: result.origin(of: element)))
      }
      let vanished = active.filter { !breached.contains($0) }
      guard !vanished.isEmpty else { return evaluation }
      let cleared = try clearedLabels(over: source, at: time, options)
      let feed = Feed(source: source, time: time, freshness: evaluation.freshness)
      for labels in vanished {
        let state = feed.state(of: rule.expression.expression, for: labels)
        evaluation.elements.append(
          Evaluation.Element(
            labels: labels, value: .nan, verdict: RuleEvaluator.verdict(labels, cleared, state),
            newestInput: state.newest ?? result.newestInput))
      }
    } catch {
      evaluation.hasData = false
      evaluation.problem = error.description
    }
    return evaluation
  }

  /// A scalar is one element without labels, as in Prometheus.
  private static func elements(_ value: QueryValue) -> [VectorElement] {
    switch value {
    case .vector(let elements): elements
    case .scalar(let value): [VectorElement(labels: Labels(), value: value, inputs: nil)]
    case .string, .matrix: []
    }
  }

  private mutating func clearedLabels(
    over source: some SeriesSource, at time: Timestamp, _ options: QueryOptions
  ) throws(QueryError) -> [Labels]? {
    guard let result = try clear?.instant(over: source, at: time, options: options) else {
      return nil
    }
    return RuleEvaluator.elements(result.value).map(\.labels)
  }

  /// What an element that the rule no longer returns has become.
  private static func verdict(
    _ labels: Labels, _ cleared: [Labels]?, _ state: FeedState
  ) -> Evaluation.Verdict {
    guard state.isFresh else { return .noData }
    guard let cleared else { return .healthy }
    return cleared.contains { $0.agrees(with: labels) } ? .healthy : .uncleared
  }
}

extension Labels {
  /// Whether no label, the metric's name apart, has two different values in the two sets.
  func agrees(with other: Labels) -> Bool {
    allSatisfy { label in
      guard label.name != Labels.metricName, let value = other[label.name] else { return true }
      return value == label.value
    }
  }
}

extension Expression {
  /// Every selector that must have samples for the expression to know anything: those inside
  /// `absent()` and `absent_over_time()` ask precisely for what is not there.
  var selectorsOutsideAbsent: [VectorSelector] {
    switch self {
    case .number, .string: []
    case .vectorSelector(let selector): [selector]
    case .matrixSelector(let matrix): [matrix.selector]
    case .subquery(let subquery): subquery.expression.selectorsOutsideAbsent
    case .call(let call):
      [.absent, .absentOverTime].contains(call.function)
        ? [] : call.arguments.flatMap(\.selectorsOutsideAbsent)
    case .aggregation(let aggregation):
      aggregation.expression.selectorsOutsideAbsent
        + (aggregation.parameter?.selectorsOutsideAbsent ?? [])
    case .binary(let binary):
      binary.left.selectorsOutsideAbsent + binary.right.selectorsOutsideAbsent
    case .unary(let unary): unary.operand.selectorsOutsideAbsent
    case .parentheses(let inner, position: _): inner.selectorsOutsideAbsent
    }
  }
}
