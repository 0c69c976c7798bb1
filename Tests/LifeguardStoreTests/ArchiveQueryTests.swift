import LifeguardCore
import Testing

@testable import LifeguardStore

@Suite struct `Queries over stored samples` {
  let folder: TemporaryFolder
  let path: String
  private static let hour: Int64 = 3_600_000

  init() throws {
    folder = try TemporaryFolder()
    path = "\(folder.path)/data"
  }

  private var archive: SampleArchive { SampleArchive(path: "\(path)/samples.db") }

  private func open(_ retention: Retention) throws -> SampleStore {
    try SampleStore(
      in: DataDirectory(path: path), now: milliseconds(0), settings: .init(retention: retention))
  }

  /// Two series every ten seconds: a counter that is reset each 1000 s, and a wave.
  private func write(_ store: SampleStore, hours: Int64) async throws -> Head {
    var head = Head()
    let names: [Labels] = [
      ["__name__": "requests_total", "job": "a"], ["__name__": "wave", "job": "b"],
    ]
    let references = try names.map { try head.reference(for: $0) }
    for step in Int64(1)...hours * 360 {
      let time = milliseconds(step * 10_000)
      let values = [Double(step % 100 * 3), Double((step * 7919) % 1000) / 10]
      for (reference, value) in zip(references, values) {
        try head.append(reference, at: time, value)
      }
      await store.append(
        SampleRow(
          timestamp: time, series: [0, 1], values: values,
          introduced: step == 1 ? [(0, names[0]), (1, names[1])] : []))
    }
    #expect(await store.statistics.failure == nil)
    return head
  }

  private func instant(_ text: String, at time: Int64) async throws -> QueryResult {
    let query = try Query(parsing: text)
    let source = try await archive.source(
      for: query, from: milliseconds(time), to: milliseconds(time))
    var result = try query.instant(over: source, at: milliseconds(time))
    result.infos += source.infos
    return result
  }

  private func values(_ result: QueryResult) -> [Double] {
    guard case .vector(let elements) = result.value else { return [] }
    return elements.sorted { $0.labels < $1.labels }.map(\.value)
  }

  @Test(arguments: [
    "requests_total", "rate(requests_total[5m])", #"{__name__=~"wave|nothing"}"#,
    #"max_over_time({job!="a",__name__!=""}[30m])"#, "sum_over_time(wave[1h] offset 1h)",
    "max_over_time(rate(requests_total[5m])[1h:1m])", #"wave{job!~"b.+"} @ 5000"#,
    "count_over_time(wave[2h:5m] offset 10m)",
  ])
  func `single samples on disk give what memory gives`(text: String) async throws {
    let store = try open(Retention())
    let head = try await write(store, hours: 5)
    let query = try Query(parsing: text)
    let end = 5 * Self.hour
    let source = try await archive.source(
      for: query, from: milliseconds(2 * Self.hour), to: milliseconds(end), step: .seconds(600))
    let expected = try query.range(
      over: head, from: milliseconds(2 * Self.hour), to: milliseconds(end), step: .seconds(600))
    let found = try query.range(
      over: source, from: milliseconds(2 * Self.hour), to: milliseconds(end), step: .seconds(600))
    #expect(found == expected)
    #expect(source.infos.isEmpty)
    // The same with memory in front that holds the last hour only.
    var young = head
    young.removeSamples(before: milliseconds(4 * Self.hour))
    let merged = MergedSource(newer: young.snapshot(), older: source)
    let joined = try query.range(
      over: merged, from: milliseconds(2 * Self.hour), to: milliseconds(end), step: .seconds(600))
    #expect(joined == expected)
  }

  @Test func `each function reads its own figure of what was down-sampled, and says so`()
    async throws
  {
    let store = try open(Retention(raw: .seconds(3600)))
    let head = try await write(store, hours: 10)
    let statistics = try await archive.statistics()
    #expect(statistics.tiers[1].samples > 0)
    let raw = try #require(statistics.tiers[0].oldest)
    #expect(raw > 8 * Self.hour - 1_000_000)
    let time = 5 * Self.hour
    for text in [
      "min_over_time(wave[1h])", "max_over_time(wave[1h])", "sum_over_time(wave[1h])",
      "count_over_time(wave[1h])", "last_over_time(wave[10m])", "wave", "requests_total",
    ] {
      let result = try await instant(text, at: time)
      let expected = try Query(parsing: text).instant(over: head, at: milliseconds(time))
      let pairs = zip(values(result), values(expected))
      #expect(values(result).count == values(expected).count)
      #expect(pairs.allSatisfy { ($0 - $1).magnitude <= 1e-9 * $1.magnitude }, "\(text)")
      #expect(result.infos.count == 1)
      #expect(result.infos.first?.text.contains("of 1m are read") == true)
    }
    let average = values(try await instant("avg_over_time(wave[1h])", at: time))
    let exact = values(
      try Query(parsing: "avg_over_time(wave[1h])").instant(over: head, at: milliseconds(time)))
    #expect((average[0] - exact[0]).magnitude < 1e-9)
  }

  @Test func `a counter's resets inside and between buckets are made good`() async throws {
    let store = try open(Retention(raw: .seconds(3600), minute: .seconds(4 * 3600)))
    let head = try await write(store, hours: 14)
    let statistics = try await archive.statistics()
    #expect(statistics.tiers[2].samples > 0)
    // In minutes, in hours, and over both and single samples.
    for (text, end) in [
      ("increase(requests_total[2h])", 12 * Self.hour),
      ("increase(requests_total[4h])", 6 * Self.hour),
      ("increase(requests_total[13h])", 14 * Self.hour),
      ("rate(requests_total[5m])", 5 * Self.hour),
    ] {
      let found = values(try await instant(text, at: end))
      let expected = values(try Query(parsing: text).instant(over: head, at: milliseconds(end)))
      #expect(found.count == 1)
      let relative = (found[0] / expected[0] - 1).magnitude
      // An hour's figure says nothing about five minutes of it but their share.
      let tolerance = text.contains("5m") ? 0.2 : 0.02
      #expect(relative < tolerance, "\(text): \(found) \(expected)")
    }
  }

  @Test func `limits and a missing file are clear errors`() async throws {
    await #expect(throws: ArchiveError.self) {
      try await archive.source(
        for: Query(parsing: "up"), from: milliseconds(0), to: milliseconds(1))
    }
    let store = try open(Retention())
    _ = try await write(store, hours: 3)
    let query = try Query(parsing: "wave[3h]")
    do throws(ArchiveError) {
      _ = try await archive.source(
        for: query, from: milliseconds(3 * Self.hour), to: milliseconds(3 * Self.hour),
        limits: ArchiveLimits(samplesMax: 100))
      Issue.record("100 samples were enough")
    } catch {
      #expect("\(error)" == QueryError.tooManySamples.description)
    }
  }

  @Test func `label sets are listed with the time they have samples in`() async throws {
    let store = try open(Retention())
    _ = try await write(store, hours: 2)
    let all = [Matcher(name: "job", equals: "a")]
    let found = try await archive.labels(
      matching: [all], from: milliseconds(0), to: milliseconds(Self.hour))
    #expect(found.labels.map(\.metric) == ["requests_total"])
    let later = try await archive.labels(
      matching: [all], from: milliseconds(50 * Self.hour), to: milliseconds(60 * Self.hour))
    #expect(later.labels.isEmpty)
  }

  @Test func `damaged chunks that were left out are a warning`() throws {
    let query = try Query(parsing: "wave")
    let source = StoredSource(series: [], query: query, reads: [], matched: [], damaged: 3)
    #expect(source.infos.isEmpty)
    #expect(
      source.warnings.map(\.description) == [
        "PromQL warning: 3 damaged chunks of stored samples were left out; see lifeguard db verify (1:1)"
      ])
  }
}
