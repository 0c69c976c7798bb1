/// A parsed and type-checked query, evaluated over any source as often as needed.
public struct Query: Sendable, Hashable {
  public let text: String
  public let expression: Expression
  /// How many selectors the expression has; their `index` counts from 0.
  let selectorCount: Int
  /// Set when the query is one selector compared with a number.
  let comparison: SelectorComparison?

  /// - Throws: with Prometheus' message when the text is not PromQL, is not well typed, or uses a
  ///   function that is unknown or experimental.
  public init(parsing text: String) throws(ParseError) {
    try self.init(parsing: text, allowsExperimental: false)
  }

  init(parsing text: String, allowsExperimental: Bool) throws(ParseError) {
    var parser = Parser(text, allowsExperimental: allowsExperimental)
    var count = 0
    let numbered = try parser.parse().numberingSelectors(&count)
    self.text = text
    expression = numbered
    selectorCount = count
    comparison = SelectorComparison(numbered)
  }

  /// An expression that was put together rather than parsed.
  init(text: String, expression: Expression) {
    var count = 0
    self.text = text
    self.expression = expression.numberingSelectors(&count)
    selectorCount = count
    comparison = SelectorComparison(self.expression)
  }

  public static func == (left: Query, right: Query) -> Bool { left.text == right.text }

  public func hash(into hasher: inout Hasher) { hasher.combine(text) }

  /// The value at one time.
  ///
  /// - Throws: `QueryError` with Prometheus' text.
  public func instant(
    over source: some SeriesSource, at time: Timestamp, options: QueryOptions = QueryOptions()
  ) throws(QueryError) -> QueryResult {
    var evaluator = Evaluator(
      query: self, source: source, options: options, start: time, end: time, step: 0)
    return try evaluator.instant(at: time)
  }

  /// The values from `start` to `end`, both included, every `step`.
  ///
  /// - Throws: `QueryError`, among others for more than `options.pointsMax` steps.
  public func range(
    over source: some SeriesSource, from start: Timestamp, to end: Timestamp, step: Duration,
    options: QueryOptions = QueryOptions()
  ) throws(QueryError) -> QueryResult {
    guard expression.type == .scalar || expression.type == .vector else {
      throw .invalid(
        "invalid expression type \(QuotedText.quoted(expression.type.documented)) for range query,"
          + " must be Scalar or instant Vector")
    }
    guard end >= start else { throw .invalid("end timestamp must not be before start time") }
    let interval = step.milliseconds
    guard interval > 0 else {
      throw .invalid(
        "zero or negative query resolution step widths are not accepted."
          + " Try a positive integer")
    }
    guard (end - start).milliseconds / interval <= options.pointsMax else {
      throw .invalid(
        "exceeded maximum resolution of \(NumberText.grouped(options.pointsMax)) points per"
          + " timeseries. Try decreasing the query resolution (?step=XX)")
    }
    var evaluator = Evaluator(
      query: self, source: source, options: options, start: start, end: end, step: interval)
    return try evaluator.range()
  }

  /// How far back from the evaluation time any selector reaches, with the default lookback; `nil`
  /// when one is fixed to a time by `@`.
  public var longestLookback: Duration? { longestLookback(lookback: .seconds(300)) }

  /// The same with the lookback of `QueryOptions.lookback`.
  public func longestLookback(lookback: Duration) -> Duration? {
    expression.reach(lookback: lookback.milliseconds).map { .milliseconds($0) }
  }
}

extension NumberText {
  /// With commas between groups of three digits.
  static func grouped(_ value: Int) -> String {
    var result = ""
    for (index, digit) in String(value).reversed().enumerated() {
      if index > 0, index % 3 == 0 { result = "," + result }
      result = String(digit) + result
    }
    return result
  }
}
