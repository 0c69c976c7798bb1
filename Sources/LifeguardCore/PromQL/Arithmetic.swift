/// The binary operators on two numbers.
enum Arithmetic {
  /// A comparison gives 1 or 0.
  static func apply(_ operation: BinaryOperator, _ left: Double, _ right: Double) -> Double {
    switch operation {
    case .add: left + right
    case .subtract: left - right
    case .multiply: left * right
    case .divide: left / right
    case .remainder: Math.remainder(left, right)
    case .power: Math.power(left, right)
    case .arcTangent: Math.arcTangent(left, right)
    case .and, .or, .unless: .nan
    default: holds(operation, left, right) ? 1 : 0
    }
  }

  /// With NaN only `!=` holds.
  static func holds(_ operation: BinaryOperator, _ left: Double, _ right: Double) -> Bool {
    switch operation {
    case .equal: left == right
    case .notEqual: left != right
    case .less: left < right
    case .lessOrEqual: left <= right
    case .greater: left > right
    case .greaterOrEqual: left >= right
    default: false
    }
  }
}
