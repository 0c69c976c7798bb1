import CLinux
import LifeguardCore

/// The host's two clocks and the identity of its boot, read when asked.
///
/// The only place that asks the machine for the time; everything else is given a `Moment`.
public struct SystemClock: Sendable {
  /// The identity of this boot, read once: it cannot change while this process lives.
  public let bootID: String

  public init(root: String = "/") {
    bootID = FileSystemRoot(root).line("proc/sys/kernel/random/boot_id") ?? ""
  }

  /// Now, on CLOCK_REALTIME in milliseconds and CLOCK_BOOTTIME in nanoseconds.
  public func now() -> Moment {
    Moment(
      wall: Timestamp(milliseconds: clinux_clock_nanoseconds(CLINUX_CLOCK_REALTIME) / 1_000_000),
      boottime: .nanoseconds(clinux_clock_nanoseconds(CLINUX_CLOCK_BOOTTIME)),
      bootID: bootID)
  }
}
