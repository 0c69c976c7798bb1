import LifeguardCore

/// A row of the table of blocks.
struct StoredBlock: Sendable {
  var id: Int64
  var resolution: Resolution
  /// Milliseconds: the times of the first and the last sample or bucket.
  var start = Int64.max
  var end = Int64.min
  var chunks = 0
  var samples = 0
  var bytes = 0
  /// The chunks of series below this number have been rolled up into another block.
  var moved: Int64 = 0

  /// The number of the entry among the clocks that lists the series of a block.
  static let members = -1

  init(id: Int64, resolution: Resolution) {
    self.id = id
    self.resolution = resolution
  }

  /// nil when the row is damaged.
  init?(_ row: Row) {
    guard let resolution = Resolution(rawValue: row.integer(1)) else { return nil }
    self.init(id: row.integer(0), resolution: resolution)
    (start, end) = (row.integer(2), row.integer(3))
    chunks = Int(row.integer(4))
    samples = Int(row.integer(5))
    bytes = Int(row.integer(6))
    moved = row.integer(7)
    guard row.integer(8) == checksum else { return nil }
  }

  private var checksum: Int64 {
    Int64(
      Checksum(
        id, resolution.rawValue, start, end, Int64(chunks), Int64(samples), Int64(bytes), moved
      ).value)
  }

  /// Writes the row, over the one before.
  func write(_ database: Database) throws(StoreError) {
    try database.run(
      "INSERT OR REPLACE INTO block VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", .integer(id),
      .integer(resolution.rawValue), .integer(start), .integer(end), .integer(Int64(chunks)),
      .integer(Int64(samples)), .integer(Int64(bytes)), .integer(moved), .integer(checksum))
    try StoredBlock.count(database)
  }

  /// Keeps the number of blocks beside them, so that one that is lost is missed.
  private static func count(_ database: Database) throws(StoreError) {
    try database.run("UPDATE tally SET blocks=(SELECT count(*) FROM block)")
  }

  /// Removes a block and all that is left in it.
  func remove(_ database: Database) throws(StoreError) {
    let first = SampleSchema.key(id, 0)
    try database.run(
      "DELETE FROM chunk WHERE key >= ? AND key < ?", .integer(first),
      .integer(first + SampleSchema.seriesMax))
    try database.run("DELETE FROM clock WHERE block=?", .integer(id))
    try database.run("DELETE FROM block WHERE id=?", .integer(id))
    try StoredBlock.count(database)
  }

  /// Every block in order of its start, and how many are damaged or missing.
  static func all(
    _ database: Database
  ) throws(StoreError) -> (blocks: [StoredBlock], damaged: Int) {
    var blocks: [StoredBlock] = []
    try database.query(
      """
      SELECT id, resolution, start, end, chunks, samples, bytes, moved, checksum
      FROM block ORDER BY id
      """
    ) { (row: Row) throws(StoreError) in
      if let block = StoredBlock(row) { blocks.append(block) }
    }
    let known = Int(try database.integer("SELECT blocks FROM tally") ?? 0)
    let damaged = abs(known - blocks.count)
    blocks.sort { ($0.start, $0.id) < ($1.start, $1.id) }
    return (blocks, damaged)
  }

  /// The series that have a chunk, ascending; nil when that is damaged.
  func members(_ database: Database) throws(StoreError) -> [Int64]? {
    guard
      let list = try SampleReader.clock(database, block: id, id: StoredBlock.members),
      list.times.count == chunks
    else { return nil }
    return list.times.map(\.milliseconds).filter { $0 >= moved }
  }

  /// Whether it may hold samples in `(after, through]`, or the bucket before, which a counter
  /// needs.
  func overlaps(after: Int64, through: Int64) -> Bool {
    end + resolution.milliseconds > after && start - resolution.milliseconds <= through
  }
}
