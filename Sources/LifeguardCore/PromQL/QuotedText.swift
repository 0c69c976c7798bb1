/// Text in quotes as Go's `%q` writes it, which is how it stands in Prometheus' messages.
enum QuotedText {
  /// In double quotes, with what cannot be shown escaped.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars { appendEscaped(scalar, quote: "\"", to: &result) }
    return result + "\""
  }

  /// A character in single quotes.
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
