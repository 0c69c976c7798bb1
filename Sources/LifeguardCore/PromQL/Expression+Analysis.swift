/// What can be said about an expression before it is evaluated.
extension Expression {
  /// The same expression with its selectors numbered from left to right, each with what its samples
  /// are for.
  func numberingSelectors(_ count: inout Int, use: SampleUse = .last) -> Expression {
    switch self {
    case .number, .string: return self
    case .vectorSelector(var selector):
      selector.index = count
      count += 1
      return .vectorSelector(selector)
    case .matrixSelector(var matrix):
      matrix.selector.index = count
      matrix.selector.use = use
      count += 1
      return .matrixSelector(matrix)
    case .subquery(var subquery):
      subquery.expression = subquery.expression.numberingSelectors(&count)
      return .subquery(subquery)
    case .call(var call):
      for index in call.arguments.indices {
        call.arguments[index] = call.arguments[index].numberingSelectors(
          &count, use: SampleUse(call.function))
      }
      return .call(call)
    case .aggregation(var aggregation):
      aggregation.parameter = aggregation.parameter?.numberingSelectors(&count)
      aggregation.expression = aggregation.expression.numberingSelectors(&count)
      return .aggregation(aggregation)
    case .binary(var binary):
      binary.left = binary.left.numberingSelectors(&count)
      binary.right = binary.right.numberingSelectors(&count)
      return .binary(binary)
    case .unary(var unary):
      unary.operand = unary.operand.numberingSelectors(&count)
      return .unary(unary)
    case .parentheses(let inner, let position):
      return .parentheses(inner.numberingSelectors(&count, use: use), position: position)
    }
  }

  /// The numbers of all its selectors.
  var selectorIndices: [Int] {
    switch self {
    case .vectorSelector(let selector): [selector.index]
    case .matrixSelector(let matrix): [matrix.selector.index]
    default: children.flatMap(\.selectorIndices)
    }
  }

  /// Whether the value is the same at every step of a range query, so that one evaluation does.
  var isStepInvariant: Bool {
    switch self {
    case .number, .string: true
    case .vectorSelector(let selector): selector.fixedTime != nil
    case .matrixSelector(let matrix): matrix.selector.fixedTime != nil
    case .subquery(let subquery): subquery.fixedTime != nil
    case .call(let call):
      !call.function.dependsOnTime && call.arguments.allSatisfy(\.isStepInvariant)
    case .aggregation(let aggregation):
      aggregation.expression.isStepInvariant
        && aggregation.parameter?.isStepInvariant != false
    case .binary(let binary): binary.left.isStepInvariant && binary.right.isStepInvariant
    case .unary(let unary): unary.operand.isStepInvariant
    case .parentheses(let inner, _): inner.isStepInvariant
    }
  }

  /// How many milliseconds before the evaluation time a selector may look; `nil` when there is no
  /// such limit.
  func reach(lookback: Int64) -> Int64? {
    func length(_ duration: DurationExpression?) -> Int64 {
      // A duration that cannot be calculated fails the evaluation anyway.
      guard let duration else { return 0 }
      // why try?: as above.
      return (try? duration.evaluate(step: 0, range: 0, mustBePositive: false)) ?? 0
    }
    switch self {
    case .vectorSelector(let selector):
      if selector.fixedTime != nil { return nil }
      return max(0, lookback + length(selector.offset))
    case .matrixSelector(let matrix):
      if matrix.selector.fixedTime != nil { return nil }
      return max(0, length(matrix.range) + length(matrix.selector.offset))
    case .subquery(let subquery):
      if subquery.fixedTime != nil { return nil }
      guard let inner = subquery.expression.reach(lookback: lookback) else { return nil }
      return max(0, inner + length(subquery.range) + length(subquery.offset))
    default:
      var longest: Int64 = 0
      for child in children {
        guard let reach = child.reach(lookback: lookback) else { return nil }
        longest = max(longest, reach)
      }
      return longest
    }
  }
}

/// A query of the form `selector > 80`, which most alert rules are.
struct SelectorComparison: Sendable {
  var selector: VectorSelector
  /// Milliseconds.
  var offset: Int64
  var operation: BinaryOperator
  var number: Double
  var isNumberLeft: Bool

  /// `nil` when the expression has another form; `bool`, `@` and calculated offsets are left to the
  /// evaluator.
  init?(_ expression: Expression) {
    guard case .binary(let binary) = expression.unwrapped, binary.operation.isComparison,
      !binary.returnsBool
    else { return nil }
    switch (binary.left.unwrapped, binary.right.unwrapped) {
    case (.vectorSelector(let selector), .number(let literal)):
      (self.selector, number, isNumberLeft) = (selector, literal.value, false)
    case (.number(let literal), .vectorSelector(let selector)):
      (self.selector, number, isNumberLeft) = (selector, literal.value, true)
    default: return nil
    }
    operation = binary.operation
    guard selector.fixedTime == nil else { return nil }
    offset = 0
    if let written = selector.offset {
      guard let seconds = written.literal else { return nil }
      offset = Int64((seconds * 1000).rounded())
    }
  }
}
