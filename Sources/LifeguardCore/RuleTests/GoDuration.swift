/// Durations in the two forms in which promtool prints them.
enum GoDuration {
  /// As Prometheus' own durations: `1h30m`, `0s`.
  static func model(_ duration: Duration) -> String {
    let total = duration.milliseconds
    if total == 0 { return "0s" }
    // Days and longer only where nothing is left over, as in prometheus/common.
    let units: [(String, Int64, Bool)] = [
      ("y", 365 * 86_400_000, true), ("w", 7 * 86_400_000, true), ("d", 86_400_000, false),
      ("h", 3_600_000, false), ("m", 60_000, false), ("s", 1000, false), ("ms", 1, false),
    ]
    var rest = total
    var text = ""
    for (name, length, mustBeWhole) in units {
      if mustBeWhole, rest % length != 0 { continue }
      if rest >= length {
        text += "\(rest / length)\(name)"
        rest %= length
      }
    }
    return text
  }

  /// As Go's `time.Duration`: `1h30m0s`, `1.5s`, `0s`.
  static func text(_ duration: Duration) -> String {
    let total = duration.milliseconds
    if total < 1000 { return total == 0 ? "0s" : "\(total)ms" }
    let seconds = NumberText.fixed(Double(total % 60_000) / 1000) + "s"
    let hours = total / 3_600_000
    let minutes = total / 60_000 % 60
    if hours > 0 { return "\(hours)h\(minutes)m\(seconds)" }
    return minutes > 0 ? "\(minutes)m\(seconds)" : seconds
  }
}
