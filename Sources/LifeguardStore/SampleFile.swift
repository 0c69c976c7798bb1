import Glibc
import LifeguardCore

/// Reads a `samples.db` for commands: synchronously, on the caller's thread, beside an agent that
/// may be running.
public final class SampleFile {
  /// What can be wrong with a file.
  public struct Finding: Sendable, Codable {
    /// Where: a table and, where there is one, a number in it.
    public var place: String
    public var problem: String
  }

  public let path: String
  private let database: Database

  /// - Throws: when there is no such file, or another version has written it.
  public init(path: String) throws(StoreError) {
    guard access(path, F_OK) == 0 else { throw .missing(path: path) }
    self.path = path
    database = try Database(path: path, readOnly: true)
    try SampleSchema.check(database)
  }

  /// How much is stored, in which resolution, and since when.
  public func statistics() throws(StoreError) -> StoredStatistics {
    try StoredStatistics(database)
  }

  /// Hands over the series that match, sorted by labels, each with its samples of an interval.
  ///
  /// One series is in memory at a time. Where samples have been rolled up, `use` says which figure
  /// stands for them.
  ///
  /// - Parameters:
  ///   - progress: how many of how many series are done.
  public func series(
    _ matchers: [Matcher], from: Timestamp, to: Timestamp, use: SampleUse = .last,
    progress: (Int, Int) -> Void = { _, _ in }, each: (StoredSeries) -> Void
  ) throws(ArchiveError) {
    var index = SeriesIndex()
    do throws(StoreError) { try index.refresh(database) } catch { throw .store(error) }
    let slots = index.select(matchers).sorted {
      index.entries[Int($0)].labels < index.entries[Int($1)].labels
    }
    let want = SampleLoad.Want(after: from.milliseconds - 1, through: to.milliseconds)
    let limits = ArchiveLimits(samplesMax: .max, bytesMax: .max, seriesMax: .max)
    for (done, slot) in slots.enumerated() {
      progress(done, slots.count)
      var load = SampleLoad(database, limits)
      let loaded = try load.series(index, [slot: want])
      let source = StoredSource.compact(loaded, damaged: load.damaged)
      if load.damaged > 0 {
        throw .store(
          .corrupt(path: path, reason: "\(load.damaged) chunks; see lifeguard db verify"))
      }
      let found = source.all(
        after: from - .milliseconds(1), through: to, samplesMax: .max, use: use)
      for one in found.series { each(one) }
    }
    progress(slots.count, slots.count)
  }

  /// Everything that is wrong with the file, read from end to end.
  ///
  /// - Parameters:
  ///   - progress: how many of how many blocks are done.
  public func verify(progress: (Int, Int) -> Void = { _, _ in }) throws(StoreError) -> [Finding] {
    var findings: [Finding] = []
    try database.query("PRAGMA integrity_check(100)") { (row: Row) throws(StoreError) in
      let text = row.text(0)
      if text != "ok" { findings.append(Finding(place: "file", problem: text)) }
    }
    let series = try verifySeries(&findings)
    let (blocks, missing) = try StoredBlock.all(database)
    if missing > 0 {
      findings.append(Finding(place: "block", problem: "\(missing) damaged or missing"))
    }
    for (done, block) in blocks.enumerated() {
      progress(done, blocks.count)
      try verify(block, series, &findings)
    }
    progress(blocks.count, blocks.count)
    let damaged = try SampleReader.log(database) { _, _ in }
    if damaged > 0 {
      findings.append(Finding(place: "log", problem: "\(damaged) segments or batches are damaged"))
    }
    return findings
  }

  private func verifySeries(_ findings: inout [Finding]) throws(StoreError) -> Set<Int64> {
    var known: Set<Int64> = []
    var found: [Finding] = []
    try database.query("SELECT id, labels, hash FROM series") { (row: Row) throws(StoreError) in
      let id = row.integer(0)
      known.insert(id)
      do throws(StoreError) {
        let labels = try SampleReader.labels(row.text(1), path: path)
        if SeriesCatalogue.hash(labels) != row.integer(2) {
          found.append(Finding(place: "series \(id)", problem: "the labels are not its own"))
        }
      } catch {
        found.append(Finding(place: "series \(id)", problem: "the labels cannot be read"))
      }
    }
    findings += found
    return known
  }

  private func verify(
    _ block: StoredBlock, _ series: Set<Int64>, _ findings: inout [Finding]
  ) throws(StoreError) {
    let first = SampleSchema.key(block.id, 0)
    let place = "block \(block.id)"
    guard let members = try block.members(database) else {
      findings.append(Finding(place: place, problem: "the list of its series is damaged"))
      return
    }
    var missing = Set(members)
    var problems: [Finding] = []
    var clocks: [Int: Clock] = [:]
    try database.query(
      "SELECT key, clock, data FROM chunk WHERE key >= ? AND key < ?",
      [.integer(first), .integer(first + SampleSchema.seriesMax)]
    ) { (row: Row) throws(StoreError) in
      let id = row.integer(0) - first
      let clockID = Int(row.integer(1))
      let data = row.blob(2)
      func add(_ problem: String) {
        problems.append(Finding(place: "\(place), series \(id)", problem: problem))
      }
      if missing.remove(id) == nil { add("the block does not list it") }
      if !series.contains(id) { add("its labels are missing") }
      guard Sealed.isSound(data, (row.integer(0), Int64(clockID))) else {
        add("the chunk is damaged")
        return
      }
      if clocks[clockID] == nil {
        clocks[clockID] = try SampleReader.clock(database, block: block.id, id: clockID)
      }
      guard let clock = clocks[clockID] else {
        add("the times are damaged")
        return
      }
      var samples: [Sample] = []
      let isSound =
        block.resolution == .raw
        ? RawChunk.decode(
          data, clock, after: Timestamp(milliseconds: .min / 2),
          through: Timestamp(milliseconds: .max / 2), into: &samples)
        : BucketChunk.decode(data, clock) != nil
      if !isSound { add("the chunk cannot be decoded") }
    }
    for id in missing.sorted() {
      problems.append(Finding(place: "\(place), series \(id)", problem: "the chunk is missing"))
    }
    findings += problems
  }
}
