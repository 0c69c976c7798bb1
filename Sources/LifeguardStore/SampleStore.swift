import Glibc
import LifeguardCore

/// The samples of every second on disk: what refills memory at a start and answers long ranges.
///
/// SQLite in WAL mode with synchronous=NORMAL, in a file and on a thread of its own, so that it
/// never delays `StateStore`. Disposable: a damaged file is set aside and a new one begun. A
/// killed agent loses at most the rows that `run` had not taken yet; a crash of the machine those
/// since the last checkpoint, a few minutes.
public actor SampleStore {
  public struct Settings: Sendable {
    /// How long rows are kept.
    public var retention: Duration
    /// How large the file may grow; the oldest rows go first.
    public var bytesMax: Int64

    public init(retention: Duration = .seconds(86_400), bytesMax: Int64 = 256 * 1024 * 1024) {
      self.retention = retention
      self.bytesMax = bytesMax
    }
  }

  /// What has happened since the start.
  public struct Statistics: Sendable {
    public var rows = 0
    public var samples = 0
    /// Encoded bytes, without SQLite's own.
    public var bytes = 0
    /// Rows that could not be written.
    public var rowsLost = 0
    /// Nil after a row that was written.
    public var failure: StoreError?
    /// Where the last damaged file went.
    public var setAside: String?
  }

  /// Rows that wait for the disk: two minutes.
  public static let queueMax = 120

  public private(set) var statistics = Statistics()
  private let thread = DedicatedThread()
  private let directory: DataDirectory
  private let settings: Settings
  private let queue: AsyncStream<SampleRow>
  private nonisolated let entrance: AsyncStream<SampleRow>.Continuation

  private var database: Database
  private var encoder = RowEncoder()
  private var segmentStart: Int64 = 0
  private var segments = 0
  private var nextRow: Int64
  /// Permanent numbers by labels, and by the caller's numbers.
  private var ids: [Labels: Int]
  private var idOfSeries: [Int: Int] = [:]
  private var nextID: Int
  /// Series that the file does not know yet.
  private var unwritten: [(id: Int, labels: Labels)] = []

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
    var opened: Opened
    do throws(StoreError) {
      opened = try Opened(path)
    } catch {
      guard case .corrupt = error else { throw error }
      statistics.setAside = try SampleStore.replace(path, at: now)
      opened = try Opened(path)
    }
    database = opened.database
    nextRow = opened.nextRow
    ids = opened.ids
    nextID = opened.nextID
    (queue, entrance) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.queueMax))
  }

  /// Hands a row over without waiting.
  ///
  /// - Returns: false when the queue is full, because the disk hangs: the row is lost, and the
  ///   series that it introduced must be introduced again.
  public nonisolated func offer(_ row: SampleRow) -> Bool {
    if case .enqueued = entrance.yield(row) { true } else { false }
  }

  /// Writes offered rows until the task is cancelled or `finish` was called.
  public func run() async {
    for await row in queue { append(row) }
  }

  /// Lets `run` return once it has written what was offered before.
  public nonisolated func finish() { entrance.finish() }

  /// Writes one row; failures are counted in `statistics` and never thrown, for memory has it too.
  public func append(_ row: SampleRow) {
    for entry in row.introduced { introduce(entry.series, entry.labels) }
    do throws(StoreError) {
      statistics.failure = nil
      try write(row)
    } catch {
      statistics.rowsLost += 1
      statistics.failure = error
      // The lost row is part of the chain: the next one must stand on its own.
      encoder = RowEncoder()
      if case .corrupt = error { startOver(at: row.timestamp) }
    }
    for series in row.ended { idOfSeries[series] = nil }
  }

  private func introduce(_ series: Int, _ labels: Labels) {
    let id = ids[labels] ?? nextID
    idOfSeries[series] = id
    guard id == nextID else { return }
    nextID += 1
    ids[labels] = id
    unwritten.append((id, labels))
  }

  private func write(_ row: SampleRow) throws(StoreError) {
    let wall = row.timestamp.milliseconds
    if encoder.rows >= SampleSchema.segmentRows || wall < segmentStart
      || wall - segmentStart >= SampleSchema.segmentMilliseconds
    {
      encoder = RowEncoder()
    }
    let starts = encoder.isEmpty
    if starts { segmentStart = wall }
    var rowIDs: [Int] = []
    var values: [Double] = []
    rowIDs.reserveCapacity(row.series.count)
    values.reserveCapacity(row.series.count)
    for (series, value) in zip(row.series, row.values) {
      guard let id = idOfSeries[series] else { continue }
      rowIDs.append(id)
      values.append(value)
    }
    let data = encoder.encode(rowIDs, values)
    try database.transaction { () throws(StoreError) in
      for series in unwritten { try insert(series.id, series.labels, wall) }
      if starts {
        try database.run(
          "INSERT INTO segment VALUES(?, ?)", .integer(nextRow), .integer(wall))
      }
      try database.run(
        "INSERT INTO sample_row VALUES(?, ?, ?)", .integer(nextRow), .integer(wall), .blob(data))
    }
    unwritten = []
    nextRow += 1
    statistics.rows += 1
    statistics.samples += values.count
    statistics.bytes += data.count
    // The row is safe by now, so trouble here is told but loses nothing.
    if starts { prune(at: row.timestamp) }
  }

  private func insert(_ id: Int, _ labels: Labels, _ wall: Int64) throws(StoreError) {
    try database.run(
      "INSERT OR REPLACE INTO series VALUES(?, ?, ?)",
      .integer(Int64(id)), .integer(wall), .text(SampleReader.text(labels)))
  }

  /// Once a minute, a few old segments: as many go as come, so no call takes long.
  private func prune(at now: Timestamp) {
    do throws(StoreError) { try dropOld(at: now) } catch { statistics.failure = error }
  }

  private func dropOld(at now: Timestamp) throws(StoreError) {
    let oldest = (now - settings.retention).milliseconds
    let pages = try database.integer("PRAGMA page_count") ?? 0
    let free = try database.integer("PRAGMA freelist_count") ?? 0
    let pageSize = try database.integer("PRAGMA page_size") ?? 4096
    let isTooLarge = (pages - free) * pageSize > settings.bytesMax
    // Of the five oldest, the first that stays: more segments go in a minute than come.
    var end: Int64 = 0
    var isOver = false
    try database.query("SELECT first, wall FROM segment ORDER BY first LIMIT 5") {
      (row: Row) throws(StoreError) in
      if isOver { return }
      end = row.integer(0)
      isOver = !isTooLarge && row.integer(1) + SampleSchema.segmentMilliseconds >= oldest
    }
    if end > 0 {
      try database.transaction { () throws(StoreError) in
        try database.run("DELETE FROM sample_row WHERE id < ?", .integer(end))
        try database.run("DELETE FROM segment WHERE first < ?", .integer(end))
      }
    }
    segments += 1
    if segments % 60 == 0 { try pruneSeries(bornBefore: oldest) }
    if free > 1024 { try database.execute("PRAGMA incremental_vacuum(512)") }
  }

  /// Once an hour: series that neither the file nor the caller uses any more.
  ///
  /// One that lived for less than a segment, was born before the retention and came back since
  /// is dropped with the few samples of its second life.
  private func pruneSeries(bornBefore oldest: Int64) throws(StoreError) {
    var used = Set(idOfSeries.values)
    try database.query(
      "SELECT data FROM sample_row WHERE id IN (SELECT first FROM segment)"
    ) { (row: Row) throws(StoreError) in
      var decoder = RowDecoder()
      do throws(RowDamage) {
        for sample in try decoder.decode(row.blob(0)) { used.insert(sample.series) }
      } catch {
        throw .corrupt(path: database.path, reason: "a row cannot be decoded")
      }
    }
    var unused: [Int] = []
    try database.query(
      "SELECT id FROM series WHERE born < ?", [.integer(oldest)]
    ) { (row: Row) throws(StoreError) in
      let id = Int(row.integer(0))
      if !used.contains(id) { unused.append(id) }
    }
    guard !unused.isEmpty else { return }
    try database.transaction { () throws(StoreError) in
      for id in unused {
        try database.run("DELETE FROM series WHERE id=?", .integer(Int64(id)))
      }
    }
    let gone = Set(unused)
    ids = ids.filter { !gone.contains($0.value) }
  }

  /// Begins a new file beside the damaged one; series keep their numbers.
  private func startOver(at now: Timestamp) {
    do throws(StoreError) {
      statistics.setAside = try SampleStore.replace(database.path, at: now)
      database = try Opened(database.path).database
      unwritten = ids.map { ($0.value, $0.key) }.sorted { $0.0 < $1.0 }
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

/// A connection that is ready, and what must be known to go on writing.
private struct Opened {
  let database: Database
  let nextRow: Int64
  let ids: [Labels: Int]
  let nextID: Int

  init(_ path: String) throws(StoreError) {
    database = try Database(path: path)
    try database.prepare(
      synchronous: .normal, migrations: SampleSchema.migrations,
      pageBytes: SampleSchema.pageBytes)
    // A whole check would read the whole file; damage elsewhere shows when it is read.
    let last = try database.integer("SELECT max(id) FROM sample_row") ?? 0
    nextRow = last + 1
    let known = try SampleReader.catalogue(database)
    ids = Dictionary(known.map { ($0.value, $0.key) }, uniquingKeysWith: max)
    nextID = (known.keys.max() ?? 0) + 1
    let newest = try database.integer("SELECT wall FROM segment ORDER BY first DESC LIMIT 1")
    let start = Timestamp(milliseconds: newest ?? 0)
    try SampleReader.rows(database, from: start, to: start) { (_: StoredRow) throws(StoreError) in }
  }
}
