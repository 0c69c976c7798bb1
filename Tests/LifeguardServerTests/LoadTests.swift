import LifeguardAgent
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardServer

/// The one-second cycle while others do their worst.
///
/// A hundred thousand series instead of a million: a debug build takes a minute to put in more, and
/// what is tested is a limit that does not depend on how far beyond it a selector goes.
@Suite(.serialized, .timeLimit(.minutes(10))) struct LoadTests {
  private static let seriesCount = 100_000
  private static let configuration = """
    default_rules: false
    collect: {series_max: 200000}
    http: {query: {samples_max: 50000, concurrency: 4, timeout: 1m}}
    """

  /// Turns taken, and how many of them were over within a time from their newest sample.
  private struct Turns {
    var all: Double
    var withinHalf: Double
    var withinOne: Double

    init(_ served: ServedAgent) async throws {
      let text = try await served.ask("/metrics").body
      func figure(_ name: String) -> Double {
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        return line.flatMap { Double($0.dropFirst(name.utf8.count + 1)) } ?? 0
      }
      all = figure("lifeguard_turn_latency_seconds_count")
      withinHalf = figure(#"lifeguard_turn_latency_seconds_bucket{le="0.5"}"#)
      withinOne = figure(#"lifeguard_turn_latency_seconds_bucket{le="1.0"}"#)
    }
  }

  /// A body of remote write with series of its own.
  private static func body(_ numbers: Range<Int>, at time: Timestamp) -> [UInt8] {
    let series = numbers.map { number in
      WrittenSeries(
        labels: ["__name__": "many", "job": "load", "n": "\(number)"],
        samples: [Sample(timestamp: time, value: 1)])
    }
    return Snappy.compress(WriteRequest(series: series).encoded())
  }

  /// Until the deadline, one request after another.
  private static func repeatedly(
    until deadline: ContinuousClock.Instant, _ body: () async throws -> Void
  ) async {
    while ContinuousClock.now < deadline {
      // The answer is not what is tested here.
      try? await body()
    }
  }

  @Test func `turns are neither late nor missed while a flood of series, queries and bombs runs`()
    async throws
  {
    try await ServedAgent.with(Self.configuration) { served in
      #expect(await served.isSampled())
      let begin = ContinuousClock.now
      let before = try await Turns(served)
      for start in stride(from: 0, to: Self.seriesCount, by: 10_000) {
        let body = Self.body(start..<start + 10_000, at: await served.agent.now().wall)
        let outcome = await served.agent.receive(body)
        #expect(outcome.accepted == 10_000)
      }
      let selector = try await served.get("/api/v1/query", [("query", #"many{job="load"}"#)])
      #expect(selector.status == 422)
      #expect(selector.body.contains("query processing would load too many samples into memory"))
      let deadline = ContinuousClock.now + .seconds(10)
      let bomb = [UInt8](repeating: 0x12, count: 1 << 20)
      let nested = String(repeating: "(", count: 20_000) + "1"
      await withDiscardingTaskGroup { group in
        for _ in 0..<4 {
          group.addTask {
            await Self.repeatedly(until: deadline) {
              let fields = [("query", QueryLimitTests.endless), ("timeout", "3s")]
              _ = try await served.get("/api/v1/query", fields)
            }
          }
        }
        group.addTask {
          await Self.repeatedly(until: deadline) {
            let limit = ("timeout", "3s")
            _ = try await served.get("/api/v1/query", [("query", #"sum({job="load"})"#), limit])
            _ = try await served.get("/api/v1/series", [("match[]", "many"), limit])
          }
        }
        group.addTask {
          await Self.repeatedly(until: deadline) {
            _ = try await served.form("/api/v1/query", [("query", nested)])
            _ = await served.agent.receive(Snappy.compress(bomb))
          }
        }
      }
      let after = try await Turns(served)
      let seconds = (ContinuousClock.now - begin).seconds
      let turns = after.all - before.all
      #expect(turns >= seconds - 2.5, "\(turns) turns in \(seconds) s")
      let late = turns - (after.withinOne - before.withinOne)
      #expect(late == 0, "\(late) of \(turns) turns took longer than a second")
      let slow = turns - (after.withinHalf - before.withinHalf)
      #expect(slow <= max(1, turns / 20), "\(slow) of \(turns) turns took longer than 0.5 s")
    }
  }
}
