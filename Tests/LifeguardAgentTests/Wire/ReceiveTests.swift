import LifeguardAgent
import LifeguardCore
import TestSupport
import Testing

/// Remote write into a running agent.
@Suite(.timeLimit(.minutes(2))) struct ReceiveTests {
  private func body(_ labels: Labels, _ samples: [Sample]) -> [UInt8] {
    Snappy.compress(
      WriteRequest(series: [WrittenSeries(labels: labels, samples: samples)]).encoded())
  }

  @Test func `what comes in can be asked for, and bad samples are told`() async throws {
    try await WiredAgent.with("") { (wired: WiredAgent) async throws in
      let now = await wired.agent.now().wall
      let labels: Labels = ["__name__": "received", "job": "other"]
      let good = await wired.agent.receive(body(labels, [Sample(timestamp: now, value: 42)]))
      #expect(good.status == 204 && good.accepted == 1)
      #expect(try await wired.value("received") == 42)
      let late = await wired.agent.receive(
        body(labels, [Sample(timestamp: now - .seconds(5), value: 1)]))
      #expect(late.status == 400 && late.problem == "out of order sample")
      let broken = await wired.agent.receive([1, 2, 3])
      #expect(broken.status == 400 && broken.problem == "snappy: corrupt input")
      #expect(await wired.metric("lifeguard_remote_write_received_samples_total") == 1)
      #expect(
        await wired.metric("lifeguard_remote_write_received_refused_total{reason=\"out_of_order\"}")
          == 1)
    }
  }

  @Test func `a staleness marker ends the series`() async throws {
    try await WiredAgent.with("") { (wired: WiredAgent) async throws in
      let now = await wired.agent.now().wall
      let labels: Labels = ["__name__": "received"]
      _ = await wired.agent.receive(
        body(labels, [Sample(timestamp: now - .seconds(2), value: 1)]))
      #expect(try await wired.value("received") == 1)
      _ = await wired.agent.receive(
        body(labels, [Sample(timestamp: now - .seconds(1), value: .staleMarker)]))
      #expect(try await wired.value("received") == nil)
    }
  }

  @Test func `a flood of requests delays no turn and loses nothing`() async throws {
    try await WiredAgent.with("collect: {series_max: 60000}\n") {
      (wired: WiredAgent) async throws in
      let now = await wired.agent.now().wall
      await withTaskGroup(of: Void.self) { group in
        for sender in 0..<8 {
          group.addTask {
            for round in 0..<4 {
              let request = WriteRequest(
                series: (0..<5000).map { number in
                  WrittenSeries(
                    labels: [
                      "__name__": "flood", "sender": "\(sender)", "number": "\(number)",
                    ],
                    samples: [
                      Sample(
                        timestamp: now - .seconds(10 - Double(round)), value: Double(round))
                    ])
                })
              let outcome = await wired.agent.receive(Snappy.compress(request.encoded()))
              #expect(outcome.status == 204, "\(outcome)")
            }
          }
        }
        await group.waitForAll()
      }
      #expect(try await wired.value("count(flood)") == 40_000)
      #expect(wired.agent.isHealthy)
    }
  }
}
