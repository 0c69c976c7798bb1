import LifeguardAgent
import LifeguardCore
import LifeguardHost
import LifeguardStore
import NIOPosix
import TestSupport
import Testing

@testable import LifeguardServer

/// Questions that the disk answers.
@Suite struct StoredQueryTests {
  @Test func `few read the disk at a time, and the others wait in order until their deadline`()
    async throws
  {
    let gate = DiskGate()
    let timer = MultiThreadedEventLoopGroup.singleton.next()
    @Sendable func enter(_ length: Duration) async -> Bool {
      await gate.enter(until: .now + length, for: nil, timer: timer)
    }
    for _ in 0..<DiskGate.insideMax { #expect(await enter(.seconds(60))) }
    #expect(await !enter(.milliseconds(20)))
    #expect(gate.inside == DiskGate.insideMax)
    async let waiting = enter(.seconds(60))
    // The one whose time was up is passed over.
    gate.leave()
    #expect(await waiting)
    #expect(gate.inside == DiskGate.insideMax)
    for _ in 0..<DiskGate.insideMax { gate.leave() }
    #expect(gate.inside == 0)
  }

  @Test func `an answer from down-sampled data says so, and many at once are all answered`()
    async throws
  {
    let now = SystemClock().now().wall
    let answers: @Sendable (ServedAgent) async throws -> Void = { served in
      let time = "\((now - .seconds(16_000)).milliseconds / 1000)"
      let fields = [("query", "max_over_time(wave[30m])"), ("time", time)]
      let answer = try await served.get("/api/v1/query", fields)
      #expect(answer.status == 200)
      let json = try JSON.parse(Array(answer.body.utf8))
      #expect(json["data"]?["result"]?[0]?["value"]?[1] == "49")
      let info = json["infos"]?[0]?.string ?? ""
      #expect(info.hasPrefix("PromQL info: single samples have expired up to "), "\(info)")
      #expect(info.contains("maxima of 1m are read"))
      #expect(json["warnings"] == nil)
      let labels = try await served.get(
        "/api/v1/series", [("match[]", "wave"), ("start", time), ("end", time)])
      #expect(labels.body.contains(#""job":"old""#))
      await withTaskGroup(of: Int.self) { group in
        for _ in 0..<24 {
          group.addTask { (try? await served.get("/api/v1/query", fields).status) ?? 0 }
        }
        for await status in group { #expect(status == 200) }
      }
    }
    try await ServedAgent.with(prepared: { try await Self.prepare($0, before: now) }, answers)
  }

  /// Six hours of a series, most of them rolled up to minutes.
  private static func prepare(
    _ folder: TemporaryFolder, before now: Timestamp
  ) async throws -> String {
    let data = try folder.makeFolder("data", mode: 0o700)
    let store = try SampleStore(
      in: DataDirectory(path: data), now: now,
      settings: SampleStore.Settings(retention: Retention(raw: .seconds(3600))))
    for step in 0..<1800 {
      await store.append(
        SampleRow(
          timestamp: now - .seconds(21_600 - step * 12), series: [0], values: [Double(step % 50)],
          introduced: step == 0 ? [(0, ["__name__": "wave", "job": "old"])] : []))
    }
    return "default_rules: false\n"
  }

  @Test func `bodies are let in by number and by weight`() {
    let room = Room(3, weight: 10)
    #expect(room.enter(4) && room.enter(5))
    #expect(!room.enter(2))
    #expect(room.enter(1) && !room.enter(0))
    room.leave(5)
    #expect(room.enter(5))
  }
}
