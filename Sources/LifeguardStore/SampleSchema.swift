/// The schema of `samples.db`, as the steps that led to it; append only.
///
/// ```
/// series      id ─ labels, where they come from      one for each label set
/// segment     first row of a run that is decoded in order
/// sample_row  all samples of one second              ┐ the log: durable at once,
/// batch       samples at times of their own          ┘ folded every ten minutes
/// block       resolution, interval                   one for each fold, import or roll-up
/// clock       the times that many chunks share; number −1: the series that have a chunk
/// chunk       one series' samples in one block, packed
/// tally       how many blocks there are, and how often series were removed
/// ```
enum SampleSchema {
  // A row's time has no index: `segment` has one entry for 60 rows, and its scan is short.
  static let migrations = [
    """
    CREATE TABLE series(id INTEGER PRIMARY KEY, born INTEGER NOT NULL, labels TEXT NOT NULL);
    CREATE TABLE segment(first INTEGER PRIMARY KEY, wall INTEGER NOT NULL);
    CREATE TABLE sample_row(id INTEGER PRIMARY KEY, wall INTEGER NOT NULL, data BLOB NOT NULL);
    """,
    // A chunk's key is its block times 2^31 plus its series: with a rowid, chunks of up to a page
    // stay whole; in a table without one, those of more than a quarter page would not.
    """
    ALTER TABLE series ADD COLUMN hash INTEGER;
    ALTER TABLE series ADD COLUMN remote INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE series ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX series_hash ON series(hash);
    ALTER TABLE sample_row ADD COLUMN checksum INTEGER;
    CREATE TABLE batch(
      id INTEGER PRIMARY KEY, start INTEGER NOT NULL, end INTEGER NOT NULL, data BLOB NOT NULL);
    CREATE TABLE block(
      id INTEGER PRIMARY KEY, resolution INTEGER NOT NULL, start INTEGER NOT NULL,
      end INTEGER NOT NULL, chunks INTEGER NOT NULL, samples INTEGER NOT NULL,
      bytes INTEGER NOT NULL, moved INTEGER NOT NULL, checksum INTEGER NOT NULL);
    CREATE TABLE clock(
      block INTEGER NOT NULL, id INTEGER NOT NULL, data BLOB NOT NULL,
      PRIMARY KEY(block, id)) WITHOUT ROWID;
    CREATE TABLE chunk(key INTEGER PRIMARY KEY, clock INTEGER NOT NULL, data BLOB NOT NULL);
    CREATE TABLE tally(
      id INTEGER PRIMARY KEY CHECK(id = 1), blocks INTEGER NOT NULL, removals INTEGER NOT NULL);
    INSERT INTO tally VALUES(1, 0, 0);
    """,
  ]

  /// A row of 600 series takes about 900 bytes: four in a page of 4 KiB leave 12 % unused, nine in
  /// one of 8 KiB next to nothing, and a page a second is still little to write.
  static let pageBytes = 8192
  /// Rows in a segment: the first row of each costs about as much as ten others.
  static let segmentRows = 60
  /// A segment ends when it has lasted this long (ms), so that a time range names its segments.
  static let segmentMilliseconds: Int64 = 600_000
  /// Permanent numbers of series stay below this: they share a chunk's key with its block.
  static let seriesMax: Int64 = 1 << 31

  /// - Throws: when a file that is only read is of another version.
  static func check(_ database: Database) throws(StoreError) {
    let version = Int(try database.integer("PRAGMA user_version") ?? 0)
    if version > migrations.count {
      throw .newerVersion(path: database.path, found: version, known: migrations.count)
    }
    if version < migrations.count { throw .olderVersion(path: database.path, found: version) }
  }

  static func key(_ block: Int64, _ series: Int) -> Int64 { block * seriesMax + Int64(series) }
}
