import LifeguardCore

/// Makes buckets of blocks that have expired, some series at a time.
///
/// Each step is one transaction: the buckets of a few series come and what they were made of goes,
/// so at any moment every sample exists in one resolution only, and a killed agent goes on with the
/// series that are left.
struct Rollup {
  /// What is rolled up: all of one resolution.
  private var blocks: [StoredBlock]
  private var writer: BlockWriter
  /// The block of the same resolution before, whose last values show resets in between.
  private let previous: Int64?
  private var nextSeries: Int64 = 0

  /// A step decodes about this many samples: some tens of milliseconds.
  private static let stepSamples = 200_000
  private static let stepSeries = 200

  init(
    _ blocks: [StoredBlock], to resolution: Resolution, _ database: Database
  ) throws(StoreError) {
    self.blocks = blocks
    writer = try BlockWriter(database, resolution)
    let start = blocks.map(\.start).min() ?? 0
    previous = try database.integer(
      "SELECT id FROM block WHERE resolution=? AND end <= ? ORDER BY end DESC LIMIT 1",
      .integer(resolution.rawValue), .integer(start + resolution.rawValue))
  }

  /// Does the next series.
  ///
  /// - Returns: whether all are done, and how many damaged chunks were dropped.
  mutating func step(_ database: Database) throws(StoreError) -> (isDone: Bool, damaged: Int) {
    let series = try nextGroup(database)
    var next = self
    var damaged = 0
    try database.transaction { () throws(StoreError) in
      for id in series { damaged += try next.roll(Int(id), database) }
      try next.writer.finish()
      if let last = series.last {
        next.nextSeries = last + 1
        try next.noteMoved(database)
      } else {
        for block in blocks { try block.remove(database) }
      }
    }
    self = next
    return (series.isEmpty, damaged)
  }

  private func nextGroup(_ database: Database) throws(StoreError) -> [Int64] {
    let chunks = max(1, blocks.reduce(0) { $0 + $1.chunks })
    let samples = blocks.reduce(0) { $0 + $1.samples }
    let perSeries = max(1, samples / chunks) * blocks.count
    let limit = max(1, min(Rollup.stepSeries, Rollup.stepSamples / perSeries))
    var found: Set<Int64> = []
    for block in blocks {
      let first = SampleSchema.key(block.id, 0)
      try database.query(
        "SELECT key FROM chunk WHERE key >= ? AND key < ? ORDER BY key LIMIT ?",
        [
          .integer(first + nextSeries), .integer(first + SampleSchema.seriesMax),
          .integer(Int64(limit)),
        ]
      ) { (row: Row) throws(StoreError) in found.insert(row.integer(0) - first) }
    }
    return Array(found.sorted().prefix(limit))
  }

  /// - Returns: how many chunks were damaged.
  private mutating func roll(_ series: Int, _ database: Database) throws(StoreError) -> Int {
    var damaged = 0
    var downsampler = Downsampler(
      writer.info.resolution, previous: try lastValue(of: series, database))
    var samples: [Sample] = []
    for block in blocks {
      let key = SampleSchema.key(block.id, series)
      guard let (clockID, data) = try chunk(key, database) else { continue }
      guard Sealed.isSound(data, (key, Int64(clockID))),
        let clock = try SampleReader.clock(database, block: block.id, id: clockID)
      else {
        damaged += 1
        continue
      }
      if block.resolution == .raw {
        let isSound = RawChunk.decode(
          data, clock, after: Timestamp(milliseconds: .min / 2),
          through: Timestamp(milliseconds: .max / 2), into: &samples)
        if !isSound { damaged += 1 }
      } else if let (buckets, isCounter) = BucketChunk.decode(data, clock) {
        for bucket in buckets { downsampler.add(bucket, isCounter: isCounter) }
      } else {
        damaged += 1
      }
    }
    _ = samples.sortByTime()
    for sample in samples { downsampler.add(sample) }
    if !downsampler.buckets.isEmpty {
      try writer.write(series, downsampler.buckets, isCounter: downsampler.isCounter)
    }
    for block in blocks {
      try database.run(
        "DELETE FROM chunk WHERE key=?", .integer(SampleSchema.key(block.id, series)))
    }
    return damaged
  }

  private func chunk(
    _ key: Int64, _ database: Database
  ) throws(StoreError) -> (clock: Int, data: [UInt8])? {
    var found: (Int, [UInt8])?
    try database.query("SELECT clock, data FROM chunk WHERE key=?", [.integer(key)]) {
      (row: Row) throws(StoreError) in
      found = (Int(row.integer(0)), row.blob(1))
    }
    return found
  }

  private func lastValue(of series: Int, _ database: Database) throws(StoreError) -> Double? {
    guard let previous else { return nil }
    let key = SampleSchema.key(previous, series)
    guard let (clockID, data) = try chunk(key, database),
      Sealed.isSound(data, (key, Int64(clockID))),
      let clock = try SampleReader.clock(database, block: previous, id: clockID)
    else { return nil }
    return BucketChunk.decode(data, clock)?.buckets.last?.last
  }

  private mutating func noteMoved(_ database: Database) throws(StoreError) {
    for index in blocks.indices {
      blocks[index].moved = nextSeries
      try blocks[index].write(database)
    }
  }
}
