import LifeguardCore

/// What `samples.db` holds, and how much room it takes.
public struct StoredStatistics: Sendable, Codable {
  /// The blocks of one resolution.
  public struct Tier: Sendable, Codable {
    /// `raw`, `1m` or `1h`.
    public var resolution: String
    public var blocks: Int
    public var chunks: Int
    /// Samples, or buckets.
    public var samples: Int
    /// Packed, without SQLite's own.
    public var bytes: Int
    /// Milliseconds since the epoch; nil without blocks.
    public var oldest: Int64?
    public var newest: Int64?
  }

  public var series: Int
  /// Of these, written from elsewhere.
  public var remoteSeries: Int
  public var tiers: [Tier]
  /// Rows and batches that are not folded yet, and their bytes.
  public var logEntries: Int
  public var logBytes: Int
  /// Milliseconds since the epoch; nil when the log is empty.
  public var logOldest: Int64?
  public var logNewest: Int64?
  /// The file without free pages, and with them.
  public var usedBytes: Int64
  public var fileBytes: Int64

  /// From the oldest to the newest sample; nil when there is none.
  public var interval: (oldest: Timestamp, newest: Timestamp)? {
    let starts = tiers.compactMap(\.oldest) + (logOldest.map { [$0] } ?? [])
    let ends = tiers.compactMap(\.newest) + (logNewest.map { [$0] } ?? [])
    guard let oldest = starts.min(), let newest = ends.max() else { return nil }
    return (Timestamp(milliseconds: oldest), Timestamp(milliseconds: newest))
  }

  init(_ database: Database) throws(StoreError) {
    series = Int(try database.integer("SELECT count(*) FROM series") ?? 0)
    remoteSeries = Int(
      try database.integer("SELECT count(*) FROM series WHERE remote != 0") ?? 0)
    tiers = Resolution.allCases.map {
      Tier(resolution: $0.name, blocks: 0, chunks: 0, samples: 0, bytes: 0)
    }
    for block in try StoredBlock.all(database).blocks {
      guard let index = Resolution.allCases.firstIndex(of: block.resolution) else { continue }
      tiers[index].blocks += 1
      tiers[index].chunks += block.chunks
      tiers[index].samples += block.samples
      tiers[index].bytes += block.bytes
      tiers[index].oldest = min(tiers[index].oldest ?? .max, block.start)
      tiers[index].newest = max(tiers[index].newest ?? .min, block.end)
    }
    let log = try LogSize(database)
    let rows = try database.integer("SELECT count(*) FROM sample_row") ?? 0
    let batches = try database.integer("SELECT count(*) FROM batch") ?? 0
    logEntries = Int(rows + batches)
    logBytes = log.bytes
    if logEntries > 0 { (logOldest, logNewest) = (log.oldest, log.newest) }
    let pages = try database.integer("PRAGMA page_count") ?? 0
    let free = try database.integer("PRAGMA freelist_count") ?? 0
    let pageSize = try database.integer("PRAGMA page_size") ?? 0
    usedBytes = (pages - free) * pageSize
    fileBytes = pages * pageSize
  }
}
