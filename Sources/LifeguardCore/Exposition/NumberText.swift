/// Writes numbers as Go's `strconv.FormatFloat(value, 'g', -1, 64)` does, which the exposition
/// formats take over: the shortest digits that read back as the same number, with an exponent
/// below 1e-4 and from 1e6 on.
enum NumberText {
  /// Appends `value`: `1`, `0.5`, `2.54707081216e+11`, `NaN`, `+Inf`, `-Inf`.
  static func append(_ value: Double, to bytes: inout [UInt8]) {
    if value.isNaN { return bytes.append(contentsOf: "NaN".utf8) }
    if value.isInfinite { return bytes.append(contentsOf: (value < 0 ? "-Inf" : "+Inf").utf8) }
    if value == 0 { return bytes.append(contentsOf: (value.sign == .minus ? "-0" : "0").utf8) }
    // The usual case, a small whole number, needs no search for the shortest digits.
    if value.magnitude < 1_000_000, value == value.rounded(.towardZero) {
      return append(Int64(value), to: &bytes)
    }
    let (digits, point) = decimal(value.magnitude)
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    let exponent = point - 1
    if exponent < -4 || exponent >= 6 {
      appendScientific(digits, exponent: exponent, to: &bytes)
    } else {
      appendPlain(digits, point: point, to: &bytes)
    }
  }

  static func append(_ value: Int64, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: String(value).utf8)
  }

  /// The shortest digits of a positive number and where its point stands: 0.0125 is (125, -1).
  ///
  /// Swift's own description has those digits already, only placed differently.
  private static func decimal(_ value: Double) -> (digits: [UInt8], point: Int) {
    var digits: [UInt8] = []
    var point: Int?
    var exponent = 0
    var text = value.description.utf8[...]
    while let byte = text.popFirst() {
      switch byte {
      case UInt8(ascii: "."): point = digits.count
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        if text.first == UInt8(ascii: "+") { text.removeFirst() }
        exponent = Int(Substring(text)) ?? 0
        text = text[text.endIndex...]
      default: digits.append(byte)
      }
    }
    var position = (point ?? digits.count) + exponent
    let leading = digits.prefix { $0 == UInt8(ascii: "0") }.count
    digits.removeFirst(leading)
    position -= leading
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    return (digits, position)
  }

  private static func appendScientific(
    _ digits: [UInt8], exponent: Int, to bytes: inout [UInt8]
  ) {
    bytes.append(digits[0])
    if digits.count > 1 {
      bytes.append(UInt8(ascii: "."))
      bytes.append(contentsOf: digits[1...])
    }
    bytes.append(UInt8(ascii: "e"))
    bytes.append(UInt8(ascii: exponent < 0 ? "-" : "+"))
    if exponent.magnitude < 10 { bytes.append(UInt8(ascii: "0")) }
    append(Int64(exponent.magnitude), to: &bytes)
  }

  private static func appendPlain(_ digits: [UInt8], point: Int, to bytes: inout [UInt8]) {
    let zero = UInt8(ascii: "0")
    if point <= 0 {
      bytes.append(zero)
    } else {
      bytes.append(contentsOf: digits.prefix(point))
      bytes.append(contentsOf: repeatElement(zero, count: max(0, point - digits.count)))
    }
    guard digits.count > point else { return }
    bytes.append(UInt8(ascii: "."))
    bytes.append(contentsOf: repeatElement(zero, count: max(0, -point)))
    bytes.append(contentsOf: digits[max(0, point)...])
  }
}
