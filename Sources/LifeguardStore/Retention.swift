import LifeguardCore

/// How long samples of each resolution are kept, and how much room they may take.
public struct Retention: Sendable, Hashable {
  /// Single samples.
  public var raw: Duration
  /// Figures of a minute; zero keeps none.
  public var minute: Duration
  /// Figures of an hour; zero keeps none.
  public var hour: Duration
  /// How large the file may grow. What takes more than its share gives way first: one half is for
  /// single samples, three eighths are for minutes, one eighth is for hours.
  public var bytesMax: Int64

  public init(
    raw: Duration = .seconds(86_400), minute: Duration = .seconds(30 * 86_400),
    hour: Duration = .seconds(365 * 86_400), bytesMax: Int64 = 512 << 20
  ) {
    self.raw = raw
    self.minute = minute
    self.hour = hour
    self.bytesMax = bytesMax
  }

  func duration(_ resolution: Resolution) -> Duration {
    switch resolution {
    case .raw: raw
    case .minute: minute
    case .hour: hour
    }
  }

  /// What a resolution turns into when it expires; nil when it just goes.
  func next(after resolution: Resolution) -> Resolution? {
    switch resolution {
    case .raw: minute > .zero ? .minute : hour > .zero ? .hour : nil
    case .minute: hour > .zero ? .hour : nil
    case .hour: nil
    }
  }

  /// How much is rolled up at once (ms): a bucket chunk of about 120 buckets packs well, but a
  /// short retention must not become twice as long.
  func window(_ resolution: Resolution) -> Int64 {
    let longest: Int64 =
      switch resolution {
      case .raw: 2 * 3_600_000
      case .minute: 5 * 86_400_000
      case .hour: 5 * 86_400_000
      }
    return max(60_000, min(longest, duration(resolution).milliseconds / 4))
  }

  /// The blocks of one resolution to be rolled up or removed now, oldest first; empty when none is.
  ///
  /// - Parameter usedBytes: of the file, without free pages.
  func expired(
    at now: Timestamp, usedBytes: Int64, _ database: Database
  ) throws(StoreError) -> [StoredBlock] {
    let blocks = try StoredBlock.all(database).blocks
    for resolution in Resolution.allCases {
      let window = window(resolution)
      let oldest = now.milliseconds - duration(resolution).milliseconds
      let boundary = oldest >= 0 ? oldest / window * window : oldest
      let due = blocks.filter { $0.resolution == resolution && $0.end <= boundary }
      if !due.isEmpty { return together(due, window) }
    }
    guard usedBytes > bytesMax else { return [] }
    var excess: (resolution: Resolution, bytes: Int64)?
    for (resolution, eighths) in [(Resolution.raw, Int64(4)), (.minute, 3), (.hour, 1)] {
      let used = blocks.reduce(Int64(0)) {
        $0 + ($1.resolution == resolution ? Int64($1.bytes) : 0)
      }
      let over = used - bytesMax * eighths / 8
      if used > 0, over > excess?.bytes ?? .min { excess = (resolution, over) }
    }
    guard let excess else { return [] }
    // Only as many as it takes, and a little more, so that this need not be done every second.
    var toFree = max(excess.bytes, 0) + bytesMax / 32
    let candidates = blocks.filter { $0.resolution == excess.resolution }.sorted { $0.end < $1.end }
    var chosen: [StoredBlock] = []
    for block in candidates where toFree > 0 {
      chosen.append(block)
      toFree -= Int64(block.bytes)
    }
    return together(chosen, window(excess.resolution))
  }

  /// The oldest blocks that lie within one window: what makes chunks of a good length.
  private func together(_ blocks: [StoredBlock], _ window: Int64) -> [StoredBlock] {
    let ordered = blocks.sorted { $0.end < $1.end }
    guard let first = ordered.first else { return [] }
    return ordered.prefix { $0.end < first.end + window }.prefix(256).map { $0 }
  }
}
