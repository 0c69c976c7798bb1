/// Checks that every part of a query has the type that its place wants, in Prometheus' order.
struct TypeChecker {
  let text: String

  private func fail(_ message: String, at position: PositionRange) -> ParseError {
    ParseError(message, at: position, in: text)
  }

  @discardableResult
  func check(_ expression: Expression) throws(ParseError) -> ValueType {
    switch expression {
    case .number, .string: break
    case .vectorSelector(let selector): try check(selector)
    case .matrixSelector(let matrix): try check(matrix.selector)
    case .subquery(let subquery):
      let type = try check(subquery.expression)
      guard type == .vector else {
        throw fail(
          "subquery is only allowed on instant vector, got \(type.rawValue) instead",
          at: subquery.position)
      }
    case .call(let call): try check(call)
    case .aggregation(let aggregation): try check(aggregation)
    case .binary(let binary): try check(binary)
    case .unary(let unary):
      let type = try check(unary.operand)
      guard type == .scalar || type == .vector else {
        throw fail(
          "unary expression only allowed on expressions of type scalar or instant vector, got"
            + " \(QuotedText.quoted(type.documented))", at: unary.position)
      }
    case .parentheses(let inner, _): try check(inner)
    }
    return expression.type
  }

  private func check(_ selector: VectorSelector) throws(ParseError) {
    if !selector.name.isEmpty {
      for matcher in selector.matchers.dropLast() where matcher.name == Labels.metricName {
        throw fail(
          "metric name must not be set twice: \(QuotedText.quoted(selector.name)) or"
            + " \(QuotedText.quoted(matcher.value))", at: selector.position)
      }
    } else if !selector.matchers.contains(where: { !$0.matchesEmpty }) {
      throw fail(
        "vector selector must contain at least one non-empty matcher", at: selector.position)
    }
  }

  private func expect(
    _ type: ValueType, _ expression: Expression, in context: String
  ) throws(ParseError) {
    let found = try check(expression)
    guard found == type else {
      throw fail(
        "expected type \(type.documented) in \(context), got \(found.documented)",
        at: expression.position)
    }
  }

  private func check(_ aggregation: Aggregation) throws(ParseError) {
    try expect(.vector, aggregation.expression, in: "aggregation expression")
    if let parameter = aggregation.parameter {
      let wanted: ValueType = aggregation.aggregator == .countValues ? .string : .scalar
      try expect(wanted, parameter, in: "aggregation parameter")
    }
  }

  private func check(_ call: Call) throws(ParseError) {
    let signature = call.function.signature
    let name = QuotedText.quoted(call.function.rawValue)
    let count = call.arguments.count
    let declared = signature.arguments.count
    if signature.variadic == 0 {
      guard count == declared else {
        throw fail(
          "expected \(declared) argument(s) in call to \(name), got \(count)", at: call.position)
      }
    } else {
      let least = declared - 1
      guard count >= least else {
        throw fail(
          "expected at least \(least) argument(s) in call to \(name), got \(count)",
          at: call.position)
      }
      let most = least + signature.variadic
      guard signature.variadic < 0 || count <= most else {
        throw fail(
          "expected at most \(most) argument(s) in call to \(name), got \(count)",
          at: call.position)
      }
    }
    for (index, argument) in call.arguments.enumerated() {
      let wanted = signature.arguments[min(index, declared - 1)]
      try expect(wanted, argument, in: "call to function \(name)")
    }
  }

  private func check(_ binary: BinaryExpression) throws(ParseError) {
    let left = try check(binary.left)
    let right = try check(binary.right)
    if binary.returnsBool, !binary.operation.isComparison {
      throw fail(
        "bool modifier can only be used on comparison operators", at: operatorRange(binary))
    }
    if binary.operation.isComparison, !binary.returnsBool, left == .scalar, right == .scalar {
      throw fail("comparisons between scalars must use BOOL modifier", at: operatorRange(binary))
    }
    if binary.matching.isOn,
      let both = binary.matching.labels.first(where: binary.matching.include.contains)
    {
      throw fail(
        "label \(QuotedText.quoted(both)) must not occur in ON and GROUP clause at once",
        at: operatorRange(binary))
    }
    for (type, side) in [(left, binary.left), (right, binary.right)]
    where type != .scalar && type != .vector {
      throw fail(
        "binary expression must contain only scalar and instant vector types",
        at: side.position)
    }
    try checkMatching(binary, left, right)
  }

  private func checkMatching(
    _ binary: BinaryExpression, _ left: ValueType, _ right: ValueType
  ) throws(ParseError) {
    let name = QuotedText.quoted(binary.operation.rawValue)
    let hasScalar = left == .scalar || right == .scalar
    if hasScalar, !binary.matching.labels.isEmpty {
      throw fail(
        "vector matching only allowed between instant vectors", at: binary.position)
    }
    guard binary.operation.isSetOperator else { return }
    if hasScalar {
      throw fail(
        "set operator \(name) not allowed in binary scalar expression", at: binary.position)
    }
    if binary.matching.cardinality != .manyToMany {
      throw fail("no grouping allowed for \(name) operation", at: binary.position)
    }
  }

  /// From the operator to the end of its modifiers.
  private func operatorRange(_ binary: BinaryExpression) -> PositionRange {
    let bytes = Array(text.utf8)
    var start = binary.left.position.end
    while start < bytes.count, Lexer.isSpace(bytes[start]) { start += 1 }
    return PositionRange(start: start, end: max(start, binary.right.position.start - 1))
  }
}
