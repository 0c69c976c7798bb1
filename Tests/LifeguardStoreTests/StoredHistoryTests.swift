import LifeguardCore
import Testing

@testable import LifeguardStore

/// What was written, to be compared with what is read: samples by series, each time once.
private struct Ledger {
  var samples: [Labels: [Int64: UInt64]] = [:]

  mutating func note(_ labels: Labels, _ sample: Sample) {
    if samples[labels]?[sample.timestamp.milliseconds] != nil { return }
    samples[labels, default: [:]][sample.timestamp.milliseconds] = sample.value.bitPattern
  }

  init() {}

  init(_ series: [StoredSeries]) {
    for one in series { for sample in one.samples { note(one.labels, sample) } }
  }
}

@Suite struct `Stored history` {
  let folder: TemporaryFolder
  let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = "\(folder.path)/data"
  }

  private var file: String { "\(path)/samples.db" }

  private func open(_ settings: SampleStore.Settings = .init()) throws -> SampleStore {
    try SampleStore(in: DataDirectory(path: path), now: milliseconds(0), settings: settings)
  }

  private func everything() async throws -> [StoredSeries] {
    try await SampleArchive(path: file).read(
      from: milliseconds(0), to: milliseconds(1 << 50), samplesMax: .max
    ).series
  }

  private func labels(_ index: Int) -> Labels {
    ["__name__": "m\(index % 7)", "job": "node", "instance": "host-with-a-long-name-\(index)"]
  }

  @Test(arguments: 0..<8)
  func `whatever is written comes back bit for bit, over folds and restarts`(
    seed: UInt64
  ) async throws {
    var random = Seeded(state: seed)
    var ledger = Ledger()
    var now: Int64 = 1_700_000_000_000
    var values = (0..<30).map { Double($0) }
    for _ in 0..<3 {
      let store = try open()
      var journal = SampleJournal()
      var isNew = true
      for _ in 0..<Int.random(in: 50...900, using: &random) {
        now += Int64.random(in: 990...1010, using: &random)
        var row = SampleRow(timestamp: milliseconds(now), series: [], values: [])
        if isNew { row.introduced = (0..<20).map { ($0, labels($0)) } }
        isNew = false
        for index in 0..<20 where Int.random(in: 0..<20, using: &random) > 0 {
          step(&values[index], index, &random)
          row.series.append(index)
          row.values.append(values[index])
          ledger.note(labels(index), Sample(timestamp: row.timestamp, value: values[index]))
        }
        await store.append(row)
        guard Int.random(in: 0..<10, using: &random) == 0 else { continue }
        var entries: [(SeriesReference, Sample)] = []
        for index in 20..<30 {
          step(&values[index], index, &random)
          let time = milliseconds(now - Int64.random(in: 0...500, using: &random))
          entries.append(
            (
              SeriesReference(slot: Int32(index), epoch: 1),
              Sample(timestamp: time, value: values[index])
            ))
          ledger.note(labels(index), Sample(timestamp: time, value: values[index]))
        }
        await store.append(journal.batch(entries) { (labels(Int($0.slot)), true) })
      }
      let statistics = await store.statistics
      #expect(statistics.failure == nil)
      #expect(statistics.unknownSamples == 0)
    }
    let found = try await everything()
    #expect(Ledger(found).samples == ledger.samples)
    #expect(found.allSatisfy { $0.isRemote == ($0.labels["instance"].map(Self.number) ?? 0 >= 20) })
    let statistics = try await SampleArchive(path: file).statistics()
    #expect(statistics.series <= 30)
  }

  private static func number(_ instance: String) -> Int {
    Int(instance.split(separator: "-").last ?? "") ?? -1
  }

  private func step(_ value: inout Double, _ index: Int, _ random: inout Seeded) {
    switch index % 5 {
    case 0: break
    case 1: value += Double(Int.random(in: 0...100, using: &random))
    case 2: value = Double(Int.random(in: 0...9999, using: &random)) / 100
    case 3: value = Double(bitPattern: random.next())
    default: value = Int.random(in: 0..<9, using: &random) == 0 ? .staleMarker : value + 0.25
    }
  }

  @Test func `the log is folded every ten minutes and then is empty`() async throws {
    let store = try open()
    for second in Int64(0)..<1300 {
      await store.append(
        SampleRow(
          timestamp: milliseconds(second * 1000), series: [1], values: [Double(second)],
          introduced: second == 0 ? [(1, labels(1))] : []))
    }
    let statistics = try await SampleArchive(path: file).statistics()
    #expect(statistics.tiers[0].blocks == 2)
    #expect(statistics.tiers[0].samples + statistics.logEntries == 1300)
    #expect(statistics.logEntries < 120)
    #expect(try await everything().first?.samples.map(\.value) == (0..<1300).map(Double.init))
  }

  @Test func `late and repeated samples of a batch are refused as Prometheus does`() async throws {
    let store = try open()
    let reference = SeriesReference(slot: 3, epoch: 9)
    func batch(_ times: [Int64], _ value: Double, isNew: Bool = false) -> SampleBatch {
      SampleBatch(
        references: times.map { _ in reference },
        samples: times.map { Sample(timestamp: milliseconds($0), value: value) },
        introduced: isNew ? [(reference, labels(3), true)] : [])
    }
    await store.append(batch([1000, 2000, 3000], 1, isNew: true))
    await store.append(batch([2000, 3000, 4000], 2))
    let statistics = await store.statistics
    #expect(statistics.outOfOrder == 1)
    #expect(statistics.duplicates == 1)
    #expect(try await everything().first?.samples.map(\.value) == [1, 1, 1, 2])
    #expect(try await everything().first?.isRemote == true)
    await store.append(
      SampleBatch(
        references: [SeriesReference(slot: 3, epoch: 8)],
        samples: [Sample(timestamp: milliseconds(9000), value: 1)]))
    #expect(await store.statistics.unknownSamples == 1)
  }

  @Test func `a slot that changes hands ends the series before`() {
    var journal = SampleJournal()
    let sample = Sample(timestamp: milliseconds(1), value: 1)
    let first = journal.batch([(SeriesReference(slot: 2, epoch: 1), sample)]) { _ in
      (labels(1), false)
    }
    #expect(first.introduced.count == 1 && first.ended.isEmpty)
    let again = journal.batch([(SeriesReference(slot: 2, epoch: 1), sample)]) { _ in
      (labels(1), false)
    }
    #expect(again.introduced.isEmpty)
    let next = journal.batch([(SeriesReference(slot: 2, epoch: 5), sample)]) { _ in
      (labels(2), false)
    }
    #expect(next.ended == [SeriesReference(slot: 2, epoch: 1)])
    #expect(next.introduced.count == 1)
  }

  @Test func `the limit of series refuses new ones and says how many`() async throws {
    let store = try open(.init(seriesMax: 5))
    await store.append(
      SampleRow(
        timestamp: milliseconds(1000), series: Array(0..<9), values: (0..<9).map(Double.init),
        introduced: (0..<9).map { ($0, labels($0)) }))
    #expect(await store.statistics.refusedSeries == 4)
    #expect(try await everything().count == 5)
  }

  @Test func `offered batches have a limit in samples`() async throws {
    let store = try open()
    let references = (0..<600_000).map { SeriesReference(slot: Int32($0 % 10), epoch: 1) }
    let batch = SampleBatch(
      references: references,
      samples: references.map { _ in Sample(timestamp: milliseconds(1), value: 1) })
    #expect(store.offer(batch))
    #expect(!store.offer(batch))
    store.finish()
    await store.run()
    #expect(await store.statistics.unknownSamples == 600_000)
  }

  @Test func `a file of the version before is brought up to date with all that it holds`()
    async throws
  {
    do {
      _ = try DataDirectory(path: path)
      let database = try Database(path: file)
      try database.prepare(
        synchronous: .normal, migrations: [SampleSchema.migrations[0]], pageBytes: 8192)
      try database.run(
        "INSERT INTO series VALUES(1, 5, ?)", .text(SampleReader.text(labels(1))))
      var encoder = RowEncoder()
      for second in Int64(0)..<20_000 {
        if second % 60 == 0 {
          encoder = RowEncoder()
          try database.run(
            "INSERT INTO segment VALUES(?, ?)", .integer(second + 1), .integer(second * 1000))
        }
        try database.run(
          "INSERT INTO sample_row VALUES(?, ?, ?)", .integer(second + 1), .integer(second * 1000),
          .blob(encoder.encode([1], [Double(second)])))
      }
    }
    await #expect(throws: StoreError.self) {
      try await SampleArchive(path: file).statistics()
    }
    let store = try open()
    #expect(await store.statistics.setAside == nil)
    for second in Int64(20_000)..<20_060 {
      await store.append(
        SampleRow(
          timestamp: milliseconds(second * 1000), series: [7], values: [Double(second)],
          introduced: second == 20_000 ? [(7, labels(1))] : []))
    }
    #expect(try await everything().first?.samples.map(\.value) == (0..<20_060).map(Double.init))
    let statistics = try await SampleArchive(path: file).statistics()
    #expect(statistics.series == 1)
    #expect(statistics.tiers[0].blocks > 10)
    #expect(statistics.logEntries < 120)
  }

  @Test func `ten thousand series come, are found and go`() async throws {
    let store = try open()
    let names = (0..<10_000).map { labels($0) }
    await store.append(
      SampleRow(
        timestamp: milliseconds(1000), series: Array(names.indices),
        values: names.indices.map(Double.init),
        introduced: names.enumerated().map { ($0.offset, $0.element) }))
    let archive = SampleArchive(path: file)
    let query = try Query(parsing: #"m3{instance=~"host-with-a-long-name-(3|10|99999)"}"#)
    let source = try await archive.source(
      for: query, from: milliseconds(1000), to: milliseconds(1000))
    #expect(source.seriesCount == 2)
    guard case .vector(let elements) = try query.instant(over: source, at: milliseconds(1000)).value
    else {
      Issue.record("no vector")
      return
    }
    #expect(elements.map(\.value) == [3, 10])
    await store.append(
      SampleRow(timestamp: milliseconds(2000), series: [], values: [], ended: Array(names.indices)))
    #expect(await store.catalogue.count == 0)
  }

  @Test(.enabled(if: Writer.program != nil, "the program store-writer was not built"))
  func `a writer killed while it folds and rolls up loses nothing that it had told of`()
    async throws
  {
    let program = try #require(Writer.program)
    var random = SystemRandomNumberGenerator()
    var last: Int64 = 0
    for _ in 0..<12 {
      let writer = try Writer(program, folder: path, mode: "samples")
      let told = writer.kill(after: .random(in: 0...400_000, using: &random))
      #expect(told > last)
      last = told
      _ = try open()
      let archive = SampleArchive(path: file)
      let newest = try #require(try await archive.statistics().interval?.newest)
      // The row that was under way may be there, whole.
      #expect(newest == milliseconds(told * 1000) || newest == milliseconds(told * 1000 + 1000))
      let end = newest.milliseconds / 1000
      let query = try Query(parsing: "count_over_time(m3[100000d])")
      let source = try await archive.source(for: query, from: newest, to: newest)
      // Buckets end later than their last sample; one in progress is not counted otherwise.
      let at = milliseconds(newest.milliseconds + 3_600_000)
      let counted = try Query(parsing: "count_over_time(m3[100000d])").instant(
        over: source, at: at)
      guard case .vector(let elements) = counted.value else { continue }
      #expect(elements.map(\.value) == [Double(end)])
      let raw = try await archive.read(from: milliseconds(0), to: newest).series
      for (index, series) in raw.enumerated() {
        #expect(
          series.samples.allSatisfy {
            $0.value == Double($0.timestamp.milliseconds / 1000) * Double(index + 1)
          })
      }
    }
  }
}
