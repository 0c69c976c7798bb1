import LifeguardAgent
import LifeguardCore
import Synchronization
import TestSupport
import Testing

/// Remote write out of a running agent, to a store of the test's own.
@Suite(.timeLimit(.minutes(2))) struct RemoteWriteTests {
  /// What a store was sent.
  private final class Store: Sendable {
    struct State {
      var samples: [Labels: [Sample]] = [:]
      var bodies: [[UInt8]] = []
      var headers: [[String: String]] = []
      var problems: [String] = []
      /// What to answer next; then 204.
      var answers: [ByteServer.Answer] = []
    }

    let state = Mutex(State())

    func take(_ request: ByteServer.Request) -> ByteServer.Answer {
      state.withLock { state in
        state.bodies.append(request.body)
        state.headers.append(
          Dictionary(request.headers.map { ($0.name.lowercased(), $0.value) }) { $1 })
        guard state.answers.isEmpty else { return state.answers.removeFirst() }
        do {
          let write = try DecodedWrite(body: request.body)
          for series in write.series {
            state.samples[try write.labels(of: series), default: []] +=
              write.samples[series.samples]
          }
        } catch {
          state.problems.append("\(error)")
        }
        return ByteServer.Answer(status: 204)
      }
    }

    func samples(_ name: String) -> [Sample] {
      state.withLock { state in
        state.samples.first { $0.key.metric == name }?.value ?? []
      }
    }

    var requests: Int { state.withLock { $0.bodies.count } }
  }

  private func configuration(_ server: ByteServer, _ more: String = "") -> String {
    """
    interval: 200ms
    external_labels: {region: here}
    remote_write:
      - url: 'http://\(server.address)/api/v1/write'
        name: store
        queue_config: {batch_send_deadline: 200ms, min_backoff: 20ms, max_backoff: 100ms}
        write_relabel_configs:
          - {source_labels: [__name__], regex: 'node_cpu_.*', action: drop}
    \(more)
    """
  }

  @Test func `every sample arrives once, in order, relabelled, with the external labels`()
    async throws
  {
    let store = Store()
    let server = try await ByteServer { store.take($0) }
    try await WiredAgent.with(configuration(server)) { (wired: WiredAgent) async throws in
      #expect(await eventually { store.samples("node_load1").count > 5 })
      #expect(
        (await wired.metric("lifeguard_remote_write_samples_total{remote_name=\"store\"}"))! > 5)
      #expect(
        await wired.metric("lifeguard_remote_write_samples_failed_total{remote_name=\"store\"}")
          == 0)
    }
    let state = store.state.withLock { $0 }
    #expect(state.problems.isEmpty)
    #expect(!state.samples.keys.contains { $0.metric.hasPrefix("node_cpu_") })
    #expect(state.samples.keys.allSatisfy { $0["region"] == "here" && $0["job"] == "node" })
    for (labels, samples) in state.samples {
      let times = samples.map(\.timestamp)
      #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 }, "\(labels)")
    }
    let headers = try #require(state.headers.first)
    #expect(headers["content-type"] == "application/x-protobuf")
    #expect(headers["content-encoding"] == "snappy")
    #expect(headers["x-prometheus-remote-write-version"] == "0.1.0")
    // A clean end ends every series.
    #expect(store.samples("node_load1").last?.isStaleMarker == true)
    try await server.close()
  }

  @Test func `5xx is tried again with the same body, 4xx is dropped and counted`() async throws {
    let store = Store()
    store.state.withLock {
      $0.answers = [
        ByteServer.Answer(status: 500), ByteServer.Answer(status: 503),
        ByteServer.Answer(status: 400, body: Array("out of order sample".utf8)),
      ]
    }
    let server = try await ByteServer { store.take($0) }
    try await WiredAgent.with(configuration(server)) { (wired: WiredAgent) async throws in
      #expect(await eventually { store.requests > 4 })
      #expect(
        (await wired.metric("lifeguard_remote_write_samples_failed_total{remote_name=\"store\"}"))!
          > 0)
      #expect(
        (await wired.metric("lifeguard_remote_write_samples_retried_total{remote_name=\"store\"}"))!
          > 0)
      #expect(
        await eventually {
          await wired.agent.alerts.contains { $0.name == "LifeguardRemoteWriteDropping" }
        })
    }
    let bodies = store.state.withLock { $0.bodies }
    #expect(bodies[0] == bodies[1] && bodies[1] == bodies[2])
    #expect(bodies[3] != bodies[2])
    try await server.close()
  }

  @Test func `Retry-After is respected`() async throws {
    let store = Store()
    store.state.withLock {
      $0.answers = [ByteServer.Answer(status: 429, headers: [("Retry-After", "2")])]
    }
    let server = try await ByteServer { store.take($0) }
    try await WiredAgent.with(configuration(server)) { (_: WiredAgent) async throws in
      #expect(await eventually { store.requests == 1 })
      #expect(await holds(for: .seconds(1)) { store.requests == 1 })
      #expect(await eventually { store.requests > 1 })
    }
    let bodies = store.state.withLock { $0.bodies }
    #expect(bodies[0] == bodies[1])
    try await server.close()
  }

  @Test func `what waits survives the end of the agent and a store that was away`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let store = Store()
    let port = try FreePort.tcp()
    let away = """
      interval: 200ms
      remote_write:
        - url: 'http://127.0.0.1:\(port)/api/v1/write'
          name: store
          queue_config: {batch_send_deadline: 200ms, max_backoff: 100ms}

      """
    let last = Mutex(Timestamp(milliseconds: 0))
    try await WiredAgent.with(away, in: folder) { (wired: WiredAgent) async throws in
      #expect(
        await eventually(within: .seconds(60)) {
          (await wired.metric("lifeguard_remote_write_samples_pending{remote_name=\"store\"}")) ?? 0
            > 2000
        })
      let now = await wired.agent.now().wall
      last.withLock { $0 = now }
    }
    let server = try await ByteServer(port: port) { store.take($0) }
    try await WiredAgent.with(away, in: folder) { (_: WiredAgent) async throws in
      let end = last.withLock { $0 }
      #expect(
        await eventually {
          store.samples("node_load1").contains { $0.timestamp > end + .seconds(1) }
        })
    }
    let samples = store.samples("node_load1")
    let end = last.withLock { $0 }
    // Those from before the restart, none of them twice.
    #expect(samples.count { $0.timestamp < end } > 2)
    #expect(Set(samples.map(\.timestamp)).count == samples.count)
    #expect(samples.contains { $0.isStaleMarker && $0.timestamp <= end + .seconds(10) })
    try await server.close()
  }
}
