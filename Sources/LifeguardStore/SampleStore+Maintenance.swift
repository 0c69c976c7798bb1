import LifeguardCore

/// Folding, rolling up and removing: one step after each row, so that no row waits long.
extension SampleStore {
  /// Free pages beyond this many (8 MiB) are given back to the file system.
  private static let freePagesMax: Int64 = 1024

  func maintain(at now: Timestamp) {
    if log.isDue(at: now, retention: settings.retention, series: catalogue.count) {
      fold()
      return
    }
    do throws(StoreError) {
      if rollup == nil { try plan(at: now) }
      if rollup != nil { try stepRollup() }
    } catch {
      trouble(error)
    }
  }

  /// Once a minute: what has expired, or takes too much room.
  private func plan(at now: Timestamp) throws(StoreError) {
    guard (now - lastTidied).milliseconds >= 60_000 || now < lastTidied else { return }
    let pages = try database.integer("PRAGMA page_count") ?? 0
    let free = try database.integer("PRAGMA freelist_count") ?? 0
    let pageSize = try database.integer("PRAGMA page_size") ?? 4096
    let due = try settings.retention.expired(
      at: now, usedBytes: (pages - free) * pageSize, database)
    guard let first = due.first else {
      lastTidied = now
      try pruneSeries()
      if free > SampleStore.freePagesMax { try database.execute("PRAGMA incremental_vacuum(512)") }
      return
    }
    // What is too old for the next resolution as well need not be rolled up.
    if let next = settings.retention.next(after: first.resolution),
      (now - settings.retention.duration(next)).milliseconds < due.map(\.end).max() ?? 0
    {
      rollup = try Rollup(due, to: next, database)
      return
    }
    try database.transaction { () throws(StoreError) in
      for block in due { try block.remove(database) }
    }
    statistics.retired += 1
  }

  private func stepRollup() throws(StoreError) {
    guard var current = rollup else { return }
    let (isDone, damaged) = try current.step(database)
    rollup = isDone ? nil : current
    statistics.damaged += damaged
    statistics.retired += 1
  }

  /// Series that ended before the oldest sample that is left.
  ///
  /// What the file says of a series' end may be a day old, so it gets a day more.
  private func pruneSeries() throws(StoreError) {
    let oldest = try database.integer("SELECT start FROM block ORDER BY start LIMIT 1") ?? .max
    let end = min(oldest, log.oldest) - SeriesCatalogue.seenMilliseconds
    var unused: [Int64] = []
    try database.query("SELECT id FROM series WHERE seen < ?", [.integer(end)]) {
      (row: Row) throws(StoreError) in
      if !catalogue.isActive(Int(row.integer(0))) { unused.append(row.integer(0)) }
    }
    guard !unused.isEmpty else { return }
    try database.transaction { () throws(StoreError) in
      for id in unused { try database.run("DELETE FROM series WHERE id=?", .integer(id)) }
      try database.run("UPDATE tally SET removals=removals+1")
    }
  }
}
