import Glibc
import LifeguardCore

/// The clocks and the dice of a client; tests bring their own.
public struct AWSClock: Sendable {
  /// The wall clock, which requests are signed with.
  let now: @Sendable () -> Timestamp
  /// A clock that only runs forward, for deadlines.
  let elapsed: @Sendable () -> Duration
  let sleep: @Sendable (Duration) async throws -> Void
  /// A number from 0 to below 1, for jitter.
  let random: @Sendable () -> Double

  /// Clocks of one's own.
  public init(
    now: @escaping @Sendable () -> Timestamp, elapsed: @escaping @Sendable () -> Duration,
    sleep: @escaping @Sendable (Duration) async throws -> Void,
    random: @escaping @Sendable () -> Double
  ) {
    self.now = now
    self.elapsed = elapsed
    self.sleep = sleep
    self.random = random
  }

  /// The machine's.
  public static var system: AWSClock {
    AWSClock(
      now: {
        let time = read(CLOCK_REALTIME)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
      },
      elapsed: {
        let time = read(CLOCK_BOOTTIME)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
      },
      sleep: { try await Task.sleep(for: $0) },
      random: { Double.random(in: 0..<1) })
  }

  /// What the wall clock shows.
  public var wall: Timestamp { now() }

  private static func read(_ clock: clockid_t) -> timespec {
    var time = timespec()
    clock_gettime(clock, &time)
    return time
  }
}
