import LifeguardCore

/// How much the log holds, and when it is time to fold it.
struct LogSize {
  private(set) var samples: Int
  private(set) var bytes: Int
  /// Milliseconds; `.max` when the log is empty.
  private(set) var oldest: Int64
  private(set) var newest: Int64

  /// Folding needs a quarter of these at once: 16 MiB.
  static let samplesMax = 4_000_000
  /// How much is folded at once, and how often: chunks of 600 samples at one a second.
  private static let spanMilliseconds: Int64 = 600_000
  /// Samples that come slowly wait up to an hour, so that a chunk has enough of them.
  private static let spanMillisecondsMax: Int64 = 3_600_000
  private static let samplesPerChunk = 120

  /// What the file says; samples are guessed from their bytes.
  init(_ database: Database) throws(StoreError) {
    oldest = .max
    newest = .min
    bytes = 0
    for table in ["sample_row", "batch"] {
      let time = table == "batch" ? "start" : "wall"
      let end = table == "batch" ? "end" : "wall"
      var found: (Int64, Int64, Int64)?
      try database.query(
        "SELECT min(\(time)), max(\(end)), sum(length(data)) FROM \(table)"
      ) { (row: Row) throws(StoreError) in
        if !row.isNull(0) { found = (row.integer(0), row.integer(1), row.integer(2)) }
      }
      guard let found else { continue }
      oldest = min(oldest, LogSize.bounded(found.0))
      newest = max(newest, LogSize.bounded(found.1))
      bytes += Int(found.2)
    }
    samples = bytes
  }

  mutating func add(samples: Int, bytes: Int, at wall: Int64) {
    self.samples += samples
    self.bytes += bytes
    oldest = min(oldest, wall)
    newest = max(newest, wall)
  }

  /// A file that was written before times were checked may hold any; folding leaves such samples
  /// out, and until then they must not spoil what is calculated here.
  static func bounded(_ time: Int64) -> Int64 {
    max(Timestamp.earliest.milliseconds, min(Timestamp.latest.milliseconds, time))
  }

  /// - Parameter series: how many share the samples.
  func isDue(at now: Timestamp, retention: Retention, series: Int) -> Bool {
    guard samples > 0 else { return false }
    if samples >= LogSize.samplesMax || Int64(bytes) >= retention.bytesMax / 8 { return true }
    // A clock that was set back must not put it off for ever.
    let age = max(now.milliseconds, newest) - oldest
    if age >= LogSize.spanMillisecondsMax { return true }
    return age >= LogSize.spanMilliseconds
      && samples >= LogSize.samplesPerChunk * max(series, 1)
  }

  /// Where to stop when there is far more than one fold's worth, as after an update from a version
  /// that did not fold; nil when all of it can go.
  func cutoff(_ database: Database) throws(StoreError) -> Int64? {
    let limit = oldest.addingReportingOverflow(LogSize.spanMillisecondsMax)
    guard !limit.overflow, newest > limit.partialValue else { return nil }
    var first: Int64?
    var walls = 0
    try database.query("SELECT first, wall FROM segment ORDER BY first") {
      (row: Row) throws(StoreError) in
      walls += 1
      if first == nil, walls > 1, row.integer(1) > oldest + LogSize.spanMilliseconds {
        first = row.integer(0)
      }
    }
    return first
  }
}
