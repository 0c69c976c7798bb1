/// Builds the tree of a query: recursive descent, precedence climbing for binary operators.
///
/// Prometheus' grammar is LALR with error productions; this parser reports the same message at the
/// same place because it fails on the same token, with the words of the innermost production that
/// has an error rule (`contexts`).
struct Parser {
  private let text: String
  var lexer: Lexer
  var token: Token
  /// Where the last consumed closing token ended; it ends calls and selectors with modifiers.
  private(set) var lastClosing = 0
  private var contexts: [String] = []
  private var depth = 0
  private var operators = 0
  let allowsExperimental: Bool

  /// Deeper queries are refused: each level takes stack.
  private static let depthMax = 200
  /// A chain of operators is as deep a tree as parentheses are.
  private static let operatorsMax = 500

  init(_ text: String, allowsExperimental: Bool) {
    self.text = text
    self.allowsExperimental = allowsExperimental
    lexer = Lexer(text)
    token = lexer.next()
  }

  mutating func parse() throws(ParseError) -> Expression {
    if token.kind == .endOfInput {
      // The position is empty in Prometheus too.
      throw error("no expression found in input", at: PositionRange(start: 0, end: 0))
    }
    let expression = try binary(atLeast: 1)
    guard token.kind == .endOfInput else { throw unexpected() }
    try TypeChecker(text: text).check(expression)
    return expression
  }

  // MARK: Tokens and errors

  func error(_ message: String, at position: PositionRange) -> ParseError {
    ParseError(message, at: position, in: text)
  }

  /// The current token does not belong here.
  func unexpected(_ context: String? = nil, expected: String? = nil) -> ParseError {
    if token.kind == .error { return error(token.text, at: token.range) }
    var message = "unexpected \(token.described)"
    if let context = context ?? contexts.last { message += " in \(context)" }
    if let expected { message += ", expected \(expected)" }
    return error(message, at: token.range)
  }

  mutating func advance() {
    switch token.kind {
    case .rightBrace, .rightParenthesis, .rightBracket, .duration, .number:
      lastClosing = token.range.end
    default: break
    }
    token = lexer.next()
  }

  mutating func countOperator() throws(ParseError) {
    operators += 1
    guard operators <= Self.operatorsMax else {
      throw error("expression has more than \(Self.operatorsMax) operators", at: token.range)
    }
  }

  /// The current token, the next one becoming current.
  mutating func take() -> Token {
    let taken = token
    advance()
    return taken
  }

  // MARK: Operators

  private mutating func binary(atLeast precedence: Int) throws(ParseError) -> Expression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthMax else {
      throw error("expression nests too deeply", at: token.range)
    }
    var left = try unary()
    while case .operation(let operation) = token.kind, operation.precedence >= precedence {
      try countOperator()
      advance()
      let (matching, returnsBool) = try binaryModifiers()
      // Only the power operator groups to the right.
      let next = operation == .power ? operation.precedence : operation.precedence + 1
      let right = try binary(atLeast: next)
      left = .binary(
        BinaryExpression(
          operation: operation, left: left, right: right,
          matching: Self.adjusted(matching, operation), returnsBool: returnsBool,
          position: left.position.through(right.position)))
    }
    return left
  }

  private static func adjusted(
    _ matching: BinaryExpression.Matching, _ operation: BinaryOperator
  ) -> BinaryExpression.Matching {
    var result = matching
    if operation.isSetOperator, matching.cardinality == .oneToOne {
      result.cardinality = .manyToMany
    }
    return result
  }

  private mutating func binaryModifiers() throws(ParseError) -> (BinaryExpression.Matching, Bool) {
    var matching = BinaryExpression.Matching()
    var returnsBool = false
    if token.kind == .keyword(.bool) {
      returnsBool = true
      advance()
    }
    guard token.kind == .keyword(.on) || token.kind == .keyword(.ignoring) else {
      return (matching, returnsBool)
    }
    matching.isOn = token.kind == .keyword(.on)
    advance()
    matching.labels = try groupingLabels()
    if token.kind == .keyword(.groupLeft) || token.kind == .keyword(.groupRight) {
      matching.cardinality = token.kind == .keyword(.groupLeft) ? .manyToOne : .oneToMany
      advance()
      if token.kind == .leftParenthesis { matching.include = try groupingLabels() }
    }
    return (matching, returnsBool)
  }

  /// A sign binds like multiplication, looser than `^`: `-1 ^ 2` is -1.
  private mutating func unary() throws(ParseError) -> Expression {
    guard case .operation(let operation) = token.kind, operation == .add || operation == .subtract
    else { return try postfix(primary()) }
    let sign = take()
    let operand = try binary(atLeast: BinaryOperator.power.precedence)
    if case .number(var literal) = operand {
      if operation == .subtract { literal.value = -literal.value }
      literal.position.start = sign.position
      return .number(literal)
    }
    return .unary(
      UnaryExpression(
        isNegation: operation == .subtract, operand: operand,
        position: sign.range.through(operand.position)))
  }

  private mutating func postfix(_ primary: Expression) throws(ParseError) -> Expression {
    var expression = primary
    while true {
      switch token.kind {
      case .leftBracket:
        try countOperator()
        expression = try brackets(after: expression)
      case .keyword(.offset): expression = try offset(of: expression)
      case .at: expression = try fixedTime(of: expression)
      case .keyword(.anchored), .keyword(.smoothed):
        throw error(
          "\(token.text.lowercased()) modifier is experimental and not enabled",
          at: expression.position)
      default: return expression
      }
    }
  }

  // MARK: Primary expressions

  private mutating func primary() throws(ParseError) -> Expression {
    switch token.kind {
    case .number, .duration: return .number(try number())
    case .string:
      let token = take()
      return .string(try stringLiteral(token))
    case .leftParenthesis:
      let open = take()
      let inner = try binary(atLeast: 1)
      guard token.kind == .rightParenthesis else { throw unexpected() }
      let close = take()
      return .parentheses(inner, position: open.range.through(close.range))
    case .leftBrace: return .vectorSelector(try vectorSelector(name: nil))
    case .aggregator(let aggregator): return try aggregationOrSelector(aggregator)
    case .identifier, .keyword(.start), .keyword(.end), .keyword(.step), .keyword(.range),
      .keyword(.leastOf), .keyword(.mostOf):
      let name = take()
      if token.kind == .leftParenthesis { return try call(name) }
      return .vectorSelector(try vectorSelector(name: name))
    case .metricIdentifier, .operation(.and), .operation(.or), .operation(.unless),
      .keyword(.by), .keyword(.offset), .keyword(.without), .keyword(.anchored),
      .keyword(.smoothed):
      let name = take()
      return .vectorSelector(try vectorSelector(name: name))
    default: throw unexpected()
    }
  }

  private mutating func number() throws(ParseError) -> NumberLiteral {
    let token = token
    let value = try numberValue()
    return NumberLiteral(value: value, position: token.range)
  }

  /// The value of the current token, a number or a duration in seconds.
  mutating func numberValue() throws(ParseError) -> Double {
    let token = token
    advance()
    if token.kind == .duration {
      switch NumberSyntax.duration(token.text) {
      case .milliseconds(let value): return Double(value) / 1000
      case .malformed:
        throw error(
          "not a valid duration string: \(QuotedText.quoted(token.text))", at: token.range)
      case .outOfRange: throw error("duration out of range", at: token.range)
      }
    }
    guard let value = NumberSyntax.literal(token.text) else {
      throw error(
        "error parsing number: strconv.ParseFloat: parsing \(QuotedText.quoted(token.text)):"
          + " invalid syntax", at: token.range)
    }
    return value
  }

  func stringLiteral(_ token: Token) throws(ParseError) -> StringLiteral {
    let (value, isValid) = StringSyntax.unquoted(token.text)
    return StringLiteral(
      value: value, isValidUnicode: isValid, source: token.text, position: token.range)
  }

  private mutating func call(_ name: Token) throws(ParseError) -> Expression {
    let arguments = try callArguments()
    guard let function = Function(rawValue: name.text) else {
      throw error(
        "unknown function with name \(QuotedText.quoted(name.text))", at: name.range)
    }
    if function.isExperimental, !allowsExperimental {
      throw error("function \(QuotedText.quoted(name.text)) is not enabled", at: name.range)
    }
    let position = PositionRange(start: name.position, end: lastClosing)
    return .call(Call(function: function, arguments: arguments, position: position))
  }

  private mutating func callArguments() throws(ParseError) -> [Expression] {
    advance()
    if token.kind == .rightParenthesis {
      advance()
      return []
    }
    var arguments = [try binary(atLeast: 1)]
    while token.kind == .comma {
      let comma = take()
      if token.kind == .rightParenthesis {
        throw error("trailing commas not allowed in function call args", at: comma.range)
      }
      arguments.append(try binary(atLeast: 1))
    }
    guard token.kind == .rightParenthesis else { throw unexpected() }
    advance()
    return arguments
  }

  // MARK: Aggregations

  /// `sum` is an aggregation before `(`, `by` and `without`; otherwise a metric of that name.
  private mutating func aggregationOrSelector(
    _ aggregator: Aggregator
  ) throws(ParseError) -> Expression {
    let name = take()
    switch token.kind {
    case .leftParenthesis, .keyword(.by), .keyword(.without): break
    default: return .vectorSelector(try vectorSelector(name: name))
    }
    contexts.append("aggregation")
    defer { contexts.removeLast() }
    var modifier = try aggregationModifier()
    guard token.kind == .leftParenthesis else { throw unexpected() }
    let arguments = try callArguments()
    if modifier == nil { modifier = try aggregationModifier() }
    let position = PositionRange(start: name.position, end: lastClosing)
    return try aggregation(aggregator, arguments, modifier, position)
  }

  private mutating func aggregationModifier() throws(ParseError) -> (
    labels: [String], isWithout: Bool
  )? {
    guard token.kind == .keyword(.by) || token.kind == .keyword(.without) else { return nil }
    let isWithout = token.kind == .keyword(.without)
    advance()
    return (try groupingLabels(), isWithout)
  }

  private func aggregation(
    _ aggregator: Aggregator, _ arguments: [Expression],
    _ modifier: (labels: [String], isWithout: Bool)?, _ position: PositionRange
  ) throws(ParseError) -> Expression {
    guard let last = arguments.last else {
      throw error("no arguments for aggregate expression provided", at: position)
    }
    if aggregator.isExperimental {
      throw error(
        "\(aggregator.rawValue)() is experimental and must be enabled with"
          + " --enable-feature=promql-experimental-functions", at: position)
    }
    let wanted = aggregator.takesParameter ? 2 : 1
    guard arguments.count == wanted else {
      throw error(
        "wrong number of arguments for aggregate expression provided, expected \(wanted),"
          + " got \(arguments.count)", at: position)
    }
    return .aggregation(
      Aggregation(
        aggregator: aggregator, parameter: wanted == 2 ? arguments[0] : nil, expression: last,
        grouping: modifier?.labels ?? [], isWithout: modifier?.isWithout ?? false,
        position: position))
  }

  private mutating func groupingLabels() throws(ParseError) -> [String] {
    guard token.kind == .leftParenthesis else {
      throw unexpected("grouping opts", expected: "\"(\"")
    }
    advance()
    var labels: [String] = []
    while token.kind != .rightParenthesis {
      labels.append(try groupingLabel())
      if token.kind == .comma {
        advance()
      } else if token.kind != .rightParenthesis {
        throw unexpected("grouping opts", expected: "\",\" or \")\"")
      }
    }
    advance()
    return labels
  }

  private mutating func groupingLabel() throws(ParseError) -> String {
    switch token.kind {
    case .string:
      let token = take()
      let literal = try stringLiteral(token)
      guard literal.isValidUnicode, !literal.value.isEmpty else {
        throw error(
          "invalid label name for grouping: \(QuotedText.quoted(literal.value))",
          at: token.range)
      }
      return literal.value
    case .identifier, .aggregator, .keyword, .operation(.and), .operation(.or),
      .operation(.unless), .operation(.arcTangent):
      return take().text
    default: throw unexpected("grouping opts", expected: "label")
    }
  }
}
