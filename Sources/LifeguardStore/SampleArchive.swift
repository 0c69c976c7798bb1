import Glibc
import LifeguardCore

/// Reads samples beside the `SampleStore`, on a connection and a thread of its own.
public actor SampleArchive {
  private let thread = DedicatedThread()
  private let path: String
  private var connection: (database: Database, inode: UInt)?

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    thread.asUnownedSerialExecutor()
  }

  /// Opens `samples.db` at the first question.
  public init(path: String) { self.path = path }

  /// The samples from `from` to `to`, both included, of the series that `matching` picks.
  ///
  /// - Parameter samplesMax: reading stops with `truncated` set when an answer would be larger;
  ///   16 bytes of memory each.
  public func read(
    from: Timestamp, to: Timestamp, samplesMax: Int = 1_000_000,
    where matching: @Sendable (Labels) -> Bool = { _ in true }
  ) throws(StoreError) -> (series: [StoredSeries], truncated: Bool) {
    let database = try database()
    let chosen = try SampleReader.catalogue(database).filter { matching($0.value) }
    var found: [Int: [Sample]] = [:]
    var count = 0
    var truncated = false
    try SampleReader.rows(database, from: from, to: to) { (row: StoredRow) throws(StoreError) in
      guard !truncated else { return }
      for sample in row.samples where chosen[sample.series] != nil {
        guard count < samplesMax else {
          truncated = true
          return
        }
        count += 1
        found[sample.series, default: []].append(
          Sample(timestamp: row.timestamp, value: sample.value))
      }
    }
    let series = found.compactMap { id, samples in
      chosen[id].map { StoredSeries(labels: $0, samples: samples) }
    }
    return (series.sorted { $0.labels < $1.labels }, truncated)
  }

  /// Hands over every row since `since`, oldest first, to refill memory at a start.
  ///
  /// - Parameters:
  ///   - series: called once, first, with the labels behind the rows' numbers.
  public func replay(
    since: Timestamp, series: @Sendable ([Int: Labels]) -> Void,
    into row: @Sendable (StoredRow) -> Void
  ) throws(StoreError) {
    let database = try database()
    series(try SampleReader.catalogue(database))
    let end = Timestamp(milliseconds: .max / 2)
    try SampleReader.rows(database, from: since, to: end) {
      (stored: StoredRow) throws(StoreError) in
      row(stored)
    }
  }

  /// Opens the file again when another has taken its place.
  private func database() throws(StoreError) -> Database {
    var status = stat()
    let inode = stat(path, &status) == 0 ? status.st_ino : 0
    if let connection, connection.inode == inode { return connection.database }
    let opened = try Database(path: path, readOnly: true)
    connection = (opened, inode)
    return opened
  }
}
