import Glibc
import LifeguardCore

/// Reads samples beside the `SampleStore`, on a connection and a thread of its own.
///
/// What a question needs is copied out, packed, in one read transaction; whoever asked decodes it
/// elsewhere. Readers in WAL mode neither wait for the writer nor make it wait.
public actor SampleArchive {
  private let thread = DedicatedThread()
  private let path: String
  private var connection: (database: Database, inode: UInt)?
  private var index = SeriesIndex()

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    thread.asUnownedSerialExecutor()
  }

  /// Opens `samples.db` at the first question.
  public init(path: String) { self.path = path }

  /// All that a query reads from the disk when it is evaluated from `start` to `end`.
  ///
  /// - Throws: `ArchiveError` when it is more than the limits allow, the task was cancelled, or the
  ///   file cannot be read.
  public func source(
    for query: Query, from start: Timestamp, to end: Timestamp, step: Duration = .zero,
    options: QueryOptions = QueryOptions(), limits: ArchiveLimits = ArchiveLimits()
  ) throws(ArchiveError) -> StoredSource {
    let reads = query.reads(from: start, to: end, step: step, options: options)
    return try load(limits) {
      (load: inout SampleLoad, index: SeriesIndex)
        throws(ArchiveError) -> StoredSource in
      var wants: [Int32: SampleLoad.Want] = [:]
      var matched: [[Int32]] = []
      for read in reads {
        let slots = index.select(read.matchers)
        matched.append(slots)
        for slot in slots {
          let after = read.after.milliseconds
          let through = read.through.milliseconds
          var want = wants[slot] ?? SampleLoad.Want(after: after, through: through)
          want.after = min(want.after, after)
          want.through = max(want.through, through)
          wants[slot] = want
        }
      }
      let loaded = try load.series(index, wants)
      return StoredSource.compact(
        loaded, query: query, reads: reads, matched: matched, damaged: load.damaged)
    }
  }

  /// The label sets of series that match one of the selectors and have samples in the interval.
  ///
  /// - Parameter limit: no more than these; `truncated` says that there are others.
  public func labels(
    matching selectors: [[Matcher]], from: Timestamp, to: Timestamp, limit: Int = 200_000
  ) throws(ArchiveError) -> (labels: [Labels], truncated: Bool) {
    try load(ArchiveLimits(samplesMax: .max)) {
      (load: inout SampleLoad, index: SeriesIndex)
        throws(ArchiveError) -> (labels: [Labels], truncated: Bool) in
      var slots: Set<Int32> = []
      for matchers in selectors { slots.formUnion(index.select(matchers)) }
      var ids: Set<Int> = []
      for slot in slots { ids.formUnion(index.entries[Int(slot)].ids) }
      let alive = try load.alive(ids, after: from - .milliseconds(1), through: to)
      let found = slots.filter { slot in
        index.entries[Int(slot)].ids.contains { alive.contains($0) }
      }
      let labels = found.map { index.entries[Int($0)].labels }.sorted()
      return (Array(labels.prefix(limit)), labels.count > limit)
    }
  }

  /// The single samples from `from` to `to`, both included, of the series that `matching` picks.
  ///
  /// - Parameter samplesMax: reading stops with `truncated` set when an answer would be larger;
  ///   16 bytes of memory each.
  public func read(
    from: Timestamp, to: Timestamp, samplesMax: Int = 1_000_000,
    where matching: @Sendable (Labels) -> Bool = { _ in true }
  ) throws(StoreError) -> (series: [StoredSeries], truncated: Bool) {
    do throws(ArchiveError) {
      let limits = ArchiveLimits(samplesMax: .max, bytesMax: .max, seriesMax: .max)
      return try load(limits, rawOnly: true) {
        (load: inout SampleLoad, index: SeriesIndex)
          throws(ArchiveError) -> (series: [StoredSeries], truncated: Bool) in
        var wants: [Int32: SampleLoad.Want] = [:]
        let want = SampleLoad.Want(after: from.milliseconds - 1, through: to.milliseconds)
        for slot in index.all where matching(index.entries[Int(slot)].labels) {
          wants[slot] = want
        }
        let loaded = try load.series(index, wants)
        return StoredSource.compact(loaded, damaged: load.damaged)
          .all(after: from - .milliseconds(1), through: to, samplesMax: samplesMax)
      }
    } catch {
      switch error {
      case .store(let error): throw error
      // Nobody waits for the answer any more.
      case .cancelled, .tooManySamples, .tooManyBytes, .tooManySeries: return ([], true)
      }
    }
  }

  /// What the file holds, and how much room it takes.
  public func statistics() throws(StoreError) -> StoredStatistics {
    try StoredStatistics(try database())
  }

  /// Runs `body` in a read transaction, so that a fold meanwhile neither hides nor doubles
  /// anything.
  private func load<Answer>(
    _ limits: ArchiveLimits, rawOnly: Bool = false,
    _ body: (inout SampleLoad, SeriesIndex) throws(ArchiveError) -> Answer
  ) throws(ArchiveError) -> Answer {
    let database: Database
    do throws(StoreError) {
      database = try self.database()
      try database.execute("BEGIN")
    } catch {
      throw .store(error)
    }
    // Nothing was written, so how the transaction ends does not matter.
    defer { try? database.execute("COMMIT") }
    do throws(StoreError) { try index.refresh(database) } catch { throw .store(error) }
    var load = SampleLoad(database, limits, rawOnly: rawOnly)
    return try body(&load, index)
  }

  /// Opens the file again when another has taken its place.
  private func database() throws(StoreError) -> Database {
    var status = stat()
    let inode = stat(path, &status) == 0 ? status.st_ino : 0
    if let connection, connection.inode == inode { return connection.database }
    let opened = try Database(path: path, readOnly: true)
    try SampleSchema.check(opened)
    index = SeriesIndex()
    connection = (opened, inode)
    return opened
  }
}

extension StoredSource {
  /// Leaves out what has no samples, and renumbers what is left.
  static func compact(
    _ loaded: [Int32: Series], query: Query? = nil, reads: [SelectorRead] = [],
    matched: [[Int32]] = [], damaged: Int
  ) -> StoredSource {
    var slots: [Int32: Int32] = [:]
    var series: [Series] = []
    for slot in loaded.keys.sorted() {
      guard let one = loaded[slot], !one.pieces.isEmpty || !one.tail.isEmpty else { continue }
      slots[slot] = Int32(series.count)
      series.append(one)
    }
    return StoredSource(
      series: series, query: query, reads: reads,
      matched: matched.map { $0.compactMap { slots[$0] } }, damaged: damaged)
  }

  /// Every series with its samples, sorted by labels.
  func all(
    after: Timestamp, through: Timestamp, samplesMax: Int, use: SampleUse = .last
  ) -> (series: [StoredSeries], truncated: Bool) {
    var found: [StoredSeries] = []
    var room = samplesMax
    let ordered = series.indices.sorted { series[$0].labels < series[$1].labels }
    for index in ordered {
      var samples: [Sample] = []
      collect(
        plain(index, use), after: after, through: through, into: &samples)
      if samples.isEmpty { continue }
      let isTooMany = samples.count > room
      if isTooMany { samples.removeSubrange(room...) }
      room -= samples.count
      found.append(
        StoredSeries(
          labels: series[index].labels, samples: samples, isRemote: series[index].isRemote))
      if isTooMany { return (found, true) }
    }
    return (found, false)
  }
}

extension SampleLoad {
  /// Which of the series have samples in `(after, through]`, by permanent number.
  func alive(
    _ ids: Set<Int>, after: Timestamp, through: Timestamp
  ) throws(ArchiveError) -> Set<Int> {
    var missing = ids
    do throws(StoreError) {
      _ = try SampleReader.log(
        database, from: after + .milliseconds(1), through: through
      ) { id, _ in missing.remove(id) }
      for block in try StoredBlock.all(database).blocks
      where block.overlaps(after: after.milliseconds, through: through.milliseconds)
        && !missing.isEmpty && !Task.isCancelled
      {
        for id in try block.members(database) ?? [] { missing.remove(Int(id)) }
      }
    } catch {
      throw .store(error)
    }
    if Task.isCancelled { throw .cancelled }
    return ids.subtracting(missing)
  }
}
