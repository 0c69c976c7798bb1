import Glibc
import LifeguardAgent
import LifeguardCore
import Testing

@testable import LifeguardServer
@testable import TestSupport

/// `/api/v1/write`, with bytes that are put together here, and with senders of others.
@Suite struct RemoteWriteEndpointTests {
  static let open = """
    default_rules: false
    http: {anonymous_read: true, remote_write: true}
    """

  // MARK: Bytes (protobuf's wire format, snappy's block format with literals only)

  private static func varint(_ number: UInt64) -> [UInt8] {
    var rest = number
    var bytes: [UInt8] = []
    while rest > 127 {
      bytes.append(UInt8(rest & 127) | 128)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private static func field(_ number: UInt64, _ payload: [UInt8]) -> [UInt8] {
    varint(number << 3 | 2) + varint(UInt64(payload.count)) + payload
  }

  private static func series(_ labels: [(String, String)], _ samples: [(Int64, Double)]) -> [UInt8]
  {
    var bytes: [UInt8] = []
    for (name, value) in labels {
      bytes += field(1, field(1, Array(name.utf8)) + field(2, Array(value.utf8)))
    }
    for (time, value) in samples {
      var sample: [UInt8] = [0x09]
      withUnsafeBytes(of: value.bitPattern.littleEndian) { sample += $0 }
      sample += [0x10] + varint(UInt64(bitPattern: time))
      bytes += field(2, sample)
    }
    return field(1, bytes)
  }

  private static func snappy(_ bytes: [UInt8]) -> [UInt8] {
    var packed = varint(UInt64(bytes.count))
    for start in stride(from: 0, to: bytes.count, by: 65_536) {
      let piece = bytes[start..<min(start + 65_536, bytes.count)]
      packed += [61 << 2, UInt8((piece.count - 1) & 0xFF), UInt8((piece.count - 1) >> 8)] + piece
    }
    return packed
  }

  private static func write(
    _ served: ServedAgent, _ bytes: [UInt8], _ fields: [String: String] = [:],
    withToken: Bool = true
  ) async throws -> HTTPAnswer {
    var head = "POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    var all = ["Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"]
    if withToken { all["Authorization"] = "Bearer \(served.token)" }
    all.merge(fields) { $1 }
    for (name, value) in all where !value.isEmpty { head += "\(name): \(value)\r\n" }
    let connection = try RawConnection(port: served.port)
    await connection.send(head + "Content-Length: \(bytes.count)\r\n\r\n")
    await connection.send(bytes: bytes)
    return try HTTPExchange.parse(Array(await connection.receive().utf8))
  }

  @Test func `samples are taken with a token, and bad ones are named after the good ones are in`()
    async throws
  {
    try await ServedAgent.with(Self.open) { served in
      let now = await served.agent.now().wall.milliseconds
      let good = Self.series(
        [("__name__", "sent"), ("instance", "far"), ("job", "x")], [(now - 1000, 1), (now, 2)])
      let taken = try await Self.write(served, Self.snappy(good))
      #expect(taken.status == 204 && taken.body.isEmpty, "\(taken)")
      let answer = try await served.data("/api/v1/query?query=sent")
      #expect(answer["result"]?[0]?["value"]?[1] == "2")
      #expect(answer["result"]?[0]?["metric"]?["instance"] == "far")

      let mixed =
        Self.series([("__name__", "sent"), ("instance", "far"), ("job", "x")], [(now - 60_000, 9)])
        + Self.series([("__name__", "other")], [(now, 3)])
      let partly = try await Self.write(served, Self.snappy(mixed))
      #expect(partly.status == 400 && partly.body.contains("out of order sample"), "\(partly)")
      let other = try await served.data("/api/v1/query?query=other")
      #expect(other["result"]?[0]?["value"]?[1] == "3")
    }
  }

  @Test func `what is no remote write is refused with the status that senders understand`()
    async throws
  {
    try await ServedAgent.with(Self.open) { served in
      let good = Self.snappy(Self.series([("__name__", "a")], [(1, 1)]))
      #expect(try await Self.write(served, good, withToken: false).status == 401)
      #expect(try await Self.write(served, good, ["Content-Encoding": "gzip"]).status == 415)
      #expect(try await Self.write(served, good, ["Content-Type": "text/plain"]).status == 415)
      let second = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
      #expect(try await Self.write(served, good, ["Content-Type": second]).status == 415)
      #expect(try await Self.write(served, [0xFF, 0xFF, 0xFF]).status == 400)
      #expect(try await Self.write(served, Self.snappy([1, 2, 3])).status == 400)
      // A claim of four gigabytes in five bytes.
      #expect([400, 413].contains(try await Self.write(served, Self.varint(4_000_000_000)).status))
      let huge = ["Content-Length": "99999999999"]
      let connection = try RawConnection(port: served.port)
      await connection.send(
        "POST /api/v1/write HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(served.token)\r\n"
          + "Content-Length: \(huge["Content-Length"] ?? "")\r\n\r\n")
      #expect(RawConnection.status(of: await connection.receive()) == 413)
      #expect(try await served.ask("/-/healthy").status == 200)
    }
  }

  @Test(arguments: [21, 22, 23] as [UInt64])
  func `damaged requests are answered and the server goes on`(seed: UInt64) async throws {
    try await ServedAgent.with(Self.open) { served in
      var dice = ParameterFuzzTests.Dice(state: seed &* 0x9E37_79B9_7F4A_7C15)
      let now = await served.agent.now().wall.milliseconds
      for round in 0..<60 {
        let good = Self.series(
          [("__name__", "fuzzed"), ("n", "\(round)")], [(now - 10, 1), (now, 2)])
        var bytes = Bool.random(using: &dice) ? Self.snappy(good) : good
        for _ in 0..<Int.random(in: 1...6, using: &dice) {
          let place = Int.random(in: 0..<bytes.count, using: &dice)
          switch Int.random(in: 0..<3, using: &dice) {
          case 0: bytes[place] = UInt8.random(in: 0...255, using: &dice)
          case 1: bytes.removeSubrange(place..<min(place + 3, bytes.count))
          default: bytes.insert(UInt8.random(in: 0...255, using: &dice), at: place)
          }
          if bytes.isEmpty { bytes = [0] }
        }
        let answer = try await Self.write(served, bytes)
        #expect([204, 400, 413].contains(answer.status), "\(answer.status) for \(bytes)")
      }
      #expect(try await served.get("/api/v1/query", [("query", "1")]).status == 200)
    }
  }

  // MARK: Senders of others

  @Test(
    .enabled(
      if: Requirement.program("prometheus").isMet, "\(Requirement.program("prometheus").reason)"))
  func `Debian's Prometheus writes its samples to us`() async throws {
    try await ServedAgent.with(Self.open) { served in
      let folder = try TemporaryFolder()
      defer { folder.remove() }
      let port = try FreePort.tcp()
      try TextFile.write(
        """
        global: {scrape_interval: 1s, scrape_timeout: 1s}
        scrape_configs:
          - job_name: self
            static_configs: [{targets: ['127.0.0.1:\(port)']}]
        remote_write:
          - url: http://127.0.0.1:\(served.port)/api/v1/write
            authorization: {credentials: \(served.token)}
            queue_config: {batch_send_deadline: 500ms}

        """, to: folder / "p.yml")
      let program = try #require(Requirement.locate("prometheus"))
      let prometheus = try ChildProgram([
        program, "--config.file=\(folder / "p.yml")", "--storage.tsdb.path=\(folder / "data")",
        "--web.listen-address=127.0.0.1:\(port)", "--log.level=warn",
      ])
      defer { prometheus.kill() }
      let query = #"/api/v1/query?query=up%7Bjob=%22self%22%7D"#
      let arrives = await eventually(within: .seconds(60), every: .milliseconds(200)) {
        try await served.data(query)["result"]?[0]?["value"]?[1] == "1"
      }
      #expect(arrives, "\(prometheus.standardError)")
    }
  }

  @Test(
    .enabled(
      if: Requirement.all(.program("vmagent"), .program("vmalert")).isMet,
      "\(Requirement.all(.program("vmagent"), .program("vmalert")).reason)"))
  func `vmagent and vmalert write to us`() async throws {
    try await ServedAgent.with(Self.open) { served in
      let folder = try TemporaryFolder()
      defer { folder.remove() }
      let own = "http://127.0.0.1:\(served.port)"
      try TextFile.write(served.token, to: folder / "token", mode: 0o600)
      try TextFile.write(
        """
        global: {scrape_interval: 1s}
        scrape_configs:
          - job_name: lifeguard
            static_configs: [{targets: ['127.0.0.1:\(served.port)'], labels: {via: vmagent}}]

        """, to: folder / "s.yml")
      try TextFile.write(
        """
        groups:
          - name: g
            interval: 1s
            rules:
              - {record: written_by_vmalert, expr: 'sum(node_load1) + 1000'}

        """, to: folder / "r.yml")
      let vmagent = try ChildProgram([
        try #require(Requirement.locate("vmagent")), "-promscrape.config=\(folder / "s.yml")",
        "-remoteWrite.url=\(own)/api/v1/write",
        "-remoteWrite.bearerTokenFile=\(folder / "token")",
        "-remoteWrite.tmpDataPath=\(folder / "queue")", "-remoteWrite.flushInterval=500ms",
        "-httpListenAddr=127.0.0.1:\(try FreePort.tcp())",
      ])
      defer { vmagent.kill() }
      let vmalert = try ChildProgram([
        try #require(Requirement.locate("vmalert")), "-rule=\(folder / "r.yml")",
        "-datasource.url=\(own)", "-remoteWrite.url=\(own)",
        "-remoteWrite.bearerTokenFile=\(folder / "token")", "-remoteWrite.flushInterval=500ms",
        "-notifier.url=http://127.0.0.1:\(try FreePort.tcp())", "-evaluationInterval=1s",
        "-httpListenAddr=127.0.0.1:\(try FreePort.tcp())",
      ])
      defer { vmalert.kill() }
      let scraped = await eventually(within: .seconds(60), every: .milliseconds(200)) {
        let path = "/api/v1/query?query=count(node_load1%7Bvia=%22vmagent%22%7D)"
        return try await served.data(path)["result"]?[0]?["value"]?[1] == "1"
      }
      #expect(scraped, "\(vmagent.standardError)")
      let recorded = await eventually(within: .seconds(60), every: .milliseconds(200)) {
        let answer = try await served.data("/api/v1/query?query=written_by_vmalert")
        return answer["result"]?[0]?["value"]?[1]?.string.flatMap { Double($0) } ?? 0 >= 1000
      }
      #expect(recorded, "\(vmalert.standardError)")
    }
  }
}
