import LifeguardAgent
import LifeguardCore
import NIOHTTP1
import Synchronization
import TestSupport
import Testing

/// Scraping real HTTP servers.
@Suite(.timeLimit(.minutes(2))) struct ScrapeTests {
  private func job(_ address: String, _ more: String = "") -> String {
    "collect:\n  scrape:\n    - {job: test, targets: ['\(address)'], interval: 200ms, timeout: 100ms"
      + "\(more)}\n"
  }

  @Test func `samples come with the target's labels, and up and its company beside them`()
    async throws
  {
    let seen = Mutex<[ByteServer.Request]>([])
    let server = try await ByteServer { request in
      seen.withLock { $0.append(request) }
      return .text("# TYPE jobs gauge\njobs{queue=\"a\",job=\"own\"} 3\njobs{queue=\"b\"} 4\n")
    }
    let configuration = job(
      server.address, ", metrics_path: /m, params: {x: ['a b']}, labels: {team: ops}")
    try await WiredAgent.with(configuration) { (wired: WiredAgent) async throws in
      #expect(await eventually { try await wired.value("up{job=\"test\"}") == 1 })
      let labels = try await wired.labels("jobs{queue=\"a\"}")
      #expect(
        labels == [
          [
            "__name__": "jobs", "queue": "a", "job": "test", "exported_job": "own",
            "instance": server.address, "team": "ops",
          ]
        ])
      #expect(try await wired.value("scrape_samples_scraped") == 2)
      #expect(try await wired.value("scrape_samples_post_metric_relabeling") == 2)
      #expect(await eventually { try await wired.value("scrape_series_added") == 0 })
      let status = try #require(wired.agent.scrapeTargets.first)
      #expect(status.health == .up && status.lastError.isEmpty && status.lastScrape != nil)
      #expect(status.url == "http://\(server.address)/m?x=a%20b")
      #expect(status.discoveredLabels["__address__"] == server.address)
    }
    let request = try #require(seen.withLock { $0.first })
    #expect(request.path == "/m?x=a%20b")
    #expect(request.headers["accept"].first?.hasPrefix("application/openmetrics-text") == true)
    #expect(request.headers["accept-encoding"].first == "gzip")
    #expect(request.headers["x-prometheus-scrape-timeout-seconds"].first == "0.1")
    try await server.close()
  }

  @Test func `a series that is gone and a target that fails end at once`() async throws {
    let phase = Mutex(0)
    let server = try await ByteServer { _ in
      switch phase.withLock({ $0 }) {
      case 0: .text("a 1\nb 2\n")
      case 1: .text("a 1\n")
      default: ByteServer.Answer(status: 500)
      }
    }
    try await WiredAgent.with(job(server.address)) { (wired: WiredAgent) async throws in
      #expect(await eventually { try await wired.value("b") == 2 })
      phase.withLock { $0 = 1 }
      #expect(await eventually { try await wired.value("b") == nil })
      #expect(try await wired.value("a") == 1)
      phase.withLock { $0 = 2 }
      #expect(await eventually { try await wired.value("a") == nil })
      #expect(try await wired.value("up{job=\"test\"}") == 0)
      #expect(wired.agent.scrapeTargets.first?.lastError.contains("500") == true)
      phase.withLock { $0 = 0 }
      #expect(await eventually { try await wired.value("b") == 2 })
    }
    try await server.close()
  }

  @Test func `a target that a reload removes ends with all its series`() async throws {
    let server = try await ByteServer { _ in .text("a 1\n") }
    try await WiredAgent.with(job(server.address)) { (wired: WiredAgent) async throws in
      #expect(await eventually { try await wired.value("a") == 1 })
      try await wired.reload("interval: 1s\n")
      #expect(await eventually { try await wired.value("a") == nil })
      #expect(try await wired.value("up{job=\"test\"}") == nil)
      #expect(wired.agent.scrapeTargets.isEmpty)
    }
    try await server.close()
  }

  @Test func `OpenMetrics and gzip are understood`() async throws {
    // `printf '# TYPE a counter\na_total 7\n# EOF\n' | gzip -n`
    let zipped = try await ChildProgram.run(
      [
        "python3", "-c",
        "import gzip;print(gzip.compress(b'# TYPE a counter\\na_total 7\\n# EOF\\n').hex())",
      ])
    let hex = Array(zipped.standardOutput.utf8.filter { $0 != 10 })
    let body = stride(from: 0, to: hex.count, by: 2).compactMap {
      UInt8(String(decoding: hex[$0..<($0 + 2)], as: UTF8.self), radix: 16)
    }
    let server = try await ByteServer { _ in
      ByteServer.Answer(
        headers: [
          ("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
          ("Content-Encoding", "gzip"),
        ], body: body)
    }
    try await WiredAgent.with(job(server.address)) { (wired: WiredAgent) async throws in
      #expect(await eventually { try await wired.value("a_total") == 7 })
      // Told after the samples, which are seen at once.
      #expect(
        await eventually { await wired.agent.remoteFamilies.contains { $0.name == "a_total" } })
    }
    try await server.close()
  }

  @Test func `relabelling chooses targets and series`() async throws {
    let server = try await ByteServer { _ in .text("keep_me 1\ndrop_me 2\n") }
    let configuration = """
      collect:
        scrape:
          - job: test
            targets: ['\(server.address)', 'nowhere:1']
            interval: 200ms
            relabel_configs:
              - {source_labels: [__address__], regex: 'nowhere:.*', action: drop}
              - {source_labels: [__address__], regex: '(.*):.*', target_label: host}
            metric_relabel_configs:
              - {source_labels: [__name__], regex: drop_.*, action: drop}

      """
    try await WiredAgent.with(configuration) { (wired: WiredAgent) async throws in
      #expect(await eventually { try await wired.value("keep_me{host=\"127.0.0.1\"}") == 1 })
      #expect(try await wired.value("drop_me") == nil)
      #expect(try await wired.value("scrape_samples_scraped") == 2)
      #expect(try await wired.value("scrape_samples_post_metric_relabeling") == 1)
      #expect(wired.agent.scrapeTargets.count { $0.isDropped } == 1)
    }
    try await server.close()
  }

  @Test func `hostile targets fail alone, each with its reason`() async throws {
    let bomb = try await ChildProgram.run(
      ["python3", "-c", "import gzip;print(gzip.compress(b'a 1\\n'*3000000).hex())"])
    let hex = Array(bomb.standardOutput.utf8.filter { $0 != 10 })
    let zipped = stride(from: 0, to: hex.count, by: 2).compactMap {
      UInt8(String(decoding: hex[$0..<($0 + 2)], as: UTF8.self), radix: 16)
    }
    let server = try await ByteServer { request in
      switch request.path {
      case "/bomb":
        ByteServer.Answer(
          headers: [("Content-Type", "text/plain"), ("Content-Encoding", "gzip")], body: zipped)
      case "/silent": nil
      case "/blank": ByteServer.Answer(body: Array("a 1\n".utf8))
      case "/many": .text((0..<50).map { "m{n=\"\($0)\"} 1\n" }.joined())
      case "/wrong": .text("fine 1\nnot fine\n")
      default: .text("good 1\n")
      }
    }
    let jobs = ["good", "bomb", "silent", "blank", "many", "wrong"].map { name in
      "    - {job: \(name), targets: ['\(server.address)'], metrics_path: /\(name),"
        + " interval: 500ms, timeout: 300ms, body_size_limit: 1MiB, sample_limit: 20}\n"
    }
    let yaml = "collect:\n  scrape:\n" + jobs.joined()
    try await WiredAgent.with(yaml) { (wired: WiredAgent) async throws in
      #expect(
        await eventually { wired.agent.scrapeTargets.allSatisfy { $0.health != .unknown } })
      var errors: [String: String] = [:]
      for target in wired.agent.scrapeTargets { errors[target.job] = target.lastError }
      #expect(errors["good"] == "")
      #expect(errors["bomb"]?.contains("body size limit exceeded") == true)
      #expect(errors["silent"]?.contains("context deadline exceeded") == true)
      #expect(errors["blank"]?.contains("blank Content-Type") == true)
      #expect(errors["many"]?.contains("sample limit exceeded") == true)
      #expect(errors["wrong"]?.contains("2:") == true)
      // Nothing of a scrape that is wrong in any part.
      #expect(try await wired.value("fine") == nil)
      #expect(try await wired.value("good") == 1)
    }
    try await server.close()
  }

  @Test func `samples at times that no clock shows are left out, and the agent goes on`()
    async throws
  {
    let server = try await ByteServer { _ in
      .text(
        """
        lowest 1 -9223372036854775808
        low 1 -9223372036854775807
        old 1 1000
        future 1 4102444800000
        highest 1 9223372036854775807
        good 5

        """)
    }
    let folder = try TemporaryFolder()
    defer { folder.remove() }
    // What was written the first time is read back the second time.
    for _ in 0..<2 {
      try await WiredAgent.with(job(server.address), in: folder) {
        (wired: WiredAgent) async throws in
        #expect(await eventually { try await wired.value("good") == 5 })
        #expect(try await wired.value("up{job=\"test\"}") == 1)
        let refused = "lifeguard_scrape_samples_out_of_bounds_total"
        #expect(await eventually { await wired.metric(refused) ?? 0 >= 10 })
        let snapshot = await wired.agent.snapshot()
        for name in ["lowest", "low", "old", "future", "highest"] {
          #expect(!snapshot.labelValues("__name__").contains(name))
        }
        #expect(await eventually { await wired.metric("lifeguard_samples_written_total") ?? 0 > 0 })
        #expect(await wired.metric("lifeguard_samples_writable") == 1)
      }
    }
    try await server.close()
  }

  @Test func `relabelling sets a target's interval and timeout`() async throws {
    let server = try await ByteServer { _ in .text("a 1\n") }
    let configuration = """
      collect:
        scrape:
          - job: test
            targets: ['\(server.address)', 'wrong:1', 'long:1']
            interval: 1h
            timeout: 1s
            relabel_configs:
              - {target_label: __scrape_interval__, replacement: 300ms}
              - {target_label: __scrape_timeout__, replacement: 200ms}
              - {source_labels: [__address__], regex: 'wrong:1', target_label: __scrape_interval__, replacement: soon}
              - {source_labels: [__address__], regex: 'long:1', target_label: __scrape_timeout__, replacement: 2s}

      """
    try await WiredAgent.with(configuration) { (wired: WiredAgent) async throws in
      // An hour would be longer than this test.
      #expect(await eventually { try await wired.value("a") == 1 })
      #expect(wired.agent.scrapeTargets.map(\.interval) == [.milliseconds(300)])
      #expect(wired.agent.scrapeTargets.map(\.timeout) == [.milliseconds(200)])
    }
    try await server.close()
  }
}
