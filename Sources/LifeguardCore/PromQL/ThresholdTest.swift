/// What a query of the form `selector > number` asks of a sample.
///
/// Whoever has thousands of samples at hand can tell with it which of them matter before anything
/// is evaluated.
public struct ThresholdTest: Sendable {
  private let comparison: SelectorComparison

  /// nil for a query of any other form, or with an offset.
  public init?(_ query: Query) {
    guard let comparison = query.comparison, comparison.offset == 0 else { return nil }
    self.comparison = comparison
  }

  /// Whether the selector takes a series.
  public func selects(_ labels: Labels) -> Bool {
    comparison.selector.matchers.allSatisfy { $0.matches(labels) }
  }

  /// Whether the comparison holds for a value of a selected series.
  public func holds(for value: Double) -> Bool {
    comparison.isNumberLeft
      ? Arithmetic.holds(comparison.operation, comparison.number, value)
      : Arithmetic.holds(comparison.operation, value, comparison.number)
  }
}

extension Query {
  /// The metric names that its selectors ask for; nil when one of them asks without a name.
  public var metricNames: Set<String>? {
    var names: Set<String> = []
    for selector in expression.allSelectors {
      let named = selector.matchers.first { $0.name == Labels.metricName && $0.kind == .equal }
      let name = selector.name.isEmpty ? named?.value ?? "" : selector.name
      guard !name.isEmpty else { return nil }
      names.insert(name)
    }
    return names
  }

  /// Whether it looks at more than the newest sample of a series.
  public var readsRanges: Bool { expression.readsRanges }
}

extension Expression {
  fileprivate var allSelectors: [VectorSelector] {
    switch self {
    case .vectorSelector(let selector): [selector]
    case .matrixSelector(let matrix): [matrix.selector]
    default: children.flatMap(\.allSelectors)
    }
  }

  fileprivate var readsRanges: Bool {
    switch self {
    case .matrixSelector, .subquery: true
    default: children.contains { $0.readsRanges }
    }
  }
}
