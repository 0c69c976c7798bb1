import LifeguardCore

/// The reading half of `samples.db`.
enum SampleReader {
  static func text(_ labels: Labels) -> String {
    JSON.object(JSONObject(labels.map { ($0.name, .string($0.value)) })).text()
  }

  /// All series by their permanent numbers.
  static func catalogue(_ database: Database) throws(StoreError) -> [Int: Labels] {
    var catalogue: [Int: Labels] = [:]
    try database.query("SELECT id, labels FROM series") { (row: Row) throws(StoreError) in
      do throws(JSONError) {
        let members = try JSON.parse(row.text(1)).object?.members ?? []
        let labels = members.map { Label(name: $0.key, value: $0.value.string ?? "") }
        catalogue[Int(row.integer(0))] = Labels(labels)
      } catch {
        throw .corrupt(path: database.path, reason: "the labels of a series: \(error)")
      }
    }
    return catalogue
  }

  /// Hands over every row from `from` to `to`, both included, in the order of writing.
  static func rows(
    _ database: Database, from: Timestamp, to: Timestamp,
    each: (StoredRow) throws(StoreError) -> Void
  ) throws(StoreError) {
    var segments: [(first: Int64, end: Int64)] = []
    let sql = """
      SELECT first, wall, (SELECT min(first) FROM segment n WHERE n.first > s.first)
      FROM segment s WHERE wall > ? AND wall <= ? ORDER BY first
      """
    let values: [Database.Value] = [
      .integer(max(from.milliseconds, 0) - SampleSchema.segmentMilliseconds),
      .integer(to.milliseconds),
    ]
    try database.query(sql, values) { (row: Row) throws(StoreError) in
      segments.append((row.integer(0), row.isNull(2) ? .max : row.integer(2)))
    }
    // One statement for each segment: a long read must not hold the journal's checkpoint up.
    for segment in segments {
      var decoder = RowDecoder()
      try database.query(
        "SELECT wall, data FROM sample_row WHERE id >= ? AND id < ? ORDER BY id",
        [.integer(segment.first), .integer(segment.end)]
      ) { (row: Row) throws(StoreError) in
        let timestamp = Timestamp(milliseconds: row.integer(0))
        let samples: [(series: Int, value: Double)]
        do throws(RowDamage) { samples = try decoder.decode(row.blob(1)) } catch {
          throw .corrupt(path: database.path, reason: "a row cannot be decoded")
        }
        guard timestamp >= from, timestamp <= to else { return }
        try each(StoredRow(timestamp: timestamp, samples: samples))
      }
    }
  }
}
