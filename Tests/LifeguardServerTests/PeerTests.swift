import LifeguardAgent
import LifeguardCore
import Testing

@testable import LifeguardServer
@testable import TestSupport

/// Programs of others against the real server.
@Suite(.serialized) struct PeerTests {
  static let open = "default_rules: false\nhttp: {anonymous_read: true}\n"

  private static func promtool(_ arguments: String...) async throws -> ProgramResult {
    let program = try #require(Requirement.locate("promtool"))
    return try await ChildProgram.run([program] + arguments)
  }

  @Test(
    .enabled(
      if: Requirement.program("promtool").isMet, "\(Requirement.program("promtool").reason)"))
  func `promtool's questions are answered`() async throws {
    try await ServedAgent.with(Self.open) { served in
      #expect(await served.isSampled())
      let url = "http://127.0.0.1:\(served.port)"
      let instant = try await Self.promtool("query", "instant", url, "node_load1 >= 0")
      #expect(instant.succeeded && instant.standardOutput.contains("node_load1{"), "\(instant)")
      let scalar = try await Self.promtool("query", "instant", url, "1.5+1")
      #expect(scalar.succeeded && scalar.standardOutput.contains("scalar: 2.5"), "\(scalar)")
      let range = try await Self.promtool(
        "query", "range", "--step=1s", url, "count_over_time(node_load1[10s])")
      #expect(range.succeeded && range.standardOutput.contains(" @["), "\(range)")
      let series = try await Self.promtool("query", "series", "--match=node_load5", url)
      #expect(series.succeeded && series.standardOutput.contains("node_load5"), "\(series)")
      let labels = try await Self.promtool("query", "labels", url, "job")
      #expect(labels.succeeded && labels.standardOutput == "node\n", "\(labels)")
      let bad = try await Self.promtool("query", "instant", url, "sum(")
      #expect(!bad.succeeded && bad.standardError.contains("parse error"), "\(bad)")
    }
  }

  @Test(
    .enabled(
      if: Requirement.program("promtool").isMet, "\(Requirement.program("promtool").reason)"))
  func `promtool finds nothing wrong with our own metrics`() async throws {
    try await ServedAgent.with { served in
      #expect(await served.isSampled())
      let text = try await served.ask("/metrics").body
      let program = try #require(Requirement.locate("promtool"))
      let result = try await ChildProgram.run([program, "check", "metrics"], input: text)
      // Names of node_exporter's and process-exporter's metrics are theirs.
      let complaints = (result.standardOutput + result.standardError).split(separator: "\n")
        .filter { $0.hasPrefix("lifeguard_") || $0.contains("error") }
      #expect(complaints == [], "\(result)")
    }
  }

  @Test(
    .enabled(
      if: Requirement.program("prometheus").isMet, "\(Requirement.program("prometheus").reason)"))
  func `Debian's Prometheus scrapes our metrics and federates from us`() async throws {
    try await ServedAgent.with(Self.open) { served in
      let folder = try TemporaryFolder()
      defer { folder.remove() }
      let port = try FreePort.tcp()
      let target = "127.0.0.1:\(served.port)"
      try TextFile.write(
        """
        global: {scrape_interval: 1s, scrape_timeout: 1s}
        scrape_configs:
          - job_name: direct
            static_configs: [{targets: ['\(target)']}]
          - job_name: federated
            honor_labels: true
            metrics_path: /federate
            params: {'match[]': ['{job="node"}']}
            static_configs: [{targets: ['\(target)']}]

        """, to: folder / "p.yml")
      let program = try #require(Requirement.locate("prometheus"))
      let prometheus = try ChildProgram([
        program, "--config.file=\(folder / "p.yml")", "--storage.tsdb.path=\(folder / "data")",
        "--web.listen-address=127.0.0.1:\(port)", "--log.level=warn",
      ])
      defer { prometheus.kill() }
      func value(_ query: String) async throws -> String? {
        let path = "/api/v1/query?query=\(ServedAgent.encoded(query))"
        let answer = try await Peer.ask(port, path)
        return try JSON.parse(Array(answer.body.utf8))["data"]?["result"]?[0]?["value"]?[1]?.string
      }
      let hasBoth = await eventually(within: .seconds(60), every: .milliseconds(200)) {
        let up = try await value("sum(up)")
        let scraped = try await value(#"count(node_load1{job="direct"})"#)
        let federated = try await value(#"count(node_load1{job="node"})"#)
        return up == "2" && scraped == "1" && federated == "1"
      }
      #expect(hasBoth, "\(prometheus.standardError)")
      // The federated series carry this host's own labels.
      let host = await served.agent.status(listening: "").host
      #expect(try await value(#"count(node_load1{job="node",instance="\#(host)"})"#) == "1")
      let here = try await served.data("/api/v1/query?query=count(%7Bjob=%22node%22%7D)")
      let there = try await value(#"count({job="node"})"#).flatMap { Double($0) } ?? 0
      let count = here["result"]?[0]?["value"]?[1]?.string.flatMap { Double($0) } ?? 0
      #expect(count > 100 && abs(count - there) < count / 5, "\(count) here, \(there) there")
    }
  }

  @Test(
    .enabled(if: Requirement.program("vmalert").isMet, "\(Requirement.program("vmalert").reason)"))
  func `vmalert evaluates its rules on our samples`() async throws {
    try await ServedAgent.with(Self.open) { served in
      let folder = try TemporaryFolder()
      defer { folder.remove() }
      try TextFile.write(
        """
        groups:
          - name: g
            interval: 1s
            rules:
              - {alert: Loaded, expr: 'node_load1 >= 0', labels: {a: b}}

        """, to: folder / "r.yml")
      let port = try FreePort.tcp()
      let nobody = try FreePort.tcp()
      let program = try #require(Requirement.locate("vmalert"))
      let vmalert = try ChildProgram([
        program, "-rule=\(folder / "r.yml")", "-datasource.url=http://127.0.0.1:\(served.port)",
        "-notifier.url=http://127.0.0.1:\(nobody)", "-evaluationInterval=1s",
        "-httpListenAddr=127.0.0.1:\(port)",
      ])
      defer { vmalert.kill() }
      let fires = await eventually(within: .seconds(60), every: .milliseconds(200)) {
        let body = try await Peer.ask(port, "/api/v1/alerts").body
        return body.contains(#""alertname":"Loaded""#) && body.contains(#""state":"firing""#)
      }
      #expect(fires, "\(vmalert.standardError)")
      #expect(!vmalert.standardError.contains("failed to execute query"))
    }
  }
}

/// Another program's HTTP, asked without holding a thread.
enum Peer {
  static func ask(_ port: Int, _ path: String) async throws -> HTTPAnswer {
    let connection = try RawConnection(port: port)
    await connection.send(
      "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n")
    return try HTTPExchange.parse(Array(await connection.receive().utf8))
  }
}
