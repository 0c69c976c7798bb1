import Glibc

/// The functions of libm that PromQL needs and the standard library lacks.
///
/// This is the only file of the core that imports anything, so that nothing else can reach a clock,
/// a file or the network.
enum Math {
  static func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
  static func exponential(_ x: Double) -> Double { exp(x) }
  static func logarithm(_ x: Double) -> Double { log(x) }
  static func logarithm2(_ x: Double) -> Double { log2(x) }
  static func logarithm10(_ x: Double) -> Double { log10(x) }
  static func sine(_ x: Double) -> Double { sin(x) }
  static func cosine(_ x: Double) -> Double { cos(x) }
  static func tangent(_ x: Double) -> Double { tan(x) }
  static func arcSine(_ x: Double) -> Double { asin(x) }
  static func arcCosine(_ x: Double) -> Double { acos(x) }
  static func arcTangent(_ x: Double) -> Double { atan(x) }
  static func arcTangent(_ y: Double, _ x: Double) -> Double { atan2(y, x) }
  static func hyperbolicSine(_ x: Double) -> Double { sinh(x) }
  static func hyperbolicCosine(_ x: Double) -> Double { cosh(x) }
  static func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
  static func inverseHyperbolicSine(_ x: Double) -> Double { asinh(x) }
  static func inverseHyperbolicCosine(_ x: Double) -> Double { acosh(x) }
  static func inverseHyperbolicTangent(_ x: Double) -> Double { atanh(x) }

  /// The remainder with the sign of the dividend, as in C and Go.
  static func remainder(_ x: Double, _ y: Double) -> Double { fmod(x, y) }

  /// The smaller one as Go's `math.Min` has it: -Inf even beside NaN, otherwise NaN when either is,
  /// and -0 below +0.
  static func minimum(_ x: Double, _ y: Double) -> Double {
    if x == -.infinity || y == -.infinity { return -.infinity }
    if x.isNaN || y.isNaN { return .nan }
    if x == 0, y == 0 { return x.sign == .minus ? x : y }
    return x < y ? x : y
  }

  /// The larger one as Go's `math.Max` has it, the other way round.
  static func maximum(_ x: Double, _ y: Double) -> Double {
    if x == .infinity || y == .infinity { return .infinity }
    if x.isNaN || y.isNaN { return .nan }
    if x == 0, y == 0 { return x.sign == .minus ? y : x }
    return x > y ? x : y
  }
}
