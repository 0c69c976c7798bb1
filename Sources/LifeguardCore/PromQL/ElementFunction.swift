/// The functions that change each number by itself.
enum ElementFunction {
  static func apply(_ function: Function, to matrix: inout Matrix) {
    switch function {
    case .abs: matrix.transform { $0.magnitude }
    case .ceil: matrix.transform { $0.rounded(.up) }
    case .floor: matrix.transform { $0.rounded(.down) }
    case .exp: matrix.transform(Math.exponential)
    case .sqrt: matrix.transform { $0.squareRoot() }
    case .ln: matrix.transform(Math.logarithm)
    case .log2: matrix.transform(Math.logarithm2)
    case .log10: matrix.transform(Math.logarithm10)
    case .sin: matrix.transform(Math.sine)
    case .cos: matrix.transform(Math.cosine)
    case .tan: matrix.transform(Math.tangent)
    case .asin: matrix.transform(Math.arcSine)
    case .acos: matrix.transform(Math.arcCosine)
    case .atan: matrix.transform { Math.arcTangent($0) }
    case .sinh: matrix.transform(Math.hyperbolicSine)
    case .cosh: matrix.transform(Math.hyperbolicCosine)
    case .tanh: matrix.transform(Math.hyperbolicTangent)
    case .asinh: matrix.transform(Math.inverseHyperbolicSine)
    case .acosh: matrix.transform(Math.inverseHyperbolicCosine)
    case .atanh: matrix.transform(Math.inverseHyperbolicTangent)
    case .rad: matrix.transform { $0 * .pi / 180 }
    case .deg: matrix.transform { $0 * 180 / .pi }
    case .sgn: matrix.transform { $0 < 0 ? -1 : $0 > 0 ? 1 : $0 }
    default: break
    }
  }
}
