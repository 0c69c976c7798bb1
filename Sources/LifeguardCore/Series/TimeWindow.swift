/// Which samples from elsewhere are taken, by their time.
///
/// A time that is far off would sit in memory as the newest of its series, and keep out every later
/// sample until it came true.
public struct TimeWindow: Hashable, Sendable {
  public var oldest: Timestamp
  public var newest: Timestamp

  /// - Parameters:
  ///   - now: a sample may be up to ten minutes ahead of it, as Prometheus allows
  ///     (`storage/remote/write_handler.go` and `scrape/scrape.go`, `maxAheadTime`).
  ///   - retention: what is older would be forgotten at once.
  public init(now: Timestamp, retention: Duration) {
    oldest = now - retention
    newest = now + .seconds(600)
  }

  /// Whether a sample of this time is taken.
  public func contains(_ time: Timestamp) -> Bool { time >= oldest && time <= newest }
}
