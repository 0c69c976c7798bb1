/// Durations as Prometheus writes them: `30s`, `5m`, `1h30m`, `500ms`, `1d`.
enum DurationFormat {
  /// Milliseconds of each unit, longest first; the order in which they must be written.
  private static let units: [(name: String, milliseconds: Int64)] = [
    ("y", 31_536_000_000), ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000),
    ("m", 60_000), ("s", 1000), ("ms", 1),
  ]

  /// Hundred years, so that sums never overflow.
  private static let millisecondsMax: Int64 = 100 * 31_536_000_000

  /// - Returns: the duration, or what to write instead as the end of a sentence.
  static func parse(_ text: String) -> Result<Duration, ValueFault> {
    if text == "0" { return .success(.zero) }
    if let number = Double(text) {
      guard number.isFinite, number >= 0 else {
        return .failure(ValueFault("write a positive duration such as 30s"))
      }
      return .failure(ValueFault("a duration needs a unit: write \(hint(number, "s"))"))
    }
    var total: Int64 = 0
    var nextUnit = 0
    var rest = Substring(text)
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      let unit = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
      guard let count = Int64(digits), count <= millisecondsMax,
        let index = units.indices.first(where: { units[$0].name == unit }), index >= nextUnit
      else { return .failure(ValueFault(advice(text))) }
      let (product, overflow) = count.multipliedReportingOverflow(by: units[index].milliseconds)
      guard !overflow, product <= millisecondsMax, total + product <= millisecondsMax else {
        return .failure(ValueFault("at most 100y"))
      }
      total += product
      nextUnit = index + 1
      rest = rest.dropFirst(digits.count + unit.count)
    }
    return text.isEmpty ? .failure(ValueFault(advice(text))) : .success(.milliseconds(total))
  }

  /// `1.5s` and `5 min` are common; say how they are written.
  private static func advice(_ text: String) -> String {
    if text.hasPrefix("-") { return "write a positive duration such as 30s" }
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased()
    let short: String? =
      switch unit {
      case "s", "sec", "secs", "second", "seconds": "s"
      case "m", "min", "mins", "minute", "minutes": "m"
      case "h", "hr", "hour", "hours": "h"
      case "d", "day", "days": "d"
      case "ms", "msec", "millisecond", "milliseconds": "ms"
      default: nil
      }
    guard let short, let value = Double(number), value.isFinite, value >= 0, value < 1e9 else {
      return "write a duration such as 30s, 5m, 1h30m or 500ms"
    }
    return "write \(hint(value, short))"
  }

  private static func hint(_ value: Double, _ unit: String) -> String {
    guard value < 1e9, let scale = units.first(where: { $0.name == unit })?.milliseconds else {
      return "a duration such as 30s"
    }
    if value == value.rounded() { return "\(Int64(value))\(unit)" }
    return text(.milliseconds(Int64((value * Double(scale)).rounded())))
  }

  /// The shortest way to write a duration exactly, to the millisecond.
  static func text(_ duration: Duration) -> String {
    let parts = duration.components
    var rest = parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000
    guard rest > 0 else { return rest == 0 ? "0s" : "-" + text(.zero - duration) }
    var result = ""
    for unit in units.dropFirst(2) where rest >= unit.milliseconds {
      result += "\(rest / unit.milliseconds)\(unit.name)"
      rest %= unit.milliseconds
    }
    return result
  }
}

/// Why a value was not taken, as the end of a sentence that says what to write instead.
struct ValueFault: Error {
  var advice: String

  init(_ advice: String) {
    self.advice = advice
  }
}
