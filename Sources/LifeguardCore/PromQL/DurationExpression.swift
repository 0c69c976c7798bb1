/// A duration as it can be written in brackets and after `offset`, possibly calculated.
public indirect enum DurationExpression: Sendable, Hashable {
  case seconds(Double, position: PositionRange)
  case negated(DurationExpression)
  case binary(BinaryOperator, DurationExpression, DurationExpression)
  /// The step of a range query, zero for an instant query.
  case step
  /// From the start to the end of a range query, zero for an instant query.
  case range
  case smallest(DurationExpression, DurationExpression)
  case largest(DurationExpression, DurationExpression)
  /// In parentheses, or with a plus sign: still to be calculated rather than a literal.
  case wrapped(DurationExpression)

  /// What a written-out number is checked for at once.
  var literal: Double? {
    if case .seconds(let value, _) = self { return value }
    return nil
  }

  /// In milliseconds.
  ///
  /// - Throws: for a division by zero, a duration out of range, or one that is not positive where
  ///   it has to be.
  func evaluate(
    step: Int64, range: Int64, mustBePositive: Bool
  ) throws(QueryError) -> Int64 {
    if case .seconds(let value, _) = self { return Int64((value * 1000).rounded()) }
    let seconds = try value(Double(step) / 1000, Double(range) / 1000)
    if mustBePositive, !(seconds > 0) {
      throw .execution("duration must be greater than 0")
    }
    guard seconds.magnitude < 9_223_372_036 else {
      throw .execution("duration is out of range")
    }
    return Int64(seconds * 1000)
  }

  private func value(_ step: Double, _ range: Double) throws(QueryError) -> Double {
    switch self {
    case .seconds(let seconds, _): return seconds
    case .step: return step
    case .range: return range
    case .wrapped(let inner): return try inner.value(step, range)
    case .negated(let inner): return -(try inner.value(step, range))
    case .smallest(let left, let right):
      return Math.minimum(try left.value(step, range), try right.value(step, range))
    case .largest(let left, let right):
      return Math.maximum(try left.value(step, range), try right.value(step, range))
    case .binary(let operation, let left, let right):
      let (first, second) = (try left.value(step, range), try right.value(step, range))
      switch operation {
      case .divide where second == 0: throw .execution("division by zero")
      case .remainder where second == 0: throw .execution("modulo by zero")
      default: return Arithmetic.apply(operation, first, second)
      }
    }
  }
}
