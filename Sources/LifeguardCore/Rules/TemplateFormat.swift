/// `printf` and `print` of Go's `fmt`, for the values that templates have.
///
/// A verb that does not fit its value is shown as Go shows it, `%!d(float64=80)`: a message with a
/// visible flaw is better than none.
struct TemplateFormat {
  private var result = ""
  private let arguments: [TemplateValue]
  private var next = 0
  private var usesIndices = false

  /// Go's `Sprint`: a space between two operands when neither is a string.
  static func joined(_ values: [TemplateValue]) -> String {
    var result = ""
    var wasString = true
    for value in values {
      var isString = false
      if case .string = value { isString = true }
      if !result.isEmpty, !isString, !wasString { result += " " }
      result += value.text
      wasString = isString
    }
    return result
  }

  static func format(_ pattern: String, _ arguments: [TemplateValue]) -> String {
    var format = TemplateFormat(arguments)
    format.run(Array(pattern.unicodeScalars))
    return format.result
  }

  private init(_ arguments: [TemplateValue]) {
    self.arguments = arguments
  }

  /// What stands between `%` and the verb.
  struct Flags {
    var plus = false
    var minus = false
    var sharp = false
    var space = false
    var zero = false
    var width: Int?
    var precision: Int?
  }

  private mutating func run(_ pattern: [Unicode.Scalar]) {
    var index = 0
    while index < pattern.count {
      guard pattern[index] == "%" else {
        result.unicodeScalars.append(pattern[index])
        index += 1
        continue
      }
      index += 1
      let flags = readFlags(pattern, &index)
      guard index < pattern.count else {
        result += "%!(NOVERB)"
        return
      }
      let verb = pattern[index]
      index += 1
      if verb == "%" {
        result += "%"
      } else if next < arguments.count {
        result += TemplateFormat.text(arguments[next], verb, flags)
        next += 1
      } else {
        result += "%!\(verb)(MISSING)"
      }
      guard result.utf8.count <= TemplateExecution.bytesMax else { return }
    }
    if !usesIndices, next < arguments.count {
      let extra = arguments[next...].map { value in
        if case .missing = value { return "<nil>" }
        return "\(value.typeName)=\(value.text)"
      }
      result += "%!(EXTRA \(extra.joined(separator: ", ")))"
    }
  }

  private mutating func readFlags(_ pattern: [Unicode.Scalar], _ index: inout Int) -> Flags {
    var flags = Flags()
    scan: while index < pattern.count {
      switch pattern[index] {
      case "+": flags.plus = true
      case "-": flags.minus = true
      case "#": flags.sharp = true
      case " ": flags.space = true
      case "0": flags.zero = true
      default: break scan
      }
      index += 1
    }
    readIndex(pattern, &index)
    flags.width = readNumber(pattern, &index)
    if let width = flags.width, width < 0 {
      flags.minus = true
      flags.width = -width
    }
    if flags.minus { flags.zero = false }
    if index < pattern.count, pattern[index] == "." {
      index += 1
      readIndex(pattern, &index)
      flags.precision = max(readNumber(pattern, &index) ?? 0, 0)
    }
    readIndex(pattern, &index)
    return flags
  }

  /// `[3]` makes the third argument the next one.
  private mutating func readIndex(_ pattern: [Unicode.Scalar], _ index: inout Int) {
    guard index < pattern.count, pattern[index] == "[",
      let end = pattern[index...].firstIndex(of: "]")
    else { return }
    let digits = String(String.UnicodeScalarView(pattern[(index + 1)..<end]))
    guard let number = Int(digits), number >= 1 else { return }
    next = number - 1
    usesIndices = true
    index = end + 1
  }

  /// A number, or `*` for the next argument. Bounded, so that no pattern can ask for gigabytes.
  private mutating func readNumber(_ pattern: [Unicode.Scalar], _ index: inout Int) -> Int? {
    let limit = 10_000
    if index < pattern.count, pattern[index] == "*" {
      index += 1
      guard next < arguments.count, case .integer(let value) = arguments[next] else { return nil }
      next += 1
      return Int(max(min(value, Int64(limit)), -Int64(limit)))
    }
    var value: Int?
    while index < pattern.count,
      let digit = pattern[index].properties.numericType == .decimal
        ? Int(String(pattern[index])) : nil
    {
      value = min((value ?? 0) * 10 + digit, limit)
      index += 1
    }
    return value
  }
}

extension TemplateFormat {
  fileprivate static func text(
    _ value: TemplateValue, _ verb: Unicode.Scalar, _ flags: Flags
  ) -> String {
    if verb == "T" { return padded(value.typeName, flags) }
    let formatted: String? =
      switch value {
      case .float(let number): float(number, verb, flags)
      case .integer(let number): integer(number, verb, flags)
      case .string(let text): string(text, verb, flags)
      case .boolean(let flag): verb == "t" || verb == "v" ? padded("\(flag)", flags) : nil
      case .missing: verb == "v" ? padded("<nil>", flags) : nil
      case .time, .labels, .sample, .samples, .arguments, .root:
        verb == "v" || verb == "s" ? padded(value.text, flags) : nil
      }
    if let formatted { return formatted }
    if case .missing = value { return "%!\(verb)(<nil>)" }
    return "%!\(verb)(\(value.typeName)=\(value.text))"
  }

  private static func float(_ value: Double, _ verb: Unicode.Scalar, _ flags: Flags) -> String? {
    let precision = flags.precision
    let body: String
    switch verb {
    case "v", "g", "G":
      body = NumberText.general(
        value, precision: precision ?? (flags.sharp ? 6 : nil), keepsZeros: flags.sharp,
        upper: verb == "G")
    case "f", "F": body = NumberText.fixed(value, precision: precision ?? 6)
    case "e", "E": body = NumberText.exponent(value, precision: precision ?? 6, upper: verb == "E")
    default: return nil
    }
    return signed(body, flags, zeros: value.isFinite)
  }

  private static func integer(_ value: Int64, _ verb: Unicode.Scalar, _ flags: Flags) -> String? {
    let magnitude = value.magnitude
    var digits: String
    switch verb {
    case "v", "d": digits = String(magnitude)
    case "b": digits = (flags.sharp ? "0b" : "") + String(magnitude, radix: 2)
    case "o": digits = (flags.sharp ? "0" : "") + String(magnitude, radix: 8)
    case "O": digits = "0o" + String(magnitude, radix: 8)
    case "x": digits = (flags.sharp ? "0x" : "") + String(magnitude, radix: 16)
    case "X": digits = (flags.sharp ? "0X" : "") + String(magnitude, radix: 16, uppercase: true)
    case "c", "q", "U":
      let scalar = UInt32(exactly: value).flatMap { Unicode.Scalar($0) } ?? "\u{FFFD}"
      let hex = String(magnitude, radix: 16, uppercase: true)
      let code = "U+" + String(repeating: "0", count: max(4 - hex.count, 0)) + hex
      return padded(verb == "U" ? code : verb == "c" ? String(scalar) : "'\(scalar)'", flags)
    default: return nil
    }
    if let precision = flags.precision, digits.count < precision {
      digits = String(repeating: "0", count: precision - digits.count) + digits
    }
    return signed((value < 0 ? "-" : "") + digits, flags, zeros: flags.precision == nil)
  }

  private static func string(_ text: String, _ verb: Unicode.Scalar, _ flags: Flags) -> String? {
    let cut: String
    if let precision = flags.precision {
      cut = String(String.UnicodeScalarView(text.unicodeScalars.prefix(precision)))
    } else {
      cut = text
    }
    switch verb {
    case "v", "s": return padded(cut, flags)
    case "q": return padded(TextEscape.quoted(cut), flags)
    case "x": return padded(cut.utf8.map(TextEscape.hexadecimal).joined().lowercased(), flags)
    case "X": return padded(cut.utf8.map(TextEscape.hexadecimal).joined(), flags)
    default: return nil
    }
  }

  /// Adds the sign that the flags ask for; zeros go between it and the digits.
  private static func signed(_ body: String, _ flags: Flags, zeros: Bool) -> String {
    var sign = ""
    var digits = Substring(body)
    if body.hasPrefix("-") || body.hasPrefix("+") {
      sign = String(digits.removeFirst())
      if sign == "+", !flags.plus, body != "+Inf" { sign = "" }
    } else if flags.plus {
      sign = "+"
    } else if flags.space {
      sign = " "
    }
    let missing = (flags.width ?? 0) - sign.count - digits.count
    if flags.zero, zeros, missing > 0 {
      return sign + String(repeating: "0", count: missing) + digits
    }
    var spaced = flags
    spaced.zero = false
    return padded(sign + digits, spaced)
  }

  private static func padded(_ text: String, _ flags: Flags) -> String {
    let missing = (flags.width ?? 0) - text.unicodeScalars.count
    guard missing > 0 else { return text }
    let fill = String(repeating: flags.zero ? "0" : " ", count: missing)
    return flags.minus ? text + fill : fill + text
  }
}
