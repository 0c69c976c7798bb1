import Synchronization

/// What the samples' thread last said of itself, for others to read while it waits for the disk.
final class SampleReport: Sendable {
  private let latest = Mutex(SampleStore.Statistics())

  var statistics: SampleStore.Statistics { latest.withLock { $0 } }

  func take(_ statistics: SampleStore.Statistics) { latest.withLock { $0 = statistics } }
}
