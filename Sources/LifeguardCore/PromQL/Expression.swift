/// A parsed query.
public indirect enum Expression: Sendable, Hashable {
  case number(NumberLiteral)
  case string(StringLiteral)
  case vectorSelector(VectorSelector)
  case matrixSelector(MatrixSelector)
  case subquery(Subquery)
  case call(Call)
  case aggregation(Aggregation)
  case binary(BinaryExpression)
  case unary(UnaryExpression)
  case parentheses(Expression, position: PositionRange)
}

/// What an expression evaluates to.
public enum ValueType: String, Sendable, Hashable {
  case scalar
  case string
  case vector
  case matrix

  /// As Prometheus' messages and documentation call it.
  public var documented: String {
    switch self {
    case .scalar: "scalar"
    case .string: "string"
    case .vector: "instant vector"
    case .matrix: "range vector"
    }
  }
}

/// A number; durations are numbers of seconds.
public struct NumberLiteral: Sendable, Hashable {
  public var value: Double
  public var position: PositionRange
}

/// A text in quotes.
public struct StringLiteral: Sendable, Hashable {
  public var value: String
  /// False when escapes spell bytes that are not UTF-8; Prometheus then refuses it as a label.
  public var isValidUnicode: Bool
  /// As it stands in the query, quotes included.
  public var source: String
  public var position: PositionRange
}

/// What `@` names.
public enum FixedTime: Sendable, Hashable {
  case at(Timestamp)
  case start
  case end
}

/// `name{label="value"} offset 5m @ 100`.
public struct VectorSelector: Sendable, Hashable {
  public var name: String
  public var matchers: [Matcher]
  public var offset: DurationExpression?
  public var fixedTime: FixedTime?
  public var position: PositionRange
  /// Counts the query's selectors from 0, so that what was found for one can be kept.
  public internal(set) var index = 0
  /// What the expression around it does with the samples.
  public internal(set) var use = SampleUse.instant
}

/// `name[5m]`.
public struct MatrixSelector: Sendable, Hashable {
  public var selector: VectorSelector
  public var range: DurationExpression
  public var position: PositionRange
}

/// `expression[1h:5m]`.
public struct Subquery: Sendable, Hashable {
  public var expression: Expression
  public var range: DurationExpression
  /// `nil` means the default of the evaluation.
  public var step: DurationExpression?
  public var offset: DurationExpression?
  public var fixedTime: FixedTime?
  public var position: PositionRange
}

/// `rate(…)`.
public struct Call: Sendable, Hashable {
  public var function: Function
  public var arguments: [Expression]
  public var position: PositionRange
}

/// `sum by (instance) (…)`.
public struct Aggregation: Sendable, Hashable {
  public var aggregator: Aggregator
  public var parameter: Expression?
  public var expression: Expression
  /// The labels of `by` or `without`.
  public var grouping: [String]
  public var isWithout: Bool
  public var position: PositionRange
}

/// `left + right`, with how the elements of two vectors are matched.
public struct BinaryExpression: Sendable, Hashable {
  public enum Cardinality: Sendable, Hashable {
    case oneToOne
    case manyToOne
    case oneToMany
    case manyToMany
  }

  /// How elements of two vectors find each other.
  public struct Matching: Sendable, Hashable {
    public var cardinality = Cardinality.oneToOne
    /// The labels of `on` or `ignoring`.
    public var labels: [String] = []
    public var isOn = false
    /// The labels of `group_left` or `group_right`, taken from the "one" side.
    public var include: [String] = []
  }

  public var operation: BinaryOperator
  public var left: Expression
  public var right: Expression
  public var matching: Matching
  public var returnsBool: Bool
  public var position: PositionRange
}

/// `-operand`.
public struct UnaryExpression: Sendable, Hashable {
  public var isNegation: Bool
  public var operand: Expression
  public var position: PositionRange
}

extension Expression {
  public var position: PositionRange {
    switch self {
    case .number(let literal): literal.position
    case .string(let literal): literal.position
    case .vectorSelector(let selector): selector.position
    case .matrixSelector(let selector): selector.position
    case .subquery(let subquery): subquery.position
    case .call(let call): call.position
    case .aggregation(let aggregation): aggregation.position
    case .binary(let binary): binary.position
    case .unary(let unary): unary.position
    case .parentheses(_, let position): position
    }
  }

  public var type: ValueType {
    switch self {
    case .number: .scalar
    case .string: .string
    case .vectorSelector, .aggregation: .vector
    case .matrixSelector, .subquery: .matrix
    case .call(let call): call.function.signature.result
    case .binary(let binary):
      binary.left.type == .scalar && binary.right.type == .scalar ? .scalar : .vector
    case .unary(let unary): unary.operand.type
    case .parentheses(let inner, _): inner.type
    }
  }

  /// Without the parentheses around it.
  public var unwrapped: Expression {
    var inner = self
    while case .parentheses(let next, _) = inner { inner = next }
    return inner
  }

  /// The expressions directly below this one, from left to right.
  public var children: [Expression] {
    switch self {
    case .number, .string, .vectorSelector: []
    case .matrixSelector(let selector): [.vectorSelector(selector.selector)]
    case .subquery(let subquery): [subquery.expression]
    case .call(let call): call.arguments
    case .aggregation(let aggregation):
      (aggregation.parameter.map { [$0] } ?? []) + [aggregation.expression]
    case .binary(let binary): [binary.left, binary.right]
    case .unary(let unary): [unary.operand]
    case .parentheses(let inner, _): [inner]
    }
  }

  /// Calls `body` with this expression and everything below it, outermost first.
  public func visit(_ body: (Expression) -> Void) {
    body(self)
    for child in children { child.visit(body) }
  }
}
