import Glibc
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardServer

@Suite struct BadRequestTests {
  @Test func `a body that is too large is refused before it is read`() async throws {
    try await ServedAgent.with { served in
      let connection = try RawConnection(port: served.port)
      await connection.send(
        "POST /api/v1/freeze HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(served.token)\r\n"
          + "Content-Length: 100000000\r\n\r\n")
      #expect(RawConnection.status(of: await connection.receive()) == 413)
      let body = #"{"reason":""# + String(repeating: "x", count: Responder.bodyMax) + #""}"#
      let chunked = try RawConnection(port: served.port)
      await chunked.send(
        "POST /api/v1/freeze HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(served.token)\r\n"
          + "Transfer-Encoding: chunked\r\n\r\n\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n"
      )
      #expect([413, nil].contains(RawConnection.status(of: await chunked.receive())))
      #expect(await served.agent.status(listening: "").frozen == nil)
    }
  }

  @Test(arguments: [
    "GARBAGE\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "GET / HTTP/1.1\r\nBad Name: x\r\n\r\n",
    "GET /" + String(repeating: "a", count: 100_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + String(repeating: "y", count: 60_000) + "\r\n\r\n",
  ])
  func `malformed requests are refused and the server goes on`(request: String) async throws {
    try await ServedAgent.with { served in
      let connection = try RawConnection(port: served.port)
      await connection.send(request)
      let status = RawConnection.status(of: await connection.receive())
      #expect(status == nil || (400..<500).contains(status ?? 0))
      #expect(try await served.ask("/-/healthy").status == 200)
    }
  }

  @Test func `too many headers are refused`() async throws {
    try await ServedAgent.with { served in
      let connection = try RawConnection(port: served.port)
      var request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
      for number in 0..<500 { request += "X-\(number): a\r\n" }
      await connection.send(request + "\r\n")
      #expect(RawConnection.status(of: await connection.receive()) != 200)
      #expect(try await served.ask("/-/healthy").status == 200)
    }
  }

  @Test func `several requests share a connection`() async throws {
    try await ServedAgent.with { served in
      let connection = try RawConnection(port: served.port)
      let request = "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"
      for _ in 0..<3 {
        await connection.send(request)
        #expect(await connection.receive(until: "healthy.\n").contains("200 OK"))
      }
    }
  }

  @Test func `a port in use is named with what to do about it`() async throws {
    try await ServedAgent.with { served in
      let folder = try TemporaryFolder()
      defer { folder.remove() }
      var http = HTTPSettings()
      http.port = served.port
      let server = try APIServer(
        agent: served.agent,
        ServerSettings(http, socketPath: folder / "sock", dataDirectory: folder.path),
        logger: TestLogger.quiet)
      let error = await #expect(throws: ServerError.self) {
        try await server.run { _ in Issue.record("it must not listen") }
      }
      let message = error?.description ?? ""
      #expect(message.contains("127.0.0.1:\(served.port) is in use"))
      #expect(message.contains("--listen"))
    }
  }

  @Test func `another address than loopback needs TLS`() async throws {
    try await ServedAgent.with { served in
      var http = HTTPSettings()
      http.host = "0.0.0.0"
      let settings = ServerSettings(
        http, socketPath: served.folder / "other", dataDirectory: served.folder / "data")
      #expect(throws: ServerError.self) {
        _ = try APIServer(agent: served.agent, settings, logger: TestLogger.quiet)
      }
    }
  }

  @Test(arguments: [
    ("a=b", "a", "=", "b"), (#"a="b c""#, "a", "=", "b c"), ("a!=b", "a", "!=", "b"),
    ("a=~b.*", "a", "=~", "b.*"), (#"a !~ "x""#, "a", "!~", "x"), ("a=", "a", "=", ""),
  ])
  func `matchers are read`(text: String, name: String, kind: String, value: String) throws {
    let matcher = try OperatorText.matcher(text)
    #expect(matcher.name == name && matcher.kind.rawValue == kind && matcher.value == value)
  }

  @Test(arguments: ["", "a", "=b", "a~b", #"a="b"#, "a=~("])
  func `what is no matcher is refused`(text: String) {
    #expect(throws: OperatorText.Problem.self) { try OperatorText.matcher(text) }
  }

  @Test(arguments: [("90s", 90), ("15m", 900), ("1h30m", 5400), ("1d", 86_400), ("1w", 604_800)])
  func `durations are read`(text: String, seconds: Int) throws {
    #expect(try OperatorText.duration(text) == .seconds(seconds))
  }

  @Test(arguments: ["", "1", "h", "1x", "-1h", "1.5h", "999999999h", "1h "])
  func `what is no duration is refused`(text: String) {
    #expect(throws: OperatorText.Problem.self) { try OperatorText.duration(text) }
  }

  @Test func `control characters become visible`() {
    #expect(Printable.text("a\u{1B}[2Jb\nc\u{7F}\u{9B}\u{202E}") == "a␛[2Jb␊c␦␦␦")
    #expect(Printable.text("grüße 🛟") == "grüße 🛟")
    #expect(HTML.escaped("<a href='x'>\u{0}") == "&lt;a href=&#39;x&#39;&gt;␀")
  }
}
