/// Whether the series behind one element of an expression still deliver.
///
/// PromQL returns nothing for a condition that is over, and nothing for one whose series ended. An
/// element that is no longer returned is therefore well only if everything that it was made of is
/// still there:
///
/// ```
/// selector                    a series that agrees with the element has a fresh sample
/// a + b, a > b, a and b       both sides
/// a unless b                  a: the element was there because b had nothing to say
/// a or b                      one side, and no side whose series were there and have ended
/// sum by (x) (a)              a, compared by x alone
/// label_replace(a, "x", …)    a, compared by everything but x, which the expression wrote
/// scalar(a)                   any series of a: the element has none of its labels
/// absent(a), numbers          nothing
/// ```
struct Feed<Source: SeriesSource> {
  var source: Source
  var time: Timestamp
  /// How old the newest sample of a series may be.
  var freshness: Duration

  func state(of expression: Expression, for element: Labels) -> FeedState {
    state(expression, ComparedLabels(element))
  }

  private func state(_ expression: Expression, _ labels: ComparedLabels) -> FeedState {
    let labels = expression.type == .scalar ? ComparedLabels(Labels()) : labels
    switch expression {
    case .number, .string: return .fresh(nil)
    case .vectorSelector(let selector): return state(selector, labels)
    case .matrixSelector(let matrix): return state(matrix.selector, labels)
    case .subquery(let subquery): return state(subquery.expression, labels)
    case .unary(let unary): return state(unary.operand, labels)
    case .parentheses(let inner, position: _): return state(inner, labels)
    case .call(let call): return state(call, labels)
    case .aggregation(let aggregation): return state(aggregation, labels)
    case .binary(let binary): return state(binary, labels)
    }
  }

  private func state(_ selector: VectorSelector, _ labels: ComparedLabels) -> FeedState {
    let after = time - freshness
    // why try?: a source that cannot be read has no data, which is what an empty list says.
    let found = (try? source.select(selector.matchers, after: after, through: time)) ?? []
    var isKnown = false
    var newest: Timestamp?
    for reference in found where labels.agree(with: source.labels(of: reference)) {
      isKnown = true
      guard let last = source.lastSample(of: reference, after: after, through: time),
        // Neither a staleness marker nor a value that is not a number says anything.
        !last.value.isNaN
      else { continue }
      newest = max(newest ?? last.timestamp, last.timestamp)
    }
    if let newest { return .fresh(newest) }
    return isKnown ? .ended : .missing
  }

  private func state(_ call: Call, _ labels: ComparedLabels) -> FeedState {
    switch call.function {
    case .absent, .absentOverTime: return .fresh(nil)
    // What it adds comes from series that the expression does not name.
    case .info: return state(call.arguments[0], labels)
    case .labelReplace, .labelJoin, .histogramQuantiles:
      return all(call.arguments, labels.dropping([call.arguments[1].text ?? ""]))
    default: return all(call.arguments, labels)
    }
  }

  private func state(_ aggregation: Aggregation, _ labels: ComparedLabels) -> FeedState {
    var labels = labels
    switch aggregation.aggregator {
    // They return elements as they are, whatever they are grouped by.
    case .topk, .bottomk, .limitk, .limitRatio: break
    case .countValues:
      labels = labels.dropping([aggregation.parameter?.text ?? ""])
      labels = labels.grouped(aggregation.grouping, isWithout: aggregation.isWithout)
    case .sum, .avg, .count, .min, .max, .group, .stddev, .stdvar, .quantile:
      labels = labels.grouped(aggregation.grouping, isWithout: aggregation.isWithout)
    }
    return all((aggregation.parameter.map { [$0] } ?? []) + [aggregation.expression], labels)
  }

  private func state(_ binary: BinaryExpression, _ labels: ComparedLabels) -> FeedState {
    let matching = binary.matching
    switch binary.operation {
    case .unless: return state(binary.left, labels)
    case .or: return either(state(binary.left, labels), state(binary.right, labels))
    default: break
    }
    guard binary.left.type != .scalar, binary.right.type != .scalar else {
      return all([binary.left, binary.right], labels)
    }
    let matched = labels.grouped(matching.labels, isWithout: !matching.isOn)
    // The "one" side has the labels that are matched, and gives those of `group_left`.
    let one = labels.grouped(
      matching.isOn
        ? matching.labels + matching.include
        : matching.labels.filter { !matching.include.contains($0) }, isWithout: !matching.isOn)
    let many = labels.dropping(matching.include)
    let sides: (left: ComparedLabels, right: ComparedLabels) =
      switch matching.cardinality {
      case .oneToOne: (matched, matched)
      case .manyToOne: (many, one)
      case .oneToMany: (one, many)
      // `and`: the elements are those of the left side.
      case .manyToMany: (labels, matched)
      }
    return both(state(binary.left, sides.left), state(binary.right, sides.right))
  }

  private func all(_ parts: [Expression], _ labels: ComparedLabels) -> FeedState {
    parts.reduce(.fresh(nil)) { both($0, state($1, labels)) }
  }

  /// What lacks one part can have returned nothing, so that it does not count as ended.
  private func both(_ one: FeedState, _ other: FeedState) -> FeedState {
    switch (one, other) {
    case (.missing, _), (_, .missing): .missing
    case (.ended, _), (_, .ended): .ended
    case (.fresh(let one), .fresh(let other)): .fresh(later(one, other))
    }
  }

  private func either(_ one: FeedState, _ other: FeedState) -> FeedState {
    switch (one, other) {
    case (.ended, _), (_, .ended): .ended
    case (.missing, let state), (let state, .missing): state
    case (.fresh(let one), .fresh(let other)): .fresh(later(one, other))
    }
  }

  private func later(_ one: Timestamp?, _ other: Timestamp?) -> Timestamp? {
    guard let one, let other else { return one ?? other }
    return max(one, other)
  }
}

/// What is known of the series behind an element.
enum FeedState: Hashable, Sendable {
  /// They deliver; with the newest sample, nil where none is needed.
  case fresh(Timestamp?)
  /// There are such series, and none of them delivers any more.
  case ended
  /// No such series is known.
  case missing

  var isFresh: Bool { if case .fresh = self { true } else { false } }
  var newest: Timestamp? { if case .fresh(let newest) = self { newest } else { nil } }
}

/// The labels of an element by which the series behind it are told from others.
private struct ComparedLabels {
  private var labels: Labels

  init(_ element: Labels) {
    labels = element.withoutMetadata()
  }

  /// Without those that the expression itself wrote.
  func dropping(_ names: [String]) -> ComparedLabels {
    ComparedLabels(labels.without(names))
  }

  /// What a grouping or a matching leaves.
  func grouped(_ names: [String], isWithout: Bool) -> ComparedLabels {
    ComparedLabels(isWithout ? labels.without(names) : labels.keeping(names))
  }

  /// Whether no label has another value in the series; what the series does not have says nothing.
  func agree(with series: Labels) -> Bool { series.agrees(with: labels) }
}

extension Expression {
  /// The text of a string, for the names of labels that functions write.
  fileprivate var text: String? {
    if case .string(let literal) = unwrapped { literal.value } else { nil }
  }

  /// The names of the metrics that must have samples, to find how often their sources deliver.
  var metricsOutsideAbsent: [String] {
    selectorsOutsideAbsent.map(\.name).filter { !$0.isEmpty }
  }
}
