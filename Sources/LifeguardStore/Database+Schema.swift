extension Database {
  /// Sets the connection up and brings the schema to the newest version.
  ///
  /// - Parameters:
  ///   - migrations: the statements that lead from version n to n + 1, from 0 on.
  ///   - pageBytes: of a new file; each commit writes whole pages, each page wastes half a row.
  /// - Throws: `newerVersion` when the file is of a version beyond the last migration.
  func prepare(
    synchronous: Synchronous, migrations: [String], pageBytes: Int = 4096
  ) throws(StoreError) {
    let version = Int(try integer("PRAGMA user_version") ?? 0)
    guard version <= migrations.count else {
      throw .newerVersion(path: path, found: version, known: migrations.count)
    }
    // Only a file without tables takes it; lets pruning give pages back a few at a time.
    if version == 0 {
      try execute("PRAGMA page_size=\(pageBytes); PRAGMA auto_vacuum=INCREMENTAL")
    }
    try execute("PRAGMA journal_mode=WAL")
    try execute("PRAGMA synchronous=\(synchronous.rawValue)")
    // After a checkpoint the journal shrinks to at most 1 MiB, however large a burst made it.
    try execute("PRAGMA journal_size_limit=1048576")
    for next in migrations.indices.dropFirst(version) {
      try transaction { () throws(StoreError) in
        try execute(migrations[next])
        try execute("PRAGMA user_version=\(next + 1)")
      }
    }
  }
}
