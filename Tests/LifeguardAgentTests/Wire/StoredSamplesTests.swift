import Glibc
import LifeguardCore
import LifeguardHost
import LifeguardStore
import TestSupport
import Testing

@testable import LifeguardAgent

/// An agent and its `samples.db`.
@Suite(.timeLimit(.minutes(2))) struct StoredSamplesTests {
  @Test func `a damaged file is set aside, told as an alert, shown and counted`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let data = try folder.makeFolder("data", mode: 0o700)
    try TextFile.write(String(repeating: "no database", count: 10_000), to: "\(data)/samples.db")
    try await WiredAgent.with("interval: 1s\n", in: folder) { (wired: WiredAgent) async throws in
      func told() async -> AlertStatus? {
        await wired.agent.alerts.first { $0.name == "LifeguardSamplesSetAside" }
      }
      #expect(await eventually { await told() != nil })
      let alert = try #require(await told())
      #expect(alert.state == "firing")
      #expect(alert.summary.contains("\(data)/samples.db.corrupt-"))
      let status = await wired.agent.status(listening: "")
      #expect(status.storage.samples.hasPrefix("a damaged file was set aside: \(data)/samples.db"))
      #expect(await wired.metric("lifeguard_samples_set_aside") == 1)
      // The new file takes samples.
      #expect(await eventually { await wired.metric("lifeguard_samples_written_total") ?? 0 > 0 })
      #expect(await wired.metric("lifeguard_samples_writable") == 1)
      #expect(await !wired.agent.alerts.contains { $0.name == "LifeguardSamplesNotWritten" })
    }
  }

  @Test func `a limit of series is told as an alert that says what to do`() async throws {
    try await WiredAgent.with("collect: {series_max: 100}\n") { (wired: WiredAgent) async throws in
      func told() async -> AlertStatus? {
        await wired.agent.alerts.first { $0.name == "LifeguardSeriesLimit" }
      }
      #expect(await eventually { await told() != nil })
      let alert = try #require(await told())
      #expect(alert.labels["where"] == "memory")
      #expect(alert.summary.contains("100 series are in memory"))
      #expect(alert.summary.contains("collect.series_max"))
    }
  }

  /// Writes one sample of a series for each of the ages.
  private func write(_ ages: [Duration], before now: Timestamp, to data: String) async throws {
    let store = try SampleStore(in: DataDirectory(path: data), now: now)
    for (index, age) in ages.sorted(by: >).enumerated() {
      await store.append(
        SampleRow(
          timestamp: now - age, series: [0], values: [1],
          introduced: index == 0 ? [(0, ["__name__": "old"])] : []))
    }
  }

  @Test func `memory reaches back as far as was read back, and no further`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let data = try folder.makeFolder("data", mode: 0o700)
    let now = SystemClock().now().wall
    let many = (0..<200).map { Duration.milliseconds(400_000 + Int64($0) * 500) }
    try await write(many + [.seconds(250), .seconds(100), .seconds(5)], before: now, to: data)
    try await WiredAgent.with("interval: 1s\n", in: folder) { (wired: WiredAgent) async throws in
      let agent = wired.agent
      let started = await agent.startedAt.wall
      // The usual limit takes all of it.
      let whole = await agent.memoryReach
      #expect(whole >= started - .seconds(600) && whole < started - .seconds(590))
      // Ten minutes hold too much now, five do not: there are this host's own samples as well.
      let end = await agent.now().wall
      let five = try await agent.history.read(from: end - .seconds(300), to: end).series
      await agent.refill(samplesMax: five.reduce(100) { $0 + $1.samples.count })
      let half = await agent.memoryReach
      #expect(half > started - .seconds(301) && half < started - .seconds(250))
      // Nothing fits: what was before the start is on the disk alone.
      await agent.refill(samplesMax: 0)
      #expect(await agent.memoryReach == started)
    }
  }

  @Test func `a series that came with a row that was lost comes with the next one`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let store = try SampleStore(
      in: DataDirectory(path: folder / "data"), now: Timestamp(seconds: 0))
    var table = SeriesTable(common: [:])
    func row(_ second: Double, _ series: [Int], new: [Int] = [], ended: [Int] = []) -> SampleRow {
      var row = table.newRow(at: Timestamp(seconds: second))
      row.series = series
      row.values = series.map(Double.init)
      row.introduced += new.map { ($0, ["__name__": "m\($0)"]) }
      row.ended += ended
      return row
    }
    func hand(_ row: SampleRow) -> Bool { table.hand(row, to: store) }
    // Nobody writes: the disk hangs.
    #expect(hand(row(1, [1], new: [1])))
    for second in 2...SampleStore.queueMax {
      #expect(hand(row(Double(second), [1])))
    }
    #expect(!hand(row(200, [1, 2, 3], new: [2, 3])))
    // One that came and went meanwhile is never heard of; one from before is let go.
    #expect(!hand(row(201, [2], ended: [1, 3])))
    // A row without samples says nothing and loses nothing.
    #expect(hand(row(202, [])))
    let next = row(203, [2])
    #expect(next.introduced.map(\.series) == [2] && next.ended == [1])
    store.finish()
    await store.run()
    await store.append(next)
    let found = try await SampleArchive(path: folder / "data/samples.db").read(
      from: Timestamp(seconds: 0), to: Timestamp(seconds: 1000))
    #expect(found.series.map(\.labels.metric) == ["m1", "m2"])
    #expect(found.series.last?.samples.map(\.value) == [2])
    #expect(await store.statistics.unknownSamples == 0)
  }
}
