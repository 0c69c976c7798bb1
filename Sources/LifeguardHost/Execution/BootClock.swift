import Glibc

/// The clock of every timeout: CLOCK_BOOTTIME, which nobody can set and which counts time asleep.
public enum BootClock {
  /// The time since boot.
  public static func now() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}

extension Duration {
  /// Whole milliseconds, rounded up, so that a wait is never shorter than asked for.
  var millisecondsRoundedUp: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
  }
}
