/// A time in UTC by the calendar (proleptic Gregorian, no leap seconds).
struct CalendarTime {
  private(set) var year: Int64
  private(set) var month: Int64
  private(set) var day: Int64
  private let days: Int64
  private let secondOfDay: Int64

  /// The algorithm is Howard Hinnant's `civil_from_days`, which counts years from March so that the
  /// leap day comes last.
  init(seconds: Int64) {
    var days = seconds / 86_400
    var rest = seconds % 86_400
    if rest < 0 {
      rest += 86_400
      days -= 1
    }
    self.days = days
    secondOfDay = rest
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  private var isLeapYear: Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  private var daysInMonth: Int64 {
    switch month {
    case 2: isLeapYear ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  private var dayOfYear: Int64 {
    let before: [Int64] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
    return before[Int(month) - 1] + day + (month > 2 && isLeapYear ? 1 : 0)
  }

  func component(_ function: Function) -> Double {
    switch function {
    case .year: Double(year)
    case .month: Double(month)
    case .dayOfMonth: Double(day)
    case .dayOfYear: Double(dayOfYear)
    case .daysInMonth: Double(daysInMonth)
    // 1 January 1970 was a Thursday; Sunday is 0.
    case .dayOfWeek: Double(((days + 4) % 7 + 7) % 7)
    case .hour: Double(secondOfDay / 3600)
    case .minute: Double(secondOfDay / 60 % 60)
    default: .nan
    }
  }
}
