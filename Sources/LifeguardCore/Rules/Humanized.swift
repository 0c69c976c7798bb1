/// Numbers as people read them, digit for digit as Prometheus' template functions write them.
enum Humanized {
  /// `humanize`: powers of 1000, `1.235M`, `120m`.
  static func decimal(_ value: Double) -> String {
    guard value != 0, value.isFinite else { return digits(value) }
    let (scaled, prefix) = value.magnitude >= 1 ? larger(value) : smaller(value)
    return digits(scaled) + prefix
  }

  private static func larger(_ value: Double) -> (Double, String) {
    var (scaled, prefix) = (value, "")
    for next in ["k", "M", "G", "T", "P", "E", "Z", "Y"] where scaled.magnitude >= 1000 {
      prefix = next
      scaled /= 1000
    }
    return (scaled, prefix)
  }

  private static func smaller(_ value: Double) -> (Double, String) {
    var (scaled, prefix) = (value, "")
    for next in ["m", "u", "n", "p", "f", "a", "z", "y"] where scaled.magnitude < 1 {
      prefix = next
      scaled *= 1000
    }
    return (scaled, prefix)
  }

  /// `humanize1024`: powers of 1024, `1.177Mi`.
  static func binary(_ value: Double) -> String {
    guard value.magnitude > 1, value.isFinite else { return digits(value) }
    var (scaled, prefix) = (value, "")
    for next in ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"] where scaled.magnitude >= 1024 {
      prefix = next
      scaled /= 1024
    }
    return digits(scaled) + prefix
  }

  /// `humanizeDuration`: seconds as `1d 1h 0m 0s`, `1.234s`, `100ms`.
  static func duration(_ value: Double) -> String {
    guard value.isFinite else { return digits(value) }
    if value == 0 { return "0s" }
    if value.magnitude < 1 {
      let (scaled, prefix) = smaller(value)
      return digits(scaled) + prefix + "s"
    }
    let sign = value < 0 ? "-" : ""
    // Far beyond 2^63 s Go's conversion is undefined; the largest duration is shown.
    let whole = Int64(min(value.magnitude, 0x1p62))
    let (seconds, minutes) = (whole % 60, whole / 60 % 60)
    let (hours, days) = (whole / 3600 % 24, whole / 86_400)
    if days != 0 { return "\(sign)\(days)d \(hours)h \(minutes)m \(seconds)s" }
    if hours != 0 { return "\(sign)\(hours)h \(minutes)m \(seconds)s" }
    if minutes != 0 { return "\(sign)\(minutes)m \(seconds)s" }
    return sign + digits(value.magnitude) + "s"
  }

  /// `humanizePercentage`: a ratio as `12.35%`.
  static func percentage(_ value: Double) -> String { digits(value * 100) + "%" }

  /// `%.4g`.
  private static func digits(_ value: Double) -> String { NumberText.general(value, precision: 4) }
}
