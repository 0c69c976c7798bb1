import LifeguardCore

/// Writes one block, a series at a time, within somebody's transaction.
struct BlockWriter {
  let database: Database
  private(set) var info: StoredBlock
  /// The series written, ascending.
  private var members: [Sample] = []
  private var clocks: [Int: [(id: Int, samples: [Sample])]] = [:]
  private var clockCount = 0

  /// No chunk has more samples than this, whatever is folded at once.
  static let samplesMax = 16_384

  /// A block that does not exist yet.
  ///
  /// - Parameter other: a block that is being written and not known to readers yet.
  init(
    _ database: Database, _ resolution: Resolution, after other: Int64 = 0
  ) throws(StoreError) {
    self.database = database
    info = StoredBlock(
      id: max(try SampleReader.nextBlock(database), other + 1), resolution: resolution)
  }

  /// Writes a series' samples, oldest first and each time once; series come in ascending order.
  mutating func write(_ series: Int, _ samples: [Sample]) throws(StoreError) {
    let clock = try clock(of: samples)
    let key = SampleSchema.key(info.id, series)
    let data = RawChunk.encode(samples, key: key, clock: clock)
    try insert(series, clock, data, count: samples.count)
  }

  /// Writes a series' buckets, oldest first.
  mutating func write(
    _ series: Int, _ buckets: [Bucket], isCounter: Bool
  ) throws(StoreError) {
    let clock = try clock(
      of: buckets.map { Sample(timestamp: Timestamp(milliseconds: $0.end), value: 0) })
    let key = SampleSchema.key(info.id, series)
    let data = BucketChunk.encode(buckets, isCounter: isCounter, key: key, clock: clock)
    try insert(series, clock, data, count: buckets.count)
  }

  /// Makes what was written known to readers; more may follow.
  func finish() throws(StoreError) {
    guard info.chunks > 0 else { return }
    let list = Clock.encode(members, block: info.id, id: StoredBlock.members)
    try database.run(
      "INSERT OR REPLACE INTO clock VALUES(?, ?, ?)", .integer(info.id),
      .integer(Int64(StoredBlock.members)), .blob(list))
    try info.write(database)
  }

  private mutating func insert(
    _ series: Int, _ clock: Int, _ data: [UInt8], count: Int
  ) throws(StoreError) {
    try database.run(
      "INSERT INTO chunk VALUES(?, ?, ?)", .integer(SampleSchema.key(info.id, series)),
      .integer(Int64(clock)), .blob(data))
    members.append(Sample(timestamp: Timestamp(milliseconds: Int64(series)), value: 0))
    info.chunks += 1
    info.samples += count
    info.bytes += data.count
  }

  /// The number of the clock with these times; series that were collected together share one.
  private mutating func clock(of samples: [Sample]) throws(StoreError) -> Int {
    var hasher = Hasher()
    hasher.combine(samples.count)
    for sample in samples { hasher.combine(sample.timestamp.milliseconds) }
    let hash = hasher.finalize()
    if let known = clocks[hash]?.first(where: { $0.samples.hasTimes(of: samples) }) {
      return known.id
    }
    let id = clockCount
    clockCount += 1
    clocks[hash, default: []].append((id, samples))
    info.start = min(info.start, samples[0].timestamp.milliseconds)
    info.end = max(info.end, samples[samples.count - 1].timestamp.milliseconds)
    let data = Clock.encode(samples, block: info.id, id: id)
    try database.run(
      "INSERT INTO clock VALUES(?, ?, ?)", .integer(info.id), .integer(Int64(id)), .blob(data))
    info.bytes += data.count
    return id
  }
}

extension [Sample] {
  fileprivate func hasTimes(of other: [Sample]) -> Bool {
    guard count == other.count else { return false }
    for index in indices where self[index].timestamp != other[index].timestamp { return false }
    return true
  }

  /// In order of time, each time once: the sample that came first stays, as Prometheus keeps it.
  ///
  /// - Returns: how many samples gave way to another one of their time and another value.
  mutating func sortByTime() -> Int {
    var isSorted = true
    for index in indices.dropFirst() where self[index].timestamp <= self[index - 1].timestamp {
      isSorted = false
      break
    }
    if isSorted { return 0 }
    let ordered = enumerated().sorted {
      ($0.element.timestamp, $0.offset) < ($1.element.timestamp, $1.offset)
    }
    var conflicts = 0
    removeAll(keepingCapacity: true)
    for (_, sample) in ordered {
      if let last, last.timestamp == sample.timestamp {
        if last.value.bitPattern != sample.value.bitPattern { conflicts += 1 }
      } else {
        append(sample)
      }
    }
    return conflicts
  }
}
