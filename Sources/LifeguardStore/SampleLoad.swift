import LifeguardCore

/// Fetches the chunks of some series in one go, within one read transaction.
struct SampleLoad {
  /// The interval wanted of one series (ms, open on the left).
  struct Want {
    var after: Int64
    var through: Int64
  }

  let database: Database
  let limits: ArchiveLimits
  /// Single samples only: what is down-sampled is left out.
  var rawOnly = false
  private(set) var damaged = 0
  private var samples = 0
  private var bytes = 0
  private var clocks: [Int: Clock] = [:]

  init(_ database: Database, _ limits: ArchiveLimits, rawOnly: Bool = false) {
    self.database = database
    self.limits = limits
    self.rawOnly = rawOnly
  }

  /// - Parameter wants: by slot of the index.
  mutating func series(
    _ index: SeriesIndex, _ wants: [Int32: Want]
  ) throws(ArchiveError) -> [Int32: StoredSource.Series] {
    guard wants.count <= limits.seriesMax else {
      throw .tooManySeries(limit: limits.seriesMax)
    }
    var loaded: [Int32: StoredSource.Series] = [:]
    var slotOfID: [Int: Int32] = [:]
    var interval = Want(after: .max, through: .min)
    for (slot, want) in wants {
      let entry = index.entries[Int(slot)]
      loaded[slot] = StoredSource.Series(labels: entry.labels, isRemote: entry.isRemote)
      for id in entry.ids { slotOfID[id] = slot }
      interval.after = min(interval.after, want.after)
      interval.through = max(interval.through, want.through)
    }
    guard !wants.isEmpty else { return [:] }
    do throws(StoreError) {
      try blocks(slotOfID, wants, interval, &loaded)
      try log(slotOfID, wants, interval, &loaded)
    } catch {
      throw .store(error)
    }
    try checkLimits()
    for slot in loaded.keys { loaded[slot]?.order() }
    return loaded
  }

  private var isOver: Bool {
    samples > limits.samplesMax || bytes > limits.bytesMax || Task.isCancelled
  }

  private func checkLimits() throws(ArchiveError) {
    if Task.isCancelled { throw .cancelled }
    if samples > limits.samplesMax { throw .tooManySamples(limit: limits.samplesMax) }
    if bytes > limits.bytesMax { throw .tooManyBytes(limit: limits.bytesMax) }
  }

  private mutating func blocks(
    _ slotOfID: [Int: Int32], _ wants: [Int32: Want], _ interval: Want,
    _ loaded: inout [Int32: StoredSource.Series]
  ) throws(StoreError) {
    let (blocks, missing) = try StoredBlock.all(database)
    damaged += missing
    for block in blocks
    where !(rawOnly && block.resolution != .raw)
      && block.overlaps(after: interval.after, through: interval.through)
    {
      if isOver { return }
      clocks = [:]
      guard let members = try block.members(database) else {
        damaged += block.chunks
        continue
      }
      let wanted = members.filter { id in
        guard let want = slotOfID[Int(id)].flatMap({ wants[$0] }) else { return false }
        return block.overlaps(after: want.after, through: want.through)
      }
      var found = 0
      // Reading a block through is faster than looking for more than a quarter of its chunks.
      if wanted.count * 4 > members.count {
        found = try scan(block, Set(wanted), slotOfID, wants, &loaded)
      } else {
        for id in wanted where !isOver {
          try database.query(
            "SELECT clock, data FROM chunk WHERE key=?",
            [.integer(SampleSchema.key(block.id, Int(id)))]
          ) { (row: Row) throws(StoreError) in
            found += 1
            try take(row, block, Int(id), slotOfID, wants, &loaded)
          }
        }
      }
      if !isOver { damaged += wanted.count - found }
    }
  }

  /// - Returns: how many chunks there were.
  private mutating func scan(
    _ block: StoredBlock, _ wanted: Set<Int64>, _ slotOfID: [Int: Int32],
    _ wants: [Int32: Want], _ loaded: inout [Int32: StoredSource.Series]
  ) throws(StoreError) -> Int {
    var found = 0
    let first = SampleSchema.key(block.id, 0)
    try database.query(
      "SELECT clock, data, key FROM chunk WHERE key >= ? AND key < ? ORDER BY key",
      [.integer(first), .integer(first + SampleSchema.seriesMax)]
    ) { (row: Row) throws(StoreError) in
      let id = row.integer(2) - first
      guard wanted.contains(id), !isOver else { return }
      found += 1
      try take(row, block, Int(id), slotOfID, wants, &loaded)
    }
    return found
  }

  private mutating func take(
    _ row: Row, _ block: StoredBlock, _ id: Int, _ slotOfID: [Int: Int32],
    _ wants: [Int32: Want], _ loaded: inout [Int32: StoredSource.Series]
  ) throws(StoreError) {
    guard let slot = slotOfID[id], let want = wants[slot] else { return }
    let clockID = Int(row.integer(0))
    let data = row.blob(1)
    guard Sealed.isSound(data, (SampleSchema.key(block.id, id), Int64(clockID))),
      let clock = try clock(clockID, of: block)
    else {
      damaged += 1
      return
    }
    let piece = StoredPiece(
      block: block.id, resolution: block.resolution, clock: clock, data: data)
    guard piece.matters(after: want.after, through: want.through) else { return }
    samples += clock.times.count
    bytes += data.count
    loaded[slot]?.pieces.append(piece)
  }

  private mutating func clock(_ id: Int, of block: StoredBlock) throws(StoreError) -> Clock? {
    if let known = clocks[id] { return known }
    guard let clock = try SampleReader.clock(database, block: block.id, id: id) else { return nil }
    clocks[id] = clock
    bytes += clock.times.count * 8
    return clock
  }

  private mutating func log(
    _ slotOfID: [Int: Int32], _ wants: [Int32: Want], _ interval: Want,
    _ loaded: inout [Int32: StoredSource.Series]
  ) throws(StoreError) {
    if isOver { return }
    var count = 0
    let room = limits.samplesMax - samples
    damaged += try SampleReader.log(
      database, from: Timestamp(milliseconds: interval.after + 1),
      through: Timestamp(milliseconds: interval.through)
    ) { id, sample in
      guard let slot = slotOfID[id], let want = wants[slot], count <= room,
        sample.timestamp.milliseconds > want.after, sample.timestamp.milliseconds <= want.through
      else { return }
      count += 1
      loaded[slot]?.tail.append(sample)
    }
    samples += count
  }
}

extension StoredSource.Series {
  /// Brings what was loaded into the order of time, and notes whether anything overlaps.
  fileprivate mutating func order() {
    pieces.sort {
      ($0.clock.start, $0.block) < ($1.clock.start, $1.block)
    }
    for index in tail.indices.dropFirst() where tail[index].timestamp <= tail[index - 1].timestamp {
      overlaps = true
    }
    if overlaps { _ = tail.sortByTime() }
    // Buckets are joined and cut where they meet, so only single samples must not repeat; the last
    // bucket may go on where samples begin.
    var newest = Int64.min
    for piece in pieces {
      if piece.resolution == .raw, piece.start <= newest { overlaps = true }
      newest = max(newest, piece.end - piece.resolution.milliseconds)
    }
    if let first = tail.first, first.timestamp.milliseconds <= newest { overlaps = true }
  }
}
