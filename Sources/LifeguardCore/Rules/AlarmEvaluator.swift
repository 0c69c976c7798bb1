/// Evaluates a rule as CloudWatch evaluates an alarm, from the samples alone.
///
/// Nothing but the last result is kept: after a restart the same samples give the same verdicts.
struct AlarmEvaluator: Sendable {
  private struct Element {
    var points: [AlarmEvaluation.Point]
    var value = 0.0
    var newestInput: Timestamp?
    var origin = SeriesOrigin.local
  }

  /// Stands for a metric that nobody has sent yet.
  private static let nobody = Labels()

  private let rule: AlertRule
  private let settings: AlarmSettings
  private let test: ThresholdTest
  private var query: PreparedQuery
  private var last: (end: Timestamp, evaluation: Evaluation, active: Set<Labels>)?

  /// nil for a rule that is no alarm, or whose expression is no comparison with a number.
  init?(_ rule: AlertRule) {
    guard let settings = rule.alarm, let test = ThresholdTest(rule.expression),
      let query = rule.expression.datapoints(settings)
    else { return nil }
    self.rule = rule
    self.settings = settings
    self.test = test
    self.query = PreparedQuery(query)
  }

  /// As `RuleEvaluator.evaluate`; between two periods' ends the last answer still holds.
  mutating func evaluate(
    over source: some SeriesSource, at time: Timestamp, active: [Labels], options: QueryOptions
  ) throws(QueryError) -> Evaluation {
    let cadence = settings.cadence.milliseconds
    let end = Timestamp(milliseconds: time.milliseconds / cadence * cadence)
    if let last, last.end == end, last.active.isSuperset(of: active) { return last.evaluation }
    var elements: [Labels: Element] = [:]
    let missing = Array(repeating: AlarmEvaluation.Point.missing, count: settings.range)
    for index in missing.indices {
      let at = end - settings.period * (settings.range - 1 - index)
      let result = try query.instant(over: source, at: at, options: options)
      guard case .vector(let found) = result.value else { continue }
      for one in found where one.value.isFinite {
        var element = elements[one.labels] ?? Element(points: missing)
        element.points[index] = test.holds(for: one.value) ? .breaching : .healthy
        element.value = one.value
        element.newestInput = one.inputs?.upperBound ?? at
        element.origin = result.origin(of: one)
        elements[one.labels] = element
      }
    }
    for labels in active where elements[labels] == nil {
      elements[labels] = Element(points: missing)
    }
    let evaluation = evaluation(of: elements)
    last = (end, evaluation, Set(active).union(elements.keys))
    return evaluation
  }

  private func evaluation(of elements: [Labels: Element]) -> Evaluation {
    var evaluation = Evaluation(
      rule: rule.id, freshness: max(settings.period * 2, .seconds(5)))
    var elements = elements
    evaluation.hasData = elements.values.contains { $0.newestInput != nil }
    if elements.isEmpty {
      // A metric that nobody has ever sent is missing, too.
      elements[AlarmEvaluator.nobody] = Element(
        points: Array(repeating: .missing, count: settings.range), value: .nan)
    }
    evaluation.newestInput = elements.values.compactMap(\.newestInput).max()
    for (labels, element) in elements.sorted(by: { $0.key < $1.key }) {
      // Somebody has begun to send it: what stood for nobody is over.
      let stoodIn =
        labels == AlarmEvaluator.nobody && element.newestInput == nil && evaluation.hasData
      let verdict: Evaluation.Verdict = stoodIn ? .healthy : verdict(of: element)
      evaluation.elements.append(
        Evaluation.Element(
          labels: labels, value: element.value, verdict: verdict,
          newestInput: element.newestInput, origin: element.origin))
    }
    return evaluation
  }

  /// Absence is no health: what is in order only because nothing says otherwise has no data.
  private func verdict(of element: Element) -> Evaluation.Verdict {
    switch settings.evaluation.verdict(over: element.points) {
    case .alarm: .breached
    case .ok: element.newestInput == nil ? .noData : .healthy
    case .insufficientData: .noData
    case .retain: .uncleared
    }
  }
}
