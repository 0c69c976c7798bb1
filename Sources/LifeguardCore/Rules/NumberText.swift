/// Numbers as text in the forms that Go's `strconv.FormatFloat` gives them, which is what
/// Prometheus' templates and API show.
///
/// `precision` nil is the fewest digits that read back as the same number.
enum NumberText {
  /// `-1.5e+06`: the exponent has a sign and at least two digits.
  static func exponent(_ value: Double, precision: Int? = nil, upper: Bool = false) -> String {
    if let text = special(value) { return text }
    var digits = DecimalDigits(shortest: value)
    if let precision {
      digits = DecimalDigits(exactly: value).rounded(toSignificant: precision + 1)
    }
    return sign(value)
      + exponentBody(digits, fraction: precision ?? max(digits.digits.count - 1, 0), upper: upper)
  }

  /// `-1500000.25`: never an exponent.
  static func fixed(_ value: Double, precision: Int? = nil) -> String {
    if let text = special(value) { return text }
    var digits = DecimalDigits(shortest: value)
    if let precision {
      digits = DecimalDigits(exactly: value).rounded(toFraction: precision)
    }
    return sign(value)
      + fixedBody(digits, fraction: precision ?? max(digits.digits.count - digits.point, 0))
  }

  /// `%g`: `fixed` for middling magnitudes, `exponent` below 1e-4 and from 10^precision.
  ///
  /// With the fewest digits the upper bound is 10^`exponentFrom`: 6 in Go's `fmt`, 21 in JSON.
  static func general(
    _ value: Double, precision: Int? = nil, keepsZeros: Bool = false, upper: Bool = false,
    exponentFrom: Int = 6
  ) -> String {
    if let text = special(value) { return text }
    var digits = DecimalDigits(shortest: value)
    var wanted = digits.digits.count
    if let precision {
      wanted = max(precision, 1)
      digits = DecimalDigits(exactly: value).rounded(toSignificant: wanted)
    }
    let exponent = digits.point - 1
    let shown = keepsZeros && precision != nil ? wanted : digits.digits.count
    let limit = precision == nil ? exponentFrom : generalLimit(wanted, digits)
    if exponent < -4 || exponent >= limit {
      return sign(value) + exponentBody(digits, fraction: max(shown - 1, 0), upper: upper)
    }
    let fraction = digits.isZero ? (keepsZeros ? wanted - 1 : 0) : max(shown - digits.point, 0)
    return sign(value) + fixedBody(digits, fraction: fraction)
  }

  /// Go takes the smaller of the precision and the digits there are, when those are all integral.
  private static func generalLimit(_ wanted: Int, _ digits: DecimalDigits) -> Int {
    let count = digits.digits.count
    return wanted > count && count >= digits.point ? count : wanted
  }

  private static func special(_ value: Double) -> String? {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return nil
  }

  private static func sign(_ value: Double) -> String { value.sign == .minus ? "-" : "" }

  private static func exponentBody(
    _ digits: DecimalDigits, fraction: Int, upper: Bool
  ) -> String {
    var bytes = [digits[0] + UInt8(ascii: "0")]
    if fraction > 0 {
      bytes.append(UInt8(ascii: "."))
      for index in 1...fraction { bytes.append(digits[index] + UInt8(ascii: "0")) }
    }
    let exponent = digits.isZero ? 0 : digits.point - 1
    let number = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
    return String(decoding: bytes, as: UTF8.self) + (upper ? "E" : "e")
      + (exponent < 0 ? "-" : "+") + number
  }

  private static func fixedBody(_ digits: DecimalDigits, fraction: Int) -> String {
    var bytes: [UInt8] = []
    if digits.point > 0 {
      for index in 0..<digits.point { bytes.append(digits[index] + UInt8(ascii: "0")) }
    } else {
      bytes.append(UInt8(ascii: "0"))
    }
    if fraction > 0 {
      bytes.append(UInt8(ascii: "."))
      for index in 0..<fraction {
        bytes.append(digits[digits.point + index] + UInt8(ascii: "0"))
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
