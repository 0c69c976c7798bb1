/// Values and times as Prometheus' HTTP API writes them.
public enum SampleText {
  /// Plain decimals whatever the size, as scalars are written: `1e21` is `1000000000000000000000`.
  public static func scalar(_ value: Double) -> String { NumberText.fixed(value) }

  /// As samples of vectors and matrices are written: an exponent below 1e-6 and from 1e21.
  public static func value(_ value: Double) -> String {
    let size = value.magnitude
    return size != 0 && (size < 1e-6 || size >= 1e21)
      ? NumberText.exponent(value) : NumberText.fixed(value)
  }

  /// As values of alerts are written, always with an exponent: `3e+00`.
  public static func alert(_ value: Double) -> String { NumberText.exponent(value) }

  /// Seconds with three digits after the point, or none: `1.500` in vectors and matrices.
  public static func timestamp(_ time: Timestamp) -> String {
    let sign = time.milliseconds < 0 ? "-" : ""
    let whole = time.milliseconds.magnitude / 1000
    let fraction = time.milliseconds.magnitude % 1000
    guard fraction > 0 else { return "\(sign)\(whole)" }
    let digits = String(fraction)
    let zeros = String(repeating: "0", count: 3 - digits.utf8.count)
    return "\(sign)\(whole).\(zeros)\(digits)"
  }

  /// Seconds with as few digits as they need: `1.5`, as the times of scalars are written.
  public static func scalarTimestamp(_ time: Timestamp) -> String {
    NumberText.fixed(Double(time.milliseconds) / 1000)
  }
}
