import LifeguardCore

/// The reading half of `samples.db`: what writer, archive and commands have in common.
enum SampleReader {
  static func text(_ labels: Labels) -> String {
    JSON.object(JSONObject(labels.map { ($0.name, .string($0.value)) })).text()
  }

  /// What `text` wrote.
  static func labels(_ text: String, path: String) throws(StoreError) -> Labels {
    do throws(JSONError) {
      let members = try JSON.parse(text).object?.members ?? []
      return Labels(members.map { Label(name: $0.key, value: $0.value.string ?? "") })
    } catch {
      throw .corrupt(path: path, reason: "the labels of a series: \(error)")
    }
  }

  /// The number for the next block.
  static func nextBlock(_ database: Database) throws(StoreError) -> Int64 {
    (try database.integer("SELECT max(id) FROM block") ?? 0) + 1
  }

  /// Hands over what the log holds of an interval, rows first, each part in the order of writing;
  /// without one, everything within the bounds of time.
  ///
  /// - Parameter cutoff: only rows and batches with smaller numbers.
  /// - Returns: how many parts could not be decoded: a batch, or a segment from its damaged row on.
  static func log(
    _ database: Database, before cutoff: Int64 = .max,
    from: Timestamp = .earliest, through: Timestamp = .latest, each: (Int, Sample) -> Void
  ) throws(StoreError) -> Int {
    // Rows before the first segment belong to one that is lost.
    var damaged =
      try database.integer(
        "SELECT 1 FROM sample_row WHERE id < (SELECT coalesce(min(first), 1 << 62) FROM segment)"
          + " LIMIT 1") == nil ? 0 : 1
    for segment in try segments(database, before: cutoff, from: from, through: through) {
      var decoder = RowDecoder()
      var isSound = true
      var previous: Int64 = 0
      try database.query(
        "SELECT wall, data, checksum, id FROM sample_row WHERE id >= ? AND id < ? ORDER BY id",
        [.integer(segment.first), .integer(segment.end)]
      ) { (row: Row) throws(StoreError) in
        guard isSound else { return }
        let wall = row.integer(0)
        let data = row.blob(1)
        do throws(RowDamage) {
          // Rows of the first version have no checksum.
          let id = row.integer(3)
          let checksum = checksum(ofRow: id, after: previous, wall, data)
          if !row.isNull(2), row.integer(2) != checksum { throw RowDamage() }
          previous = id
          let time = Timestamp(milliseconds: wall)
          let samples = try decoder.decode(data)
          guard time >= from, time <= through else { return }
          for sample in samples {
            each(sample.series, Sample(timestamp: time, value: sample.value))
          }
        } catch {
          isSound = false
          damaged += 1
        }
      }
    }
    try database.query(
      "SELECT id, data FROM batch WHERE id < ? AND end >= ? AND start <= ? ORDER BY id",
      [.integer(cutoff), .integer(from.milliseconds), .integer(through.milliseconds)]
    ) { (row: Row) throws(StoreError) in
      do throws(RowDamage) {
        try BatchCoding.decode(row.blob(1), id: row.integer(0)) { id, sample in
          if sample.timestamp >= from, sample.timestamp <= through { each(id, sample) }
        }
      } catch {
        damaged += 1
      }
    }
    return damaged
  }

  /// - Parameter previous: the row before in the segment, 0 for the first: the rows of a segment
  /// are   decoded one after the other, so none may be missing.
  static func checksum(
    ofRow id: Int64, after previous: Int64, _ wall: Int64, _ data: [UInt8]
  ) -> Int64 {
    var sum = Checksum(id, previous, wall)
    sum.add(data)
    return Int64(sum.value)
  }

  private static func segments(
    _ database: Database, before cutoff: Int64, from: Timestamp, through: Timestamp
  ) throws(StoreError) -> [(first: Int64, end: Int64)] {
    var segments: [(first: Int64, end: Int64)] = []
    let sql = """
      SELECT first, (SELECT min(first) FROM segment n WHERE n.first > s.first)
      FROM segment s WHERE first < ? AND wall > ? AND wall <= ? ORDER BY first
      """
    let values: [Database.Value] = [
      .integer(cutoff), .integer(from.milliseconds - SampleSchema.segmentMilliseconds),
      .integer(through.milliseconds),
    ]
    try database.query(sql, values) { (row: Row) throws(StoreError) in
      segments.append((row.integer(0), row.isNull(1) ? cutoff : min(cutoff, row.integer(1))))
    }
    return segments
  }

  /// A clock of a block; nil when it is missing or damaged.
  static func clock(_ database: Database, block: Int64, id: Int) throws(StoreError) -> Clock? {
    var clock: Clock?
    try database.query(
      "SELECT data FROM clock WHERE block=? AND id=?", [.integer(block), .integer(Int64(id))]
    ) { (row: Row) throws(StoreError) in
      clock = Clock.decode(row.blob(0), block: block, id: id)
    }
    return clock
  }
}
