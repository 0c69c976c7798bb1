import LifeguardCore

/// When the next upload begins: at the end of a period, or later the more often one has failed.
struct CloudPace: Sendable {
  private static let pauseMin: Duration = .seconds(2)
  private static let pauseMax: Duration = .seconds(300)
  /// Samples of a period's last moment still come in after its end.
  private static let settling: Duration = .seconds(1)
  /// Machines that were started together must not all send in the same instant.
  private static let spreadMax: Duration = .seconds(5)

  private var failures = 0

  mutating func noteFailure() { failures += 1 }
  mutating func noteSuccess() { failures = 0 }

  /// How long to wait.
  ///
  /// - Parameter random: from 0 to below 1.
  func pause(until every: Duration, at now: Timestamp, random: Double) -> Duration {
    if failures > 0 {
      let longest = min(Self.pauseMin * (1 << min(failures - 1, 10)), Self.pauseMax)
      return longest * (0.5 + random / 2)
    }
    let length = max(every.milliseconds, 1)
    let left = Duration.milliseconds(length - now.milliseconds % length)
    return left + min(Self.settling, every / 10) + min(Self.spreadMax, every / 10) * random
  }
}

extension Bell {
  /// Returns when it rings, when the time is up, or when the task is cancelled.
  func wait(atMost limit: Duration) async {
    await withTaskGroup { group in
      group.addTask { await self.wait() }
      // Cancelled as soon as it rings.
      group.addTask { try? await Task.sleep(for: limit) }
      await group.next()
      group.cancelAll()
    }
  }
}
