import LifeguardCore

/// Puts samples from elsewhere into a `samples.db` that no agent uses, all or nothing.
///
/// They go into blocks of their own within one transaction, so an import that stops half-way leaves
/// the file as it was. Samples may come in any order; where a series has a sample at a time
/// already, that one stays.
public final class SampleImport {
  /// What has been taken in.
  public struct Outcome: Sendable, Codable {
    public var series = 0
    public var samples = 0
    /// Samples at a time that came twice with different values; the first one was kept.
    public var conflicts = 0
  }

  /// 16 MiB: then a block is written.
  private static let bufferedMax = 1_000_000

  public private(set) var outcome = Outcome()
  private let directory: DataDirectory
  private let database: Database
  private var catalogue: SeriesCatalogue
  private var numbers: [Labels: Int] = [:]
  private var buffers: [[Sample]] = []
  private var buffered = 0
  private var newest = Int64.min
  private var isOpen = false

  /// - Throws: `locked` when an agent uses the directory, and whatever keeps the file from being
  ///   opened or written.
  public init(in directory: DataDirectory, now: Timestamp) throws(StoreError) {
    self.directory = directory
    let opened = try OpenedSamples(directory.file("samples.db"), at: now)
    database = opened.database
    catalogue = SeriesCatalogue(nextID: opened.nextID)
    // What is there comes before what is imported; in the log that could not be told.
    _ = try Fold(database: database, cutoff: .max).run(&catalogue)
    try database.execute("BEGIN IMMEDIATE")
    isOpen = true
  }

  deinit {
    // What was not committed must not stay; SQLite would do the same when the file is closed.
    if isOpen { try? database.execute("ROLLBACK") }
  }

  /// The number of a series for `append`.
  public func number(of labels: Labels) -> Int {
    if let known = numbers[labels] { return known }
    let number = buffers.count
    numbers[labels] = number
    buffers.append([])
    catalogue.introduce(number, labels, database)
    outcome.series += 1
    return number
  }

  /// Adds a sample to a series; written in blocks, and kept only after `commit`.
  public func append(_ number: Int, _ sample: Sample) throws(StoreError) {
    buffers[number].append(sample)
    buffered += 1
    newest = max(newest, sample.timestamp.milliseconds)
    if buffered >= Self.bufferedMax { try flush() }
  }

  /// Makes everything durable.
  public func commit() throws(StoreError) {
    try flush()
    try database.execute("COMMIT")
    isOpen = false
  }

  private func flush() throws(StoreError) {
    guard buffered > 0 else { return }
    try catalogue.writeNew(database, at: newest)
    catalogue.wroteNew(at: newest)
    var runs: [(id: Int, samples: [Sample])] = []
    for number in buffers.indices where !buffers[number].isEmpty {
      guard let id = catalogue.id(of: number) else { continue }
      var samples = buffers[number]
      buffers[number] = []
      outcome.conflicts += samples.sortByTime()
      outcome.samples += samples.count
      runs.append((id, samples))
    }
    runs.sort { $0.id < $1.id }
    // A chunk has a limit, so long runs take several blocks.
    while !runs.isEmpty {
      var writer = try BlockWriter(database, .raw)
      for index in runs.indices {
        try writer.write(runs[index].id, Array(runs[index].samples.prefix(BlockWriter.samplesMax)))
        runs[index].samples.removeFirst(min(BlockWriter.samplesMax, runs[index].samples.count))
      }
      try writer.finish()
      runs.removeAll { $0.samples.isEmpty }
    }
    for number in buffers.indices {
      guard let id = catalogue.id(of: number) else { continue }
      try catalogue.saw(id, at: newest, database)
    }
    buffered = 0
  }
}
