import Glibc
import LifeguardCore
import Testing

@testable import LifeguardStore

private func labels(_ index: Int) -> Labels {
  ["__name__": "metric_\(index)", "job": "node", "instance": "\"é\\\n"]
}

/// A row of three series at a second.
private func row(_ second: Int64, _ base: Double, introduce: Bool = false) -> SampleRow {
  SampleRow(
    timestamp: milliseconds(second * 1000), series: [10, 20, 30],
    values: [base, base * 2, 7],
    introduced: introduce ? [(10, labels(1)), (20, labels(2)), (30, labels(3))] : [])
}

@Suite struct `The sample store` {
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

  private func read(
    _ from: Int64, _ to: Int64, where matching: @Sendable (Labels) -> Bool = { _ in true }
  ) async throws -> [StoredSeries] {
    try await SampleArchive(path: file).read(
      from: milliseconds(from * 1000), to: milliseconds(to * 1000), where: matching
    ).series
  }

  @Test func `samples come back by series and time, over segments and restarts`() async throws {
    for start in stride(from: Int64(1000), to: 1300, by: 100) {
      let store = try open()
      for second in start..<start + 100 {
        await store.append(row(second, Double(second), introduce: second == start))
      }
      #expect(await store.statistics.rowsLost == 0)
    }
    let series = try await read(1050, 1249)
    #expect(series.map(\.labels) == [labels(1), labels(2), labels(3)])
    #expect(series[0].samples.map(\.value) == (1050...1249).map(Double.init))
    #expect(series[1].samples.first?.timestamp == milliseconds(1_050_000))
    #expect(series[2].samples.count == 200)
    let one = try await read(1299, 5000) { $0.metric == "metric_2" }
    #expect(one.count == 1)
    #expect(one[0].samples == [Sample(timestamp: milliseconds(1_299_000), value: 2598)])
  }

  @Test func `a backward clock loses nothing`() async throws {
    let store = try open()
    await store.append(row(5000, 1, introduce: true))
    await store.append(row(1000, 2))
    await store.append(row(1001, 3))
    #expect(try await read(1000, 1001).first?.samples.map(\.value) == [2, 3])
    #expect(try await read(5000, 5000).first?.samples.map(\.value) == [1])
  }

  @Test func `offered rows are written in order, and a full queue says so`() async throws {
    let store = try open()
    for second in 0..<Int64(SampleStore.queueMax) {
      #expect(store.offer(row(second, Double(second), introduce: second == 0)))
    }
    #expect(!store.offer(row(999, 0)))
    store.finish()
    await store.run()
    #expect(await store.statistics.rows == SampleStore.queueMax)
    #expect(try await read(0, 999).first?.samples.count == SampleStore.queueMax)
  }

  /// Times that no clock shows, with which sums would overflow.
  private static let wild: [Int64] = [
    .min, .min + 1, -9_223_372_036_854_775_807, -9_000_000_000_000_001, 9_000_000_000_000_001,
    .max - 1, .max,
  ]

  @Test func `samples and rows at times that no clock shows are refused and counted`()
    async throws
  {
    let store = try open()
    let reference = SeriesReference(slot: 0, epoch: 1)
    let wild = Self.wild.map { Sample(timestamp: milliseconds($0), value: 1) }
    let good = Sample(timestamp: milliseconds(1_700_000_000_000), value: 2)
    await store.append(
      SampleBatch(
        references: Array(repeating: reference, count: wild.count + 1), samples: wild + [good],
        introduced: [(reference, labels(9), true)]))
    for (index, time) in Self.wild.enumerated() {
      await store.append(
        SampleRow(
          timestamp: milliseconds(time), series: [10], values: [1],
          introduced: index == 0 ? [(10, labels(1))] : []))
    }
    await store.append(
      SampleRow(timestamp: milliseconds(1_700_000_001_000), series: [10], values: [3]))
    let statistics = await store.statistics
    #expect(statistics.outOfBounds == Self.wild.count * 2)
    #expect(statistics.samples == 2 && statistics.failure == nil)
    let found = try await read(1_699_999_000, 1_700_000_100)
    #expect(found.map(\.labels) == [labels(1), labels(9)])
    #expect(found.flatMap(\.samples).map(\.value) == [3, 2])
  }

  @Test func `a file that holds times that no clock shows is opened, folded and goes on`()
    async throws
  {
    do {
      let store = try open()
      await store.append(row(1_700_000_000, 1, introduce: true))
    }
    // As a version wrote it that did not look at times.
    do {
      let database = try Database(path: file)
      for (index, time) in Self.wild.enumerated() {
        let id = Int64(100 + index)
        let sample = Sample(timestamp: milliseconds(time), value: 1)
        try database.run(
          "INSERT INTO batch VALUES(?, ?, ?, ?)", .integer(id), .integer(time), .integer(time),
          .blob(BatchCoding.encode([1], [sample], id: id)))
        try database.run("UPDATE series SET seen=? WHERE id=1", .integer(time))
      }
    }
    let store = try open()
    for second in Int64(1_700_000_001)..<1_700_000_700 {
      await store.append(row(second, 1, introduce: second == 1_700_000_001))
    }
    let statistics = await store.statistics
    #expect(statistics.failure == nil && statistics.setAside == nil && statistics.folded > 0)
    let found = try await read(1_699_999_000, 1_700_001_000)
    #expect(found.first?.samples.count == 700)
    let stored = try await SampleArchive(path: file).statistics()
    #expect(stored.interval?.oldest == milliseconds(1_700_000_000_000))
    #expect(stored.interval?.newest == milliseconds(1_700_000_699_000))
  }

  @Test func `what the store counts can be read without waiting for it`() async throws {
    let store = try open()
    #expect(store.lastStatistics.rows == 0)
    await store.append(row(1, 1, introduce: true))
    #expect(store.lastStatistics.rows == 1 && store.lastStatistics.samples == 3)
  }

  @Test func `an answer has a limit`() async throws {
    let store = try open()
    for second in Int64(0)..<50 { await store.append(row(second, 1, introduce: second == 0)) }
    let answer = try await SampleArchive(path: file).read(
      from: milliseconds(0), to: milliseconds(60_000), samplesMax: 40)
    #expect(answer.truncated)
    #expect(answer.series.map(\.samples.count).reduce(0, +) == 40)
  }

  @Test func `old samples go, young ones stay`() async throws {
    let store = try open(
      .init(retention: Retention(raw: .seconds(3600), minute: .zero, hour: .zero)))
    await store.append(row(0, 1, introduce: true))
    for second in Int64(1)..<12_000 { await store.append(row(second, Double(second))) }
    #expect(await store.statistics.failure == nil)
    let series = try await read(0, 12_000)
    #expect(series.count == 3)
    let first = try #require(series.first?.samples.first).timestamp
    #expect(first > milliseconds(7_000_000) && first <= milliseconds(8_400_000))
    #expect(series[0].samples.last?.value == 11_999)
  }

  @Test func `series that ended are forgotten once none of their samples is left`() async throws {
    let store = try open(
      .init(retention: Retention(raw: .seconds(3600), minute: .zero, hour: .zero)))
    for day in Int64(0)..<4 {
      for second in Int64(0)..<60 {
        var next = row(day * 86_400 + second * 60, 1, introduce: day == 0 && second == 0)
        if day == 0, second == 0 {
          next.introduced.append((99, labels(99)))
          next.series.append(99)
          next.values.append(1)
          next.ended = [99]
        }
        await store.append(next)
      }
    }
    #expect(await store.statistics.failure == nil)
    #expect(try await SampleArchive(path: file).statistics().series == 3)
  }

  @Test func `the file keeps to its size`() async throws {
    let store = try open(.init(retention: Retention(bytesMax: 400_000)))
    var random = Seeded(state: 1)
    let series = Array(0..<100)
    for second in Int64(0)..<3000 {
      await store.append(
        SampleRow(
          timestamp: milliseconds(second * 1000), series: series,
          values: series.map { _ in Double(bitPattern: random.next()) },
          introduced: second == 0 ? series.map { ($0, labels($0)) } : []))
    }
    #expect(await store.statistics.failure == nil)
    #expect(size(file) < 900_000)
    #expect(try await read(2990, 3000).first?.samples.count == 10)
  }

  @Test func `a damaged file is set aside at the start`() async throws {
    for _ in 0..<2 {
      await (try open()).append(row(1, 1, introduce: true))
      damage(file, at: 0, [UInt8](repeating: 0xA5, count: 200))
      let store = try open()
      #expect(await store.statistics.setAside?.contains("samples.db.corrupt-") == true)
      await store.append(row(2, 1, introduce: true))
      #expect(try await read(0, 10).first?.samples.count == 1)
    }
    #expect(names(path).filter { $0.hasPrefix("samples.db.corrupt-") }.count == 1)
  }

  @Test func `damage that shows while writing begins a new file with the same series`()
    async throws
  {
    let store = try open()
    for second in Int64(0)..<200 { await store.append(row(second, 1, introduce: second == 0)) }
    // Another connection puts everything into the file, which is then overwritten.
    do {
      let database = try Database(path: file)
      try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }
    damage(file, at: 4096, [UInt8](repeating: 0xA5, count: size(file) - 4096))
    for second in Int64(200)..<400 { await store.append(row(second, 2)) }
    let statistics = await store.statistics
    #expect(statistics.setAside != nil)
    #expect(statistics.failure == nil)
    let series = try await read(0, 1000)
    #expect(series.count == 3)
    #expect(series.first?.samples.last?.timestamp == milliseconds(399_000))
  }

  @Test func `a row costs at most 1.6 bytes a sample on disk`() async throws {
    let store = try open()
    var host = SyntheticHost(series: 600)
    for second in Int64(0)..<1800 { await store.append(host.row(at: second * 1000)) }
    let statistics = await store.statistics
    #expect(statistics.samples == 1800 * 600)
    let database = try Database(path: file)
    try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    let bytes = Double(size(file)) / Double(statistics.samples)
    #expect(bytes <= 1.6, "\(bytes) bytes a sample")
  }
}

/// Series that move like those of a busy host: half of them constant, a quarter counters, the
/// others seconds in hundredths, memory in pages, and one in forty a ratio with all its bits.
struct SyntheticHost {
  private var random = Seeded(state: 42)
  private var values: [Double]
  private var isNew = true

  init(series: Int) {
    values = (0..<series).map { Double($0 * 4096) }
  }

  mutating func row(at wall: Int64) -> SampleRow {
    for index in values.indices {
      switch index % 20 {
      case 0..<10: break
      case 10..<13: values[index] += Double(Int.random(in: 0...3000, using: &random))
      case 13..<15: values[index] += Double(Int.random(in: 0...40, using: &random))
      case 15..<17:
        let hundredths = (values[index] * 100).rounded() + 1
        values[index] = (hundredths + Double(Int.random(in: 0...100, using: &random))) / 100
      case 17, 18: values[index] = Double(Int.random(in: 500_000...501_000, using: &random)) * 4096
      case 19 where index % 40 == 19: values[index] = .random(in: 0...100, using: &random)
      default: break
      }
    }
    let series = Array(values.indices)
    defer { isNew = false }
    return SampleRow(
      timestamp: milliseconds(wall), series: series, values: values,
      introduced: isNew
        ? series.map { ($0, ["__name__": "metric_\($0)", "job": "node", "instance": "host"]) } : [])
  }
}
