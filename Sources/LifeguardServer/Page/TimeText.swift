import LifeguardCore

/// Times as people read them.
public enum TimeText {
  /// `just now`, `42s ago`, `3m ago`, `2h5m ago`, `3d ago`; `in 5m` for what is to come.
  public static func relative(_ time: Timestamp, to now: Timestamp) -> String {
    let passed = now - time
    if passed < .zero, passed > .seconds(-2) { return "just now" }
    if passed < .zero { return "in \(rounded(.zero - passed))" }
    return passed < .seconds(1) ? "just now" : "\(rounded(passed)) ago"
  }

  /// `3m20s`, `2h5m`, `3d`: at most two units, from 10 minutes on whole minutes.
  public static func rounded(_ length: Duration) -> String {
    let seconds = length.milliseconds / 1000
    if seconds < 600 { return Duration.seconds(seconds).text }
    if seconds < 86_400 { return Duration.seconds(seconds / 60 * 60).text }
    return "\(seconds / 86_400)d"
  }

  /// `12:31:05`, in UTC.
  public static func clock(_ time: Timestamp) -> String {
    String(time.text.dropFirst(11).prefix(8))
  }

  /// `2026-01-31 12:31:05 UTC`.
  public static func full(_ time: Timestamp) -> String {
    "\(time.text.prefix(10)) \(clock(time)) UTC"
  }
}
