/// A point in time as calendar fields in UTC.
///
/// Days to dates after the algorithm of Howard Hinnant ("chrono-compatible low-level date
/// algorithms"), proleptic Gregorian, valid for every `Timestamp`.
struct UTCTime: Hashable, Sendable {
  var year: Int64
  var month: Int
  var day: Int
  var hour: Int
  var minute: Int
  var second: Int
  var millisecond: Int
  /// 0 is Sunday.
  var weekday: Int

  init(_ timestamp: Timestamp) {
    let (days, inDay) = Self.floorDivide(timestamp.milliseconds, 86_400_000)
    millisecond = Int(inDay % 1000)
    second = Int(inDay / 1000 % 60)
    minute = Int(inDay / 60_000 % 60)
    hour = Int(inDay / 3_600_000)
    weekday = Int(Self.floorDivide(days + 4, 7).remainder)
    let shifted = days + 719_468
    let (era, dayOfEra) = Self.floorDivide(shifted, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  private static func floorDivide(
    _ value: Int64, _ divisor: Int64
  ) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }

  static let monthNames = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
  static let dayNames = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]

  var monthName: String { Self.monthNames[month - 1] }
  var dayName: String { Self.dayNames[weekday] }

  /// `2015-06-23`.
  var date: String { "\(padded(Int(year), 4))-\(padded(month, 2))-\(padded(day, 2))" }
  /// `13:19:44`.
  var clock: String { "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))" }

  /// RFC 3339 with milliseconds: `2015-06-23T13:19:44.128Z`.
  var internetText: String { "\(date)T\(clock).\(padded(millisecond, 3))Z" }

  /// RFC 5322: `Tue, 23 Jun 2015 13:19:44 +0000`.
  var mailText: String {
    "\(dayName), \(padded(day, 2)) \(monthName) \(padded(Int(year), 4)) \(clock) +0000"
  }

  /// For people: `2015-06-23 13:19:44 UTC`.
  var text: String { "\(date) \(clock) UTC" }

  /// Go's `Time.String()`: `2015-06-23 13:19:44.128 +0000 UTC`, without trailing zeros.
  var goText: String {
    "\(date) \(clock)\(fraction) +0000 UTC"
  }

  private var fraction: String {
    guard millisecond != 0 else { return "" }
    var digits = padded(millisecond, 3)
    while digits.hasSuffix("0") { digits.removeLast() }
    return "." + digits
  }

  /// Formats by Go's reference time, `Mon Jan 2 15:04:05 MST 2006`.
  func formatted(layout: String) -> String {
    let elements: [(String, String)] = [
      ("2006", padded(Int(year), 4)), ("January", Self.longMonths[month - 1]),
      ("Monday", Self.longDays[weekday]), ("Jan", monthName), ("Mon", dayName), ("MST", "UTC"),
      ("Z07:00", "Z"), ("-07:00", "+00:00"), ("-0700", "+0000"),
      (".000", "." + padded(millisecond, 3)),
      ("15", padded(hour, 2)), ("01", padded(month, 2)), ("02", padded(day, 2)),
      ("03", padded((hour + 11) % 12 + 1, 2)), ("04", padded(minute, 2)),
      ("05", padded(second, 2)), ("06", padded(Int(year % 100), 2)),
      ("PM", hour < 12 ? "AM" : "PM"),
      ("pm", hour < 12 ? "am" : "pm"), ("_2", day < 10 ? " \(day)" : "\(day)"), ("1", "\(month)"),
      ("2", "\(day)"), ("3", "\((hour + 11) % 12 + 1)"), ("4", "\(minute)"), ("5", "\(second)"),
    ]
    var result = ""
    var rest = Substring(layout)
    while !rest.isEmpty {
      if let (pattern, value) = elements.first(where: { rest.hasPrefix($0.0) }) {
        result += value
        rest = rest.dropFirst(pattern.count)
      } else {
        result.append(rest.removeFirst())
      }
    }
    return result
  }

  private static let longMonths = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  private static let longDays = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]

  private func padded(_ value: Int, _ width: Int) -> String {
    let digits = "\(abs(value))"
    let zeros = String(repeating: "0", count: max(width - digits.count, 0))
    return (value < 0 ? "-" : "") + zeros + digits
  }
}
