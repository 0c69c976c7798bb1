/// What one selector of a query will read: for a source that has to fetch it beforehand.
public struct SelectorRead: Sendable, Hashable {
  public var matchers: [Matcher]
  /// Samples later than this…
  public var after: Timestamp
  /// … up to this one, included.
  public var through: Timestamp
  /// How long a single window is: the range of a range selector, or the lookback.
  public var window: Duration
  public var use: SampleUse
  /// Where the selector stands in the query.
  public var position: PositionRange
}

extension Query {
  /// What the selectors read when the query is evaluated from `start` to `end`, one for each
  /// selector, from left to right.
  ///
  /// A duration that cannot be calculated counts as zero here and fails the evaluation later.
  public func reads(
    from start: Timestamp, to end: Timestamp, step: Duration = .zero,
    options: QueryOptions = QueryOptions()
  ) -> [SelectorRead] {
    var planner = ReadPlanner(
      start: start.milliseconds, end: end.milliseconds, step: step.milliseconds,
      lookback: options.lookback.milliseconds)
    planner.visit(expression, from: start.milliseconds, to: end.milliseconds)
    return planner.reads
  }
}

/// Walks an expression with the interval of evaluation times that reaches each part of it.
private struct ReadPlanner {
  let start: Int64
  let end: Int64
  let step: Int64
  let lookback: Int64
  var reads: [SelectorRead] = []

  mutating func visit(_ expression: Expression, from first: Int64, to last: Int64) {
    switch expression {
    case .vectorSelector(let selector):
      add(selector, from: first, to: last, window: lookback)
    case .matrixSelector(let matrix):
      add(matrix.selector, from: first, to: last, window: length(matrix.range))
    case .subquery(let subquery):
      let (low, high) = resolved(subquery.fixedTime, subquery.offset, first, last)
      visit(subquery.expression, from: low - length(subquery.range), to: high)
    default:
      for child in expression.children { visit(child, from: first, to: last) }
    }
  }

  private mutating func add(
    _ selector: VectorSelector, from first: Int64, to last: Int64, window: Int64
  ) {
    let (low, high) = resolved(selector.fixedTime, selector.offset, first, last)
    reads.append(
      SelectorRead(
        matchers: selector.matchers, after: Timestamp(milliseconds: low - window),
        through: Timestamp(milliseconds: high), window: .milliseconds(window), use: selector.use,
        position: selector.position))
  }

  private func resolved(
    _ fixedTime: FixedTime?, _ offset: DurationExpression?, _ first: Int64, _ last: Int64
  ) -> (Int64, Int64) {
    let shift = length(offset)
    switch fixedTime {
    case .none: return (first - shift, last - shift)
    case .at(let time): return (time.milliseconds - shift, time.milliseconds - shift)
    case .start: return (start - shift, start - shift)
    case .end: return (end - shift, end - shift)
    }
  }

  private func length(_ duration: DurationExpression?) -> Int64 {
    // why try?: a duration that cannot be calculated fails the evaluation, with its own message.
    (try? duration?.evaluate(step: step, range: end - start, mustBePositive: false)) ?? 0
  }
}
