/// Escapes text for where it goes, so that what comes from outside never acts there.
public enum TextEscape {
  /// For HTML text and quoted attributes, as Go's `html/template` escapes them.
  public static func html(_ text: String) -> String {
    replacing(text) { scalar in
      switch scalar {
      case "\"": "&#34;"
      case "'": "&#39;"
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\0": "\u{FFFD}"
      default: nil
      }
    }
  }

  /// For a JavaScript string literal.
  static func javaScript(_ text: String) -> String {
    replacing(text) { scalar in
      switch scalar {
      case "\\": "\\\\"
      case "'": "\\'"
      case "\"": "\\\""
      case "<": "\\u003C"
      case ">": "\\u003E"
      case "&": "\\u0026"
      case "=": "\\u003D"
      default: scalar.value < 0x20 ? "\\u00" + hexadecimal(UInt8(scalar.value)) : nil
      }
    }
  }

  /// For a value in a URL's query: a space is `+` (Go's `url.QueryEscape`).
  static func urlQuery(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
        UInt8(ascii: "."), UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      case UInt8(ascii: " "): result += "+"
      default: result += "%" + hexadecimal(byte)
      }
    }
    return result
  }

  /// In double quotes with Go's escapes (`%q`).
  public static func quoted(_ text: String) -> String {
    "\""
      + replacing(text) { scalar in
        switch scalar {
        case "\"": "\\\""
        case "\\": "\\\\"
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        case "\u{07}": "\\a"
        case "\u{08}": "\\b"
        case "\u{0B}": "\\v"
        case "\u{0C}": "\\f"
        default:
          scalar.value < 0x20 || scalar.value == 0x7F
            ? "\\x" + hexadecimal(UInt8(scalar.value)).lowercased() : nil
        }
      } + "\""
  }

  /// For Slack's mrkdwn: only these three characters are control characters there
  /// (Slack, "Formatting text for app surfaces").
  public static func slack(_ text: String) -> String {
    replacing(visible(text)) { scalar in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      default: nil
      }
    }
  }

  /// For a terminal, a log line or a plain text part: control characters other than line feed and
  /// tab become visible pictures, and so do the ones that turn the direction of text.
  public static func visible(_ text: String) -> String {
    replacing(text) { scalar in
      switch scalar.value {
      case 0x09, 0x0A: nil
      case 0x00..<0x20: Unicode.Scalar(0x2400 + scalar.value).map { String($0) }
      case 0x7F: "\u{2421}"
      case 0x80..<0xA0, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: "\u{FFFD}"
      default: nil
      }
    }
  }

  /// One line: `visible`, with line feeds and tabs as spaces.
  public static func line(_ text: String) -> String {
    replacing(visible(text)) {
      $0 == "\n" || $0 == "\t" || $0 == "\u{2028}" || $0 == "\u{2029}" ? " " : nil
    }
  }

  /// Two upper-case digits.
  static func hexadecimal(_ byte: UInt8) -> String {
    let digits = Array("0123456789ABCDEF")
    return "\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
  }

  private static func replacing(
    _ text: String, _ replacement: (Unicode.Scalar) -> String?
  ) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if let other = replacement(scalar) {
        result.append(contentsOf: other.unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }
}
