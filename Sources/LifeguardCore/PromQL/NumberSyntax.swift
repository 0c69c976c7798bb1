/// Numbers and durations as Go reads them.
enum NumberSyntax {
  enum Duration: Hashable {
    case milliseconds(Int64)
    case malformed
    case outOfRange
  }

  /// A number in a query: whole ones in any base first (`0x1f`, and a leading zero means octal),
  /// then decimals.
  static func literal(_ text: String) -> Double? {
    integer(text).map { Double($0) } ?? decimal(text)
  }

  /// As Go's `strconv.ParseInt` with base 0.
  private static func integer(_ text: String) -> Int64? {
    let lowered = text.lowercased()
    let digits: Substring
    let radix: Int
    if lowered.hasPrefix("0x") {
      (digits, radix) = (lowered.dropFirst(2), 16)
    } else if lowered.hasPrefix("0b") {
      (digits, radix) = (lowered.dropFirst(2), 2)
    } else if lowered.hasPrefix("0o") {
      (digits, radix) = (lowered.dropFirst(2), 8)
    } else if lowered.hasPrefix("0"), lowered.utf8.count > 1 {
      (digits, radix) = (lowered.dropFirst(1), 8)
    } else {
      (digits, radix) = (lowered[...], 10)
    }
    let plain = digits.filter { $0 != "_" }
    guard !plain.isEmpty, plain.first != "+", plain.first != "-" else { return nil }
    return Int64(plain, radix: radix)
  }

  /// As Go's `strconv.ParseFloat`; also the value of a bucket's `le`.
  static func decimal(_ text: String) -> Double? {
    var body = text.lowercased()[...]
    var isNegative = false
    if body.first == "-" || body.first == "+" {
      isNegative = body.first == "-"
      body = body.dropFirst()
    }
    let magnitude: Double
    switch body {
    case "inf", "infinity": magnitude = .infinity
    case "nan": return .nan
    default:
      guard let first = body.utf8.first, Lexer.isDigit(first) || first == UInt8(ascii: "."),
        let value = finite(String(body))
      else { return nil }
      magnitude = value
    }
    return isNegative ? -magnitude : magnitude
  }

  private static func finite(_ text: String) -> Double? {
    // Swift wants a digit on both sides of the point, Go on one.
    var plain = text
    if plain.hasPrefix("0x") {
      guard plain.contains("p") else { return nil }
      plain.removeAll { $0 == "_" }
    } else {
      guard plain.utf8.allSatisfy({ Lexer.isDigit($0) || ".e+-".utf8.contains($0) }),
        plain.utf8.contains(where: Lexer.isDigit)
      else { return nil }
      if plain.hasPrefix(".") { plain = "0" + plain }
      if let point = plain.firstIndex(of: ".") {
        let after = plain.index(after: point)
        if after == plain.endIndex || plain[after] == "e" { plain.insert("0", at: after) }
      }
    }
    guard let value = Double(plain) else { return nil }
    return value
  }

  private static let units: [(suffix: String, milliseconds: Int64)] = [
    ("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000),
    ("m", 60_000), ("s", 1000), ("ms", 1),
  ]

  /// `1h30m`: units in this order, each at most once; a year has 365 days.
  static func duration(_ text: String) -> Duration {
    if text == "0" { return .milliseconds(0) }
    var rest = text.utf8[...]
    var total: Int64 = 0
    var nextUnit = 0
    if rest.isEmpty { return .malformed }
    while !rest.isEmpty {
      let digits = rest.prefix(while: Lexer.isDigit)
      rest = rest[digits.endIndex...]
      let letters = rest.prefix(while: Lexer.isLetter)
      rest = rest[letters.endIndex...]
      guard !digits.isEmpty, let suffix = String(letters),
        let unit = units.indices.first(where: { $0 >= nextUnit && units[$0].suffix == suffix })
      else { return .malformed }
      nextUnit = unit + 1
      guard let count = String(digits).flatMap({ Int64($0) }) else { return .outOfRange }
      let (part, overflowed) = count.multipliedReportingOverflow(by: units[unit].milliseconds)
      let (sum, carried) = total.addingReportingOverflow(part)
      // Prometheus counts in nanoseconds, and so overflows after 292 years.
      guard !overflowed, !carried, sum < 9_223_372_036_854 else { return .outOfRange }
      total = sum
    }
    return .milliseconds(total)
  }
}
