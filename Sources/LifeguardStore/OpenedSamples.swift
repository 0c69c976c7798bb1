import LifeguardCore

/// A connection to `samples.db` that is ready, and what must be known to go on writing.
struct OpenedSamples {
  let database: Database
  let nextRow: Int64
  let nextID: Int
  let log: LogSize

  init(_ path: String, at now: Timestamp) throws(StoreError) {
    database = try Database(path: path)
    try database.prepare(
      synchronous: .normal, migrations: SampleSchema.migrations,
      pageBytes: SampleSchema.pageBytes)
    try OpenedSamples.completeSeries(database, at: now)
    // A whole check would read the whole file; damage elsewhere shows when it is read.
    let lastRow = try database.integer("SELECT max(id) FROM sample_row") ?? 0
    let lastBatch = try database.integer("SELECT max(id) FROM batch") ?? 0
    nextRow = max(lastRow, lastBatch) + 1
    nextID = Int(try database.integer("SELECT max(id) FROM series") ?? 0) + 1
    log = try LogSize(database)
    guard log.bytes > 0 else { return }
    let newest = Timestamp(milliseconds: log.newest)
    _ = try SampleReader.log(database, from: newest, through: newest) { _, _ in }
  }

  /// Series of the first version have no hash yet.
  private static func completeSeries(
    _ database: Database, at now: Timestamp
  ) throws(StoreError) {
    var missing: [(id: Int64, labels: Labels)] = []
    try database.query("SELECT id, labels FROM series WHERE hash IS NULL") {
      (row: Row) throws(StoreError) in
      missing.append(
        (row.integer(0), try SampleReader.labels(row.text(1), path: database.path)))
    }
    guard !missing.isEmpty else { return }
    try database.transaction { () throws(StoreError) in
      for series in missing {
        try database.run(
          "UPDATE series SET hash=?, seen=? WHERE id=?",
          .integer(SeriesCatalogue.hash(series.labels)), .integer(now.milliseconds),
          .integer(series.id))
      }
    }
  }
}
