/// Numbers and strings as Go, and so Prometheus, writes them.
///
/// Go's `strconv.FormatFloat` with precision -1 prints the fewest digits that read back as the same
/// number, and so does Swift's `description`; only the form around the digits differs.
public enum NumberText {
  /// The shortest digits of a finite, positive number, and where its decimal point stands.
  private struct Digits {
    var text: [UInt8]
    /// The value is 0.text × 10^point.
    var point: Int

    init(_ value: Double) {
      text = []
      point = 0
      var seenPoint = false
      var exponent = 0
      var bytes = value.description.utf8[...]
      while let byte = bytes.popFirst() {
        switch byte {
        case UInt8(ascii: "."): seenPoint = true
        case UInt8(ascii: "e"):
          exponent = Int(String(bytes) ?? "") ?? 0
          bytes = bytes[bytes.endIndex...]
        default:
          text.append(byte)
          if !seenPoint { point += 1 }
        }
      }
      point += exponent
      while text.first == UInt8(ascii: "0"), text.count > 1 {
        text.removeFirst()
        point -= 1
      }
      while text.last == UInt8(ascii: "0"), text.count > 1 { text.removeLast() }
      if text == [UInt8(ascii: "0")] { point = 1 }
    }
  }

  private static func special(_ value: Double) -> String? {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return nil
  }

  /// Plain decimals whatever the size, as scalars are written: `1e21` is `1000000000000000000000`.
  public static func fixed(_ value: Double) -> String {
    if let text = special(value) { return text }
    let digits = Digits(value.magnitude)
    var result: [UInt8] = value.sign == .minus ? [UInt8(ascii: "-")] : []
    if digits.point <= 0 {
      result += [UInt8(ascii: "0"), UInt8(ascii: ".")]
      result += repeatElement(UInt8(ascii: "0"), count: -digits.point)
      result += digits.text
    } else if digits.point >= digits.text.count {
      result += digits.text
      result += repeatElement(UInt8(ascii: "0"), count: digits.point - digits.text.count)
    } else {
      result += digits.text[..<digits.point]
      result.append(UInt8(ascii: "."))
      result += digits.text[digits.point...]
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// With an exponent of at least two digits, as alerts' values are written: `3e+00`.
  public static func exponent(_ value: Double) -> String {
    if let text = special(value) { return text }
    let digits = Digits(value.magnitude)
    var result: [UInt8] = value.sign == .minus ? [UInt8(ascii: "-")] : []
    result.append(digits.text[0])
    if digits.text.count > 1 {
      result.append(UInt8(ascii: "."))
      result += digits.text[1...]
    }
    let power = value == 0 ? 0 : digits.point - 1
    result.append(UInt8(ascii: "e"))
    result.append(power < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
    let magnitude = String(power.magnitude)
    if magnitude.utf8.count < 2 { result.append(UInt8(ascii: "0")) }
    result += magnitude.utf8
    return String(decoding: result, as: UTF8.self)
  }

  /// As samples are written in answers of the HTTP API: an exponent below 1e-6 and from 1e21.
  public static func sample(_ value: Double) -> String {
    let size = value.magnitude
    return size != 0 && (size < 1e-6 || size >= 1e21) ? exponent(value) : fixed(value)
  }

  /// As Go's `%g` writes it: an exponent below 1e-4 and from 1e6 on.
  public static func general(_ value: Double) -> String {
    if let text = special(value) { return text }
    if value == 0 { return fixed(value) }
    let power = Digits(value.magnitude).point - 1
    return power < -4 || power >= 6 ? exponent(value) : fixed(value)
  }

  /// Seconds as samples in answers carry them: `1.5` for a scalar's, `1.500` in a vector.
  public static func timestamp(_ time: Timestamp) -> String {
    let sign = time.milliseconds < 0 ? "-" : ""
    let whole = time.milliseconds.magnitude / 1000
    let fraction = time.milliseconds.magnitude % 1000
    guard fraction > 0 else { return "\(sign)\(whole)" }
    let digits = String(fraction)
    return "\(sign)\(whole).\(String(repeating: "0", count: 3 - digits.utf8.count))\(digits)"
  }

  /// As Go's `%q`: in double quotes, with what cannot be shown escaped.
  public static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars { appendEscaped(scalar, quote: "\"", to: &result) }
    return result + "\""
  }

  /// As Go's `%q` of a character.
  static func quoted(_ scalar: Unicode.Scalar) -> String {
    var result = "'"
    appendEscaped(scalar, quote: "'", to: &result)
    return result + "'"
  }

  private static func appendEscaped(
    _ scalar: Unicode.Scalar, quote: Unicode.Scalar, to result: inout String
  ) {
    switch scalar {
    case quote: result += "\\" + String(Character(quote))
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case "\u{7}": result += "\\a"
    case "\u{8}": result += "\\b"
    case "\u{C}": result += "\\f"
    case "\u{B}": result += "\\v"
    default:
      if scalar.value < 0x20 || scalar.value == 0x7F {
        result += "\\x" + hexadecimal(scalar.value, digits: 2)
      } else if isPrintable(scalar) {
        result.unicodeScalars.append(scalar)
      } else if scalar.value < 0x10000 {
        result += "\\u" + hexadecimal(scalar.value, digits: 4)
      } else {
        result += "\\U" + hexadecimal(scalar.value, digits: 8)
      }
    }
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .privateUse, .surrogate, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    case .spaceSeparator: scalar == " "
    default: true
    }
  }

  static func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }
}
