import LifeguardCore
import LifeguardStore
import Testing

@testable import LifeguardAgent
@testable import LifeguardHost

@Suite struct SeriesTableTests {
  private static let start = Timestamp(seconds: 1_790_000_000)

  private func batch(_ second: Int64, started: [Int] = []) -> CollectedBatch {
    CollectedBatch(
      collector: "test", takenAt: Self.start + .seconds(second), duration: .zero,
      interval: .seconds(1),
      started: started.map {
        StartedSeries(
          slot: $0, family: MetricFamily(name: "m\($0)", help: "", type: .gauge), labels: [:])
      }, values: [1, 2, 3])
  }

  private func turn(seriesMax: Int) -> Turn {
    Turn(
      head: Head(seriesMax: seriesMax), monitor: Monitor(policy: Policy(host: "host")))
  }

  @Test func `a series that found no room gets some when others have gone`() throws {
    var turn = turn(seriesMax: 3)
    var table = SeriesTable(common: ["job": "node"])
    let other = try turn.head.reference(for: ["__name__": "other"])
    try turn.head.append(other, at: Self.start - .seconds(7200), 1)
    var row = table.newRow(at: Self.start)
    table.take(batch(0, started: [0, 1, 2]), into: &turn, row: &row)
    #expect(row.series == [0, 1] && row.introduced.map(\.series) == [0, 1])
    #expect(table.withoutRoom == 1)
    // Waiting does not count as being refused again and again.
    row = table.newRow(at: Self.start)
    table.take(batch(1), into: &turn, row: &row)
    #expect(row.series == [0, 1] && turn.head.counters.refusedSeries == 1)
    turn.head.removeSamples(before: Self.start - .seconds(3600))
    row = table.newRow(at: Self.start)
    table.take(batch(2), into: &turn, row: &row)
    #expect(row.series == [0, 1, 2] && row.introduced.map(\.series) == [2])
    #expect(row.introduced.first?.labels == ["__name__": "m2", "job": "node"])
    #expect(table.withoutRoom == 0)
  }

  @Test func `series that were forgotten after a clock that jumped ahead go on`() throws {
    var turn = turn(seriesMax: 3)
    var table = SeriesTable(common: [:])
    var row = table.newRow(at: Self.start)
    table.take(batch(0, started: [0, 1, 2]), into: &turn, row: &row)
    turn.head.removeSamples(before: Self.start + .seconds(3600))
    #expect(turn.head.seriesCount == 0)
    row = table.newRow(at: Self.start)
    table.take(batch(7200), into: &turn, row: &row)
    #expect(table.withoutRoom == 0 && turn.head.seriesCount == 3)
    row = table.newRow(at: Self.start)
    table.take(batch(7201), into: &turn, row: &row)
    #expect(row.series == [0, 1, 2])
  }
}
