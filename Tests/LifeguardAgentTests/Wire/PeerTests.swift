import LifeguardAgent
import LifeguardCore
import Synchronization
import TestSupport
import Testing

/// The wire formats against those who speak them: Prometheus, vmagent, node_exporter.
@Suite(.serialized, .timeLimit(.minutes(3))) struct PeerTests {
  private static let prometheus = Requirement.program("prometheus")
  private static let agent = Requirement.program("vmagent")
  private static let exporter = Requirement.program("prometheus-node-exporter")

  private func startPrometheus(
    _ folder: TemporaryFolder, port: Int, _ configuration: String = "", _ more: [String] = []
  ) throws -> ChildProgram {
    try TextFile.write(
      "global: {scrape_interval: 1s, scrape_timeout: 900ms}\n" + configuration,
      to: folder / "prometheus.yml")
    return try ChildProgram(
      [
        try #require(Requirement.locate("prometheus")),
        "--config.file=\(folder / "prometheus.yml")",
        "--storage.tsdb.path=\(folder / "tsdb")", "--web.listen-address=127.0.0.1:\(port)",
        "--log.level=warn",
      ] + more)
  }

  /// What a query gives: each series' labels and points.
  private func ask(_ port: Int, _ expression: String) throws -> [(Labels, [(Double, String)])] {
    let escaped = expression.utf8.map { byte in
      "%" + String(byte / 16, radix: 16) + String(byte % 16, radix: 16)
    }
    let answer = try HTTPExchange.send("GET", path(escaped.joined()), port: port)
    let result = try JSON.parse(Array(answer.body.utf8))["data"]?["result"]?.array ?? []
    return result.map { series in
      var labels = Labels()
      for (name, value) in series["metric"]?.object?.members ?? [] { labels[name] = value.string }
      let points: [JSON] = series["values"]?.array ?? [series["value"] ?? JSON.null]
      return (labels, points.map { ($0[0]?.double ?? 0, $0[1]?.string ?? "") })
    }
  }

  private func path(_ query: String) -> String { "/api/v1/query?query=\(query)" }

  @Test(.enabled(if: prometheus.isMet, "\(prometheus.reason)"))
  func `Prometheus takes what we send, and nothing is lost while it restarts`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let port = try FreePort.tcp()
    let flags = ["--web.enable-remote-write-receiver"]
    let configuration = """
      interval: 500ms
      remote_write:
        - url: 'http://127.0.0.1:\(port)/api/v1/write'
          name: prometheus
          queue_config: {batch_send_deadline: 300ms, max_backoff: 200ms}

      """
    let first = try startPrometheus(folder, port: port, "", flags)
    try await WiredAgent.with(configuration) { (wired: WiredAgent) async throws in
      #expect(await eventually { try !ask(port, "node_load1").isEmpty })
      await first.terminate()
      let away = await wired.agent.now().wall
      try await Task.sleep(for: .seconds(3))
      let second = try startPrometheus(folder, port: port, "", flags)
      defer { second.kill() }
      #expect(
        await eventually(within: .seconds(40)) {
          try ask(port, "node_load1[5m]").first?.1.contains {
            $0.0 > away.seconds + 4
          } == true
        })
      // One sample every half second, with none missing in between.
      let points = try #require(try ask(port, "node_load1[5m]").first?.1.map(\.0))
      let gaps = zip(points, points.dropFirst()).map { $1 - $0 }
      #expect(gaps.allSatisfy { $0 < 1.4 }, "\(gaps)")
      #expect(
        await wired.metric(
          "lifeguard_remote_write_samples_dropped_total{remote_name=\"prometheus\"}") == 0)
      // The numbers themselves.
      let ours = try await wired.value("node_boot_time_seconds")
      #expect(try ask(port, "node_boot_time_seconds").first.flatMap { Double($0.1[0].1) } == ours)
    }
  }

  @Test(.enabled(if: prometheus.isMet, "\(prometheus.reason)"))
  func `Prometheus sees every series end when the agent ends`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let port = try FreePort.tcp()
    let peer = try startPrometheus(folder, port: port, "", ["--web.enable-remote-write-receiver"])
    defer { peer.kill() }
    #expect(await eventually { FreePort.answers(port) })
    try await WiredAgent.with(
      """
      remote_write:
        - url: 'http://127.0.0.1:\(port)/api/v1/write'
          queue_config: {batch_send_deadline: 300ms}

      """
    ) { (_: WiredAgent) async throws in
      #expect(await eventually { try !ask(port, "node_load1").isEmpty })
    }
    #expect(await eventually { try ask(port, "node_load1").isEmpty })
    #expect(try !ask(port, "node_load1[1m]").isEmpty)
  }

  /// Takes remote write requests for an agent: the route itself is the server's.
  private func door(_ agent: Agent) async throws -> ByteServer {
    try await ByteServer { request in
      let outcome = await agent.receive(request.body)
      return ByteServer.Answer(
        status: outcome.status, body: Array((outcome.problem ?? "").utf8))
    }
  }

  @Test(.enabled(if: prometheus.isMet, "\(prometheus.reason)"))
  func `Prometheus sends to us what it scrapes`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    try await WiredAgent.with("") { (wired: WiredAgent) async throws in
      let door = try await door(wired.agent)
      let port = try FreePort.tcp()
      let peer = try startPrometheus(
        folder, port: port,
        """
        scrape_configs:
          - job_name: itself
            static_configs: [{targets: ['127.0.0.1:\(port)']}]
        remote_write:
          - url: 'http://\(door.address)/api/v1/write'
            queue_config: {batch_send_deadline: 500ms}

        """)
      #expect(
        await eventually { try await wired.value("prometheus_build_info{job=\"itself\"}") == 1 })
      #expect(
        await eventually {
          (try await wired.value("rate(prometheus_http_requests_total{handler=\"/metrics\"}[10s])"))
            ?? 0 > 0.5
        })
      // The same series with the same labels.
      let theirs = try Set(ask(port, "{job=\"itself\"}").map(\.0))
      #expect(
        await eventually { try await Set(wired.labels("{job=\"itself\"}")) == theirs })
      #expect(
        await wired.metric("lifeguard_remote_write_received_refused_total{reason=\"out_of_order\"}")
          == 0)
      await peer.terminate()
      try await door.close()
    }
  }

  @Test(
    .enabled(
      if: agent.isMet && exporter.isMet, "\(Requirement.all(agent, exporter).reason)"))
  func `vmagent sends to us what it scrapes`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let node = try FreePort.tcp()
    let exporter = try ChildProgram(
      ["prometheus-node-exporter", "--web.listen-address=127.0.0.1:\(node)", "--log.level=error"])
    defer { exporter.kill() }
    try TextFile.write(
      """
      global: {scrape_interval: 1s}
      scrape_configs: [{job_name: node, static_configs: [{targets: ['127.0.0.1:\(node)']}]}]

      """, to: folder / "scrape.yml")
    try await WiredAgent.with("") { (wired: WiredAgent) async throws in
      let door = try await door(wired.agent)
      let port = try FreePort.tcp()
      let peer = try ChildProgram([
        "vmagent", "-promscrape.config=\(folder / "scrape.yml")",
        "-remoteWrite.url=http://\(door.address)/api/v1/write",
        "-remoteWrite.tmpDataPath=\(folder / "vm")", "-remoteWrite.flushInterval=200ms",
        "-httpListenAddr=127.0.0.1:\(port)", "-loggerLevel=ERROR",
      ])
      let instance = "instance=\"127.0.0.1:\(node)\""
      #expect(await eventually { try await wired.value("up{\(instance)}") == 1 })
      #expect(await eventually { try await wired.value("count({\(instance)})") ?? 0 > 400 })
      await peer.terminate()
      try await door.close()
    }
  }

  @Test(
    .enabled(
      if: prometheus.isMet && exporter.isMet, "\(Requirement.all(prometheus, exporter).reason)"))
  func `our scrape of node_exporter gives what Prometheus' own gives`() async throws {
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    let node = try FreePort.tcp()
    let port = try FreePort.tcp()
    let exporter = try ChildProgram(
      ["prometheus-node-exporter", "--web.listen-address=127.0.0.1:\(node)", "--log.level=error"])
    defer { exporter.kill() }
    #expect(await eventually { FreePort.answers(node) })
    let peer = try startPrometheus(
      folder, port: port,
      "scrape_configs: [{job_name: peer, static_configs: [{targets: ['127.0.0.1:\(node)']}]}]\n")
    defer { peer.kill() }
    let configuration =
      "collect: {scrape: [{job: peer, targets: ['127.0.0.1:\(node)'], interval: 1s}]}\n"
    try await WiredAgent.with(configuration) { (wired: WiredAgent) async throws in
      #expect(await eventually { try await wired.value("up{job=\"peer\"}") == 1 })
      #expect(await eventually { try ask(port, "up{job=\"peer\"}").first?.1.first?.1 == "1" })
      // Devices and the like may come and go between two scrapes.
      #expect(
        await eventually {
          let ours = Set(try await wired.labels("{job=\"peer\"}"))
          // Since version 3 numbers in these labels are written with their point.
          let theirs = Set(
            try ask(port, "{job=\"peer\"}").map { labels, _ -> Labels in
              var labels = labels
              if let quantile = labels["quantile"], !quantile.contains(".") {
                labels["quantile"] = quantile + ".0"
              }
              return labels
            })
          return ours.count > 400 && ours == theirs
        })
      // What does not change is the same number.
      for name in [
        "node_boot_time_seconds", "node_memory_MemTotal_bytes", "node_time_zone_offset_seconds",
      ] {
        let ours = try await wired.value("\(name){job=\"peer\"}")
        let theirs = try ask(port, "\(name){job=\"peer\"}").first.flatMap { Double($0.1[0].1) }
        #expect(ours == theirs, "\(name)")
      }
    }
  }
}
