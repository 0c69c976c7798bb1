import Glibc
import LifeguardCore

/// The samples on disk: what refills memory at a start and answers for long ranges.
///
/// ```
/// rows, batches ─▶ log ─(ten minutes)─▶ chunks ─(a day)─▶ minutes ─(30 days)─▶ hours ─(a year)─▶ ∅
/// ```
///
/// SQLite in WAL mode with synchronous=NORMAL, in a file and on a thread of its own, so that it
/// never delays `StateStore`. Disposable: a damaged file is set aside and a new one begun. A
/// killed agent loses at most the rows that `run` had not taken yet; a crash of the machine those
/// since the last checkpoint, a few minutes.
public actor SampleStore {
  public struct Settings: Sendable {
    /// How long samples are kept, in which resolution, and how large the file may grow.
    public var retention: Retention
    /// No more series than this are written at a time; the next one is refused and counted.
    public var seriesMax: Int

    public init(retention: Retention = Retention(), seriesMax: Int = 1_000_000) {
      self.retention = retention
      self.seriesMax = seriesMax
    }
  }

  /// What has happened since the start.
  public struct Statistics: Sendable {
    public var rows = 0
    public var samples = 0
    /// Encoded bytes of the log, without SQLite's own.
    public var bytes = 0
    /// Rows and batches that could not be written.
    public var rowsLost = 0
    /// Samples of batches that were older than the newest one of their series.
    public var outOfOrder = 0
    /// Samples at a time that their series already had.
    public var duplicates = 0
    /// Samples at a time that no clock shows.
    public var outOfBounds = 0
    /// Series beyond the limit, and samples whose series nobody had introduced.
    public var refusedSeries = 0
    public var unknownSamples = 0
    /// Samples folded into chunks.
    public var folded = 0
    /// Steps in which samples were rolled up or removed.
    public var retired = 0
    /// Rows, batches and chunks that were found damaged and dropped.
    public var damaged = 0
    /// Nil after a row that was written.
    public var failure: StoreError?
    /// Where the last damaged file went.
    public var setAside: String?

    /// Nothing has happened yet.
    public init() {}
  }

  /// Rows that wait for the disk: two minutes.
  public static let queueMax = 120

  public internal(set) var statistics = Statistics()
  /// For whoever must not wait for the disk.
  private nonisolated let report = SampleReport()
  private let thread = DedicatedThread()
  private let directory: DataDirectory
  let settings: Settings
  private nonisolated let queue = SampleQueue(rowsMax: SampleStore.queueMax)

  var database: Database
  private var encoder = RowEncoder()
  private var segmentStart: Int64 = 0
  /// The row before in the segment.
  private var previousRow: Int64 = 0
  private var nextRow: Int64
  var catalogue: SeriesCatalogue
  /// What the log holds; an estimate after a start.
  var log: LogSize
  var rollup: Rollup?
  var lastTidied = Timestamp(milliseconds: .min / 2)

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    thread.asUnownedSerialExecutor()
  }

  /// Opens or creates `samples.db`.
  ///
  /// - Throws: `newerVersion` and whatever keeps the file from being opened or written.
  public init(
    in directory: DataDirectory, now: Timestamp, settings: Settings = Settings()
  ) throws(StoreError) {
    self.directory = directory
    self.settings = settings
    let path = directory.file("samples.db")
    var opened: OpenedSamples
    do throws(StoreError) {
      opened = try OpenedSamples(path, at: now)
    } catch {
      guard case .corrupt = error else { throw error }
      statistics.setAside = try SampleStore.replace(path, at: now)
      opened = try OpenedSamples(path, at: now)
    }
    database = opened.database
    nextRow = opened.nextRow
    catalogue = SeriesCatalogue(nextID: opened.nextID)
    log = opened.log
    report.take(statistics)
  }

  /// The statistics as they were after the newest row or batch; nothing is waited for.
  public nonisolated var lastStatistics: Statistics { report.statistics }

  /// How many series are written at a time.
  public nonisolated var seriesMax: Int { settings.seriesMax }

  /// Hands a row over without waiting.
  ///
  /// - Returns: false when the queue is full, because the disk hangs: the row is lost, and the
  ///   series that it introduced must be introduced again.
  public nonisolated func offer(_ row: SampleRow) -> Bool { queue.offer(row) }

  /// The same for samples at times of their own; false means the same as well.
  public nonisolated func offer(_ batch: SampleBatch) -> Bool { queue.offer(batch) }

  /// Writes what was offered until the task is cancelled or `finish` was called.
  public func run() async {
    for await entry in queue.entries {
      queue.took(entry)
      switch entry {
      case .row(let row): append(row)
      case .batch(let batch): append(batch)
      }
    }
  }

  /// Lets `run` return once it has written what was offered before.
  public nonisolated func finish() { queue.finish() }

  /// Writes one row; failures are counted in `statistics` and never thrown, for memory has it too.
  public func append(_ row: SampleRow) {
    defer { report.take(statistics) }
    for entry in row.introduced where hasRoom() {
      catalogue.introduce(entry.series, entry.labels, database)
    }
    do throws(StoreError) {
      statistics.failure = nil
      try write(row)
    } catch {
      lose(error, at: row.timestamp)
    }
    for series in row.ended { catalogue.end(series) }
    // A clock that is out of its mind says nothing about what has expired.
    if row.timestamp.isWithinBounds { maintain(at: row.timestamp) }
  }

  /// Writes one batch. Of its samples those that are newer than all before of their series are
  /// kept, as Prometheus does; the others are counted.
  public func append(_ batch: SampleBatch) {
    defer { report.take(statistics) }
    for entry in batch.introduced where hasRoom() {
      catalogue.introduce(
        entry.reference, entry.labels, isRemote: entry.isRemote, database)
    }
    do throws(StoreError) {
      statistics.failure = nil
      try write(batch)
    } catch {
      lose(error, at: batch.samples.last?.timestamp ?? Timestamp(milliseconds: 0))
    }
    for reference in batch.ended { catalogue.end(reference) }
    if log.samples >= LogSize.samplesMax { fold() }
  }

  private func hasRoom() -> Bool {
    if catalogue.count < settings.seriesMax { return true }
    statistics.refusedSeries += 1
    return false
  }

  private func lose(_ error: StoreError, at time: Timestamp) {
    statistics.rowsLost += 1
    statistics.failure = error
    // The lost row is part of the chain: the next one must stand on its own.
    encoder = RowEncoder()
    if case .corrupt = error { startOver(at: time) }
  }

  private func write(_ row: SampleRow) throws(StoreError) {
    guard row.timestamp.isWithinBounds else {
      statistics.outOfBounds += row.values.count
      return
    }
    let wall = row.timestamp.milliseconds
    if encoder.rows >= SampleSchema.segmentRows || wall < segmentStart
      || wall - segmentStart >= SampleSchema.segmentMilliseconds
    {
      encoder = RowEncoder()
    }
    let starts = encoder.isEmpty
    if starts {
      segmentStart = wall
      previousRow = 0
    }
    var rowIDs: [Int] = []
    var values: [Double] = []
    rowIDs.reserveCapacity(row.series.count)
    values.reserveCapacity(row.series.count)
    for (series, value) in zip(row.series, row.values) {
      guard let id = catalogue.id(of: series) else {
        statistics.unknownSamples += 1
        continue
      }
      rowIDs.append(id)
      values.append(value)
    }
    let data = encoder.encode(rowIDs, values)
    try database.transaction { () throws(StoreError) in
      try catalogue.writeNew(database, at: wall)
      if starts {
        try database.run(
          "INSERT INTO segment VALUES(?, ?)", .integer(nextRow), .integer(wall))
      }
      try database.run(
        "INSERT INTO sample_row VALUES(?, ?, ?, ?)", .integer(nextRow), .integer(wall),
        .blob(data),
        .integer(SampleReader.checksum(ofRow: nextRow, after: previousRow, wall, data)))
    }
    previousRow = nextRow
    wrote(values.count, data.count, at: wall)
    statistics.rows += 1
  }

  private func write(_ batch: SampleBatch) throws(StoreError) {
    var ids: [Int] = []
    var samples: [Sample] = []
    ids.reserveCapacity(batch.samples.count)
    samples.reserveCapacity(batch.samples.count)
    var (start, end) = (Int64.max, Int64.min)
    for (reference, sample) in zip(batch.references, batch.samples) {
      guard sample.timestamp.isWithinBounds else {
        statistics.outOfBounds += 1
        continue
      }
      guard let admitted = catalogue.admit(reference, at: sample.timestamp) else {
        statistics.unknownSamples += 1
        continue
      }
      if admitted.isLate || admitted.isRepeated {
        if admitted.isLate { statistics.outOfOrder += 1 } else { statistics.duplicates += 1 }
        continue
      }
      ids.append(admitted.id)
      samples.append(sample)
      start = min(start, sample.timestamp.milliseconds)
      end = max(end, sample.timestamp.milliseconds)
    }
    guard !ids.isEmpty else { return }
    let data = BatchCoding.encode(ids, samples, id: nextRow)
    try database.transaction { () throws(StoreError) in
      try catalogue.writeNew(database, at: end)
      try database.run(
        "INSERT INTO batch VALUES(?, ?, ?, ?)", .integer(nextRow), .integer(start),
        .integer(end), .blob(data))
    }
    wrote(ids.count, data.count, at: end)
  }

  private func wrote(_ samples: Int, _ bytes: Int, at wall: Int64) {
    catalogue.wroteNew(at: wall)
    nextRow += 1
    log.add(samples: samples, bytes: bytes, at: wall)
    statistics.samples += samples
    statistics.bytes += bytes
  }

  /// Folds all that the log holds, or ten minutes of it when it holds much more.
  func fold() {
    do throws(StoreError) {
      encoder = RowEncoder()
      let cutoff = try log.cutoff(database) ?? nextRow
      let outcome = try Fold(database: database, cutoff: cutoff).run(&catalogue)
      statistics.folded += outcome.samples
      statistics.duplicates += outcome.duplicates
      statistics.damaged += outcome.damaged
      log = try LogSize(database)
    } catch {
      trouble(error)
    }
  }

  /// Trouble with what is safe already is told but loses nothing, unless the file is damaged.
  func trouble(_ error: StoreError) {
    statistics.failure = error
    rollup = nil
    if case .corrupt = error { startOver(at: Timestamp(milliseconds: log.newest)) }
  }

  /// Begins a new file beside the damaged one; series keep their numbers.
  private func startOver(at now: Timestamp) {
    do throws(StoreError) {
      encoder = RowEncoder()
      rollup = nil
      statistics.setAside = try SampleStore.replace(database.path, at: now)
      let opened = try OpenedSamples(database.path, at: now)
      database = opened.database
      log = opened.log
      catalogue.forgetFile()
    } catch {
      statistics.failure = error
    }
  }

  /// Sets a damaged file aside and drops the one before it: samples are not worth two copies.
  private static func replace(_ path: String, at now: Timestamp) throws(StoreError) -> String {
    let aside = try SetAside.move(path, at: now)
    SetAside.removeOthers(of: path, except: aside)
    return aside
  }
}
