/// One word of a query.
struct Token: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    case endOfInput
    /// The text is the message.
    case error
    case comment
    case identifier
    /// An identifier with a colon, which only a metric's name may have.
    case metricIdentifier
    case number
    case duration
    case string
    case leftParenthesis
    case rightParenthesis
    case leftBrace
    case rightBrace
    case leftBracket
    case rightBracket
    case comma
    case colon
    case equals
    case equalsRegex
    case notEqualsRegex
    case at
    case operation(BinaryOperator)
    case aggregator(Aggregator)
    case keyword(Keyword)
  }

  /// Words with a meaning of their own in some places; elsewhere they are names.
  enum Keyword: String, Hashable, Sendable, CaseIterable {
    case offset, smoothed, anchored, by, without, on, ignoring, bool
    case groupLeft = "group_left"
    case groupRight = "group_right"
    case start, end, step, range
    case leastOf = "min_of"
    case mostOf = "max_of"

    /// Written as `<offset>` in messages, where the preprocessors are written in quotes.
    var isModifier: Bool {
      switch self {
      case .start, .end, .step, .range, .leastOf, .mostOf: false
      default: true
      }
    }
  }

  var kind: Kind
  var position: Int
  var text: String

  var range: PositionRange {
    PositionRange(start: position, end: position + text.utf8.count)
  }

  /// As Prometheus names a token that it did not expect.
  var described: String {
    switch kind {
    case .endOfInput: "end of input"
    case .error: text
    case .comment: "comment \(abbreviated)"
    case .identifier: "identifier \(QuotedText.quoted(text))"
    case .metricIdentifier: "metric identifier \(QuotedText.quoted(text))"
    case .number: "number \(abbreviated)"
    case .duration: "duration \(abbreviated)"
    case .string: "string \(abbreviated)"
    case .operation, .at, .equalsRegex, .notEqualsRegex: "<op:\(text)>"
    case .aggregator: "<aggr:\(text)>"
    case .keyword(let keyword) where keyword.isModifier: "<\(text)>"
    default: abbreviated
    }
  }

  private var abbreviated: String {
    text.unicodeScalars.count > 10
      ? "\(QuotedText.quoted(String(text.unicodeScalars.prefix(10))))..."
      : QuotedText.quoted(text)
  }

  /// Keywords and word operators, whatever their case.
  static func keyword(_ word: String) -> Kind? {
    let lowered = word.lowercased()
    switch lowered {
    case "inf", "nan": return .number
    default: break
    }
    if let keyword = Keyword(rawValue: lowered) { return .keyword(keyword) }
    if let aggregator = Aggregator(rawValue: lowered) { return .aggregator(aggregator) }
    if let operation = BinaryOperator(rawValue: lowered) { return .operation(operation) }
    return nil
  }
}

/// The binary operators.
public enum BinaryOperator: String, Hashable, Sendable, CaseIterable {
  case add = "+"
  case subtract = "-"
  case multiply = "*"
  case divide = "/"
  case remainder = "%"
  case power = "^"
  case arcTangent = "atan2"
  case equal = "=="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case and
  case or
  case unless

  public var isComparison: Bool {
    switch self {
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: true
    default: false
    }
  }

  public var isSetOperator: Bool { self == .and || self == .or || self == .unless }

  /// From loosest, 1, to tightest, 6.
  var precedence: Int {
    switch self {
    case .or: 1
    case .and, .unless: 2
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: 3
    case .add, .subtract: 4
    case .multiply, .divide, .remainder, .arcTangent: 5
    case .power: 6
    }
  }
}

/// The aggregation operators.
public enum Aggregator: String, Hashable, Sendable, CaseIterable {
  case sum, avg, count, min, max, group, stddev, stdvar, topk, bottomk, quantile
  case countValues = "count_values"
  /// Experimental in Prometheus; refused, as it does by default.
  case limitk
  /// Experimental in Prometheus; refused, as it does by default.
  case limitRatio = "limit_ratio"

  public var takesParameter: Bool {
    switch self {
    case .topk, .bottomk, .quantile, .countValues, .limitk, .limitRatio: true
    default: false
    }
  }

  var isExperimental: Bool { self == .limitk || self == .limitRatio }
}
