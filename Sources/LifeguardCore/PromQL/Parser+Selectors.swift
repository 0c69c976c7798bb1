/// Selectors and what may follow them.
extension Parser {
  mutating func vectorSelector(name: Token?) throws(ParseError) -> VectorSelector {
    var position = (name ?? token).range
    var matchers: [Matcher] = []
    if token.kind == .leftBrace {
      advance()
      matchers = try labelMatchers()
      position.end = token.range.end
      advance()
    }
    // As in Prometheus, the name outside the braces comes last.
    if let name { matchers.append(Matcher(name: Labels.metricName, equals: name.text)) }
    return VectorSelector(
      name: name?.text ?? "", matchers: matchers, offset: nil, fixedTime: nil,
      position: position)
  }

  /// Up to the closing brace, which becomes the current token.
  private mutating func labelMatchers() throws(ParseError) -> [Matcher] {
    var matchers: [Matcher] = []
    while token.kind != .rightBrace {
      matchers.append(try labelMatcher())
      if token.kind == .comma {
        advance()
      } else if token.kind != .rightBrace {
        throw unexpected("label matching", expected: "\",\" or \"}\"")
      }
    }
    return matchers
  }

  private mutating func labelMatcher() throws(ParseError) -> Matcher {
    let label = token
    var name = label.text
    switch label.kind {
    case .identifier: advance()
    case .string:
      name = try stringLiteral(label).value
      advance()
      // A quoted string alone is the metric's name.
      if token.kind == .comma || token.kind == .rightBrace {
        return Matcher(name: Labels.metricName, equals: name)
      }
    default: throw unexpected("label matching", expected: "identifier or \"}\"")
    }
    let kind: Matcher.Kind
    switch token.kind {
    case .equals: kind = .equal
    case .operation(.notEqual): kind = .notEqual
    case .equalsRegex: kind = .regexMatch
    case .notEqualsRegex: kind = .regexNoMatch
    default: throw unexpected("label matching", expected: "label matching operator")
    }
    advance()
    guard token.kind == .string else {
      throw unexpected("label matching", expected: "string")
    }
    let value = take()
    do {
      let text = try stringLiteral(value).value
      return try Matcher(name: name, kind: kind, value: text)
    } catch let failure as RegularExpressionError {
      throw error(failure.description, at: label.range.through(value.range))
    } catch let failure as ParseError {
      throw failure
    } catch {
      throw unexpected()
    }
  }

  // MARK: Brackets

  mutating func brackets(after expression: Expression) throws(ParseError) -> Expression {
    let open = take()
    let range = try positiveDuration("subquery or range selector")
    if token.kind == .colon { return try subquery(of: expression, range) }
    guard token.kind == .rightBracket else {
      throw unexpected("subquery or range", expected: "\":\" or \"]\"")
    }
    let close = take()
    let whole = open.range.through(close.range)
    guard case .vectorSelector(let selector) = expression else {
      throw error("ranges only allowed for vector selectors", at: whole)
    }
    if selector.offset != nil {
      throw error("no offset modifiers allowed before range", at: whole)
    }
    if selector.fixedTime != nil {
      throw error("no @ modifiers allowed before range", at: whole)
    }
    return .matrixSelector(
      MatrixSelector(
        selector: selector, range: range, position: selector.position.through(close.range)))
  }

  private mutating func subquery(
    of expression: Expression, _ range: DurationExpression
  ) throws(ParseError) -> Expression {
    advance()
    var step: DurationExpression?
    if token.kind != .rightBracket {
      step = try positiveDuration("subquery selector", orBracket: true)
      guard token.kind == .rightBracket else {
        throw unexpected("subquery selector", expected: "\"]\"")
      }
    }
    let close = take()
    return .subquery(
      Subquery(
        expression: expression, range: range, step: step, offset: nil, fixedTime: nil,
        position: expression.position.through(close.range)))
  }

  private mutating func positiveDuration(
    _ context: String, orBracket: Bool = false
  ) throws(ParseError) -> DurationExpression {
    let duration = try duration(atLeast: 4, context, orBracket: orBracket)
    if case .seconds(let value, let position) = duration, !(value > 0) {
      throw error("duration must be greater than 0", at: position)
    }
    return duration
  }

  // MARK: Modifiers

  mutating func offset(of expression: Expression) throws(ParseError) -> Expression {
    advance()
    let duration = try offsetDuration()
    return try modified(
      expression,
      "offset modifier must be preceded by an instant vector selector or range vector selector"
        + " or a subquery"
    ) { (parser, existing: inout DurationExpression?, _) throws(ParseError) in
      guard existing == nil else {
        throw parser.error("offset may not be set multiple times", at: expression.position)
      }
      // An offset of zero is as good as none, and Prometheus then takes another one.
      if duration.literal != 0 { existing = duration }
    }
  }

  mutating func fixedTime(of expression: Expression) throws(ParseError) -> Expression {
    advance()
    let fixed = try fixedTimeOperand(expression)
    return try modified(
      expression,
      "@ modifier must be preceded by an instant vector selector or range vector selector or a"
        + " subquery"
    ) { (parser, _, existing: inout FixedTime?) throws(ParseError) in
      guard existing == nil else {
        throw parser.error("@ <timestamp> may not be set multiple times", at: expression.position)
      }
      existing = fixed
    }
  }

  private mutating func fixedTimeOperand(
    _ expression: Expression
  ) throws(ParseError) -> FixedTime {
    if token.kind == .keyword(.start) || token.kind == .keyword(.end) {
      let isStart = token.kind == .keyword(.start)
      advance()
      guard token.kind == .leftParenthesis else { throw unexpected("@", expected: "timestamp") }
      advance()
      guard token.kind == .rightParenthesis else { throw unexpected("@", expected: "timestamp") }
      advance()
      return isStart ? .start : .end
    }
    var isNegative = false
    if case .operation(let sign) = token.kind, sign == .add || sign == .subtract {
      isNegative = sign == .subtract
      advance()
    }
    guard token.kind == .number || token.kind == .duration else {
      throw unexpected("@", expected: "timestamp")
    }
    let value = try numberValue()
    let seconds = isNegative ? -value : value
    guard seconds.magnitude < 9.2e15 else {
      throw error(
        "timestamp out of bounds for @ modifier: \(fixedPoint(seconds))",
        at: expression.position)
    }
    return .at(Timestamp(seconds: seconds))
  }

  /// As Go's `%f`.
  private func fixedPoint(_ value: Double) -> String {
    value.isFinite ? NumberText.fixed(value) + ".000000" : NumberText.fixed(value)
  }

  /// Applies a modifier to a selector or a subquery, whose end it moves.
  private func modified(
    _ expression: Expression, _ refusal: String,
    _ change: (Parser, inout DurationExpression?, inout FixedTime?) throws(ParseError) -> Void
  ) throws(ParseError) -> Expression {
    switch expression {
    case .vectorSelector(var selector):
      try change(self, &selector.offset, &selector.fixedTime)
      selector.position.end = lastClosing
      return .vectorSelector(selector)
    case .matrixSelector(var matrix):
      try change(self, &matrix.selector.offset, &matrix.selector.fixedTime)
      matrix.position.end = lastClosing
      return .matrixSelector(matrix)
    case .subquery(var subquery):
      try change(self, &subquery.offset, &subquery.fixedTime)
      subquery.position.end = lastClosing
      return .subquery(subquery)
    default: throw error(refusal, at: expression.position)
    }
  }

  // MARK: Duration expressions

  private static let durationExpected = "number, duration, step(), or range()"

  /// After `offset`: a signed operand without operators, so that `offset 5m + 1` adds to the value.
  private mutating func offsetDuration() throws(ParseError) -> DurationExpression {
    if case .operation(let sign) = token.kind, sign == .add || sign == .subtract {
      advance()
      let operand = try durationOperand("offset")
      return sign == .subtract ? negated(operand) : operand
    }
    return try durationOperand("offset")
  }

  private func negated(_ operand: DurationExpression) -> DurationExpression {
    if case .seconds(let value, let position) = operand {
      return .seconds(-value, position: position)
    }
    return .negated(operand)
  }

  /// Precedences are those of the binary operators.
  private mutating func duration(
    atLeast precedence: Int, _ context: String, orBracket: Bool = false
  ) throws(ParseError) -> DurationExpression {
    var left: DurationExpression
    if case .operation(let sign) = token.kind, sign == .add || sign == .subtract {
      try countOperator()
      advance()
      let operand = try duration(atLeast: 6, context)
      left = sign == .subtract ? negated(operand) : operand
    } else {
      left = try durationOperand(context, orBracket: orBracket)
    }
    while case .operation(let operation) = token.kind, operation.precedence >= precedence,
      operation.precedence >= 4
    {
      try countOperator()
      advance()
      let next = operation == .power ? operation.precedence : operation.precedence + 1
      left = .binary(operation, left, try duration(atLeast: next, context))
    }
    return left
  }

  private mutating func durationOperand(
    _ context: String, orBracket: Bool = false
  ) throws(ParseError) -> DurationExpression {
    let token = token
    switch token.kind {
    case .number, .duration:
      let value = try numberValue()
      guard value.magnitude < 9_223_372_036 else {
        throw error("duration out of range", at: token.range)
      }
      return .seconds(value, position: token.range)
    case .leftParenthesis:
      try countOperator()
      advance()
      let inner = try duration(atLeast: 4, context)
      guard self.token.kind == .rightParenthesis else { throw unexpected(context) }
      advance()
      return inner.literal == nil ? .wrapped(inner) : inner
    case .keyword(.step), .keyword(.range):
      advance()
      try expectParentheses(context)
      return token.kind == .keyword(.step) ? .step : .range
    case .keyword(.leastOf), .keyword(.mostOf):
      try countOperator()
      advance()
      guard self.token.kind == .leftParenthesis else { throw unexpected(context) }
      advance()
      let first = try duration(atLeast: 4, context)
      guard self.token.kind == .comma else { throw unexpected(context) }
      advance()
      let second = try duration(atLeast: 4, context)
      guard self.token.kind == .rightParenthesis else { throw unexpected(context) }
      advance()
      return token.kind == .keyword(.leastOf)
        ? .smallest(first, second) : .largest(first, second)
    default:
      let expected = Self.durationExpected + (orBracket ? ", or \"]\"" : "")
      throw unexpected(context, expected: expected)
    }
  }

  private mutating func expectParentheses(_ context: String) throws(ParseError) {
    guard token.kind == .leftParenthesis else { throw unexpected(context) }
    advance()
    guard token.kind == .rightParenthesis else { throw unexpected(context) }
    advance()
  }
}
