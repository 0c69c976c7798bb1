/// The schema of `samples.db`, as the steps that led to it; append only.
enum SampleSchema {
  // A row's time has no index: `segment` has one entry for 60 rows, and its scan is short.
  static let migrations = [
    """
    CREATE TABLE series(id INTEGER PRIMARY KEY, born INTEGER NOT NULL, labels TEXT NOT NULL);
    CREATE TABLE segment(first INTEGER PRIMARY KEY, wall INTEGER NOT NULL);
    CREATE TABLE sample_row(id INTEGER PRIMARY KEY, wall INTEGER NOT NULL, data BLOB NOT NULL);
    """
  ]

  /// A row of 600 series takes about 900 bytes: four in a page of 4 KiB leave 12 % unused, nine in
  /// one of 8 KiB next to nothing, and a page a second is still little to write.
  static let pageBytes = 8192
  /// Rows in a segment: the first row of each costs about as much as ten others.
  static let segmentRows = 60
  /// A segment ends when it has lasted this long (ms), so that a time range names its segments.
  static let segmentMilliseconds: Int64 = 600_000
}
