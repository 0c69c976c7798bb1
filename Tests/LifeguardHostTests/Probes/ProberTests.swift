import Glibc
import LifeguardCore
import Testing

@testable import LifeguardHost

@Suite struct ProberTests {
  private func ask(
    _ url: String, _ statuses: ClosedRange<Int> = 200...399, body: String? = nil,
    timeout: Duration = .seconds(10)
  ) async throws -> ProbeAnswer {
    let host = try Processes()
    let prober = try Prober(reactor: host.reactor, runner: host.runner)
    defer {
      prober.stop()
      host.end()
    }
    return await prober.run(
      Probe(kind: .http(url: url, statuses: statuses, body: body), timeout: timeout))
  }

  private func answer(
    _ pieces: String..., statuses: ClosedRange<Int> = 200...399, body: String? = nil
  ) async throws -> ProbeAnswer {
    let server = try CannedServer(.answer(pieces))
    defer { server.stop() }
    return try await ask(server.url, statuses, body: body)
  }

  @Test func `a request carries its path, query and host, and asks for the connection to end`()
    async throws
  {
    let server = try CannedServer(.answer(["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"]))
    defer { server.stop() }
    let result = try await ask("\(server.url)/health?deep=1#top")
    #expect(result.success)
    #expect(result.httpStatus == 200)
    #expect(result.duration > .zero)
    let request = try #require(server.received.first)
    #expect(request.hasPrefix("GET /health?deep=1 HTTP/1.1\r\n"))
    #expect(request.contains("\r\nHost: 127.0.0.1:\(server.port)\r\n"))
    #expect(request.contains("\r\nConnection: close\r\n"))
  }

  @Test func `a status outside the expected ones fails with both`() async throws {
    let result = try await answer("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n")
    #expect(result.failure == .status)
    #expect(result.httpStatus == 503)
    #expect(result.message == "status 503, expected 200-399")
    let moved = try await answer(
      "HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n", statuses: 200...200)
    #expect(moved.message == "status 302, expected 200")
  }

  @Test func `a body is found across pieces, chunks and after interim responses`() async throws {
    let split = try await answer(
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhea", "lth", "y!!", body: "healthy")
    #expect(split.success)
    let chunked = try await answer(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhea",
      "l\r\n3;x=y\r\nthy\r\n0\r\n\r\n", body: "healthy")
    #expect(chunked.success)
    let untilClose = try await answer("HTTP/1.0 200 OK\n\nall healthy", body: "healthy")
    #expect(untilClose.success)
    let missing = try await answer(
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsick", body: "healthy")
    #expect(missing.failure == .body)
    #expect(missing.message == "status 200, body without \"healthy\"")
  }

  @Test func `a stream without end does not hold up a probe of the status`() async throws {
    let server = try CannedServer(.answerAndHold("HTTP/1.1 200 OK\r\n\r\ndata: 1\n"))
    defer { server.stop() }
    let result = try await ask(server.url)
    #expect(result.success)
    #expect(result.duration < .seconds(5))
  }

  @Test func `what answers without speaking HTTP is malformed`() async throws {
    let result = try await answer("SSH-2.0-OpenSSH_9.2\r\n")
    #expect(result.failure == .malformed)
    #expect(result.message == "not an HTTP response: SSH-2.0-OpenSSH_9.2..")
    let half = try await answer("HTTP/1.1 200 O")
    #expect(half.failure == .malformed)
  }

  @Test func `refused, silent and closing servers are told apart`() async throws {
    let closed = try CannedServer(.close)
    defer { closed.stop() }
    #expect(try await ask(closed.url).failure == .closed)

    let silent = try CannedServer(.silent)
    defer { silent.stop() }
    let timedOut = try await ask(silent.url, timeout: .milliseconds(200))
    #expect(timedOut.failure == .timeout)
    #expect(timedOut.message.hasSuffix("after connecting"))
    #expect(timedOut.duration >= .milliseconds(200))
    #expect(timedOut.duration < .seconds(5))

    // Bound and not listening: nobody else can be given the port meanwhile.
    let bound = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(bound) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        _ = bind(bound, raw, size)
        _ = getsockname(bound, raw, &size)
      }
    }
    let port = UInt16(bigEndian: address.sin_port)
    let refused = try await ask("http://127.0.0.1:\(port)/")
    #expect(refused.failure == .refused)
    #expect(refused.message == "refused by 127.0.0.1:\(port)")
  }

  @Test func `localhost is tried on all its addresses, an unknown name fails by name`()
    async throws
  {
    let server = try CannedServer(.answer(["HTTP/1.1 200 OK\r\n\r\n"]))
    defer { server.stop() }
    #expect(try await ask("http://localhost:\(server.port)/").success)
    let unknown = try await ask("http://no-such-host.invalid/", timeout: .seconds(15))
    #expect(unknown.failure == .nameResolution || unknown.failure == .timeout)
  }

  @Test(arguments: [
    "ftp://127.0.0.1/", "http://", "http://user@127.0.0.1/", "http://127.0.0.1:0/",
    "http://127.0.0.1/a\r\nX: y", "http://127.0.0.1:99999/",
  ])
  func `a URL that cannot be asked is refused`(url: String) async throws {
    #expect(try await ask(url).failure == .unusable)
  }

  @Test func `an IPv6 address keeps its brackets in the Host header`() throws {
    let url = try #require(ProbeURL("http://[::1]:8080?x"))
    #expect(url.host == "::1")
    #expect(url.port == 8080)
    #expect(url.target == "/?x")
    #expect(url.authority == "[::1]:8080")
    #expect(try #require(ProbeURL("http://example.org:80/")).authority == "example.org")
  }

  @Test func `a TCP probe succeeds on connecting`() async throws {
    let host = try Processes()
    let prober = try Prober(reactor: host.reactor, runner: host.runner)
    let server = try CannedServer(.silent)
    defer {
      server.stop()
      prober.stop()
      host.end()
    }
    let probe = Probe(kind: .tcp(host: "127.0.0.1", port: server.port), timeout: .seconds(5))
    let result = await prober.run(probe)
    #expect(result.success)
    #expect(result.message == "connected to 127.0.0.1:\(server.port)")
  }

  @Test(
    arguments: [
      (0, true, nil), (1, true, nil), (2, false, .critical), (3, false, .unknown),
      (127, false, .unknown),
    ] as [(Int, Bool, ProbeAnswer.Failure?)])
  func `a check's exit code means what Nagios means by it`(
    code: Int, success: Bool, failure: ProbeAnswer.Failure?
  ) async throws {
    let host = try Processes()
    let prober = try Prober(reactor: host.reactor, runner: host.runner)
    defer {
      prober.stop()
      host.end()
    }
    let script = host.script("check", "echo 'DISK 81% | used=81'; echo more; exit \(code)")
    let result = await prober.run(Probe(kind: .exec([script]), timeout: .seconds(10)))
    #expect(result.success == success)
    #expect(result.failure == failure)
    #expect(result.isWarning == (code == 1))
    #expect(result.message == "DISK 81% | used=81")
  }

  @Test func `a check that hangs is ended and counts as slow, not as critical`() async throws {
    let host = try Processes()
    let prober = try Prober(reactor: host.reactor, runner: host.runner)
    defer {
      prober.stop()
      host.end()
    }
    let probe = Probe(kind: .exec(["sleep", "300"]), timeout: .milliseconds(200))
    #expect(await prober.run(probe).failure == .timeout)
    let missing = Probe(kind: .exec(["/no/such/check"]), timeout: .seconds(5))
    #expect(await prober.run(missing).failure == .unusable)
  }

  @Test func `five hundred probes at once need no thread each`() async throws {
    let host = try Processes()
    let prober = try Prober(reactor: host.reactor, runner: host.runner)
    let server = try CannedServer(.answer(["HTTP/1.1 200 OK\r\n\r\n"]), backlog: 1024)
    let silent = try CannedServer(.silent, backlog: 1024)
    defer {
      server.stop()
      silent.stop()
      prober.stop()
      host.end()
    }
    let quiet = Probe(kind: .http(url: silent.url, statuses: 200...399, body: nil))
    let threadsBefore = SmallFile.names(in: "/proc/self/task").count
    let failures = await withTaskGroup(of: ProbeAnswer.self) { group in
      for _ in 0..<500 { group.addTask { await prober.run(quiet, timeout: .milliseconds(500)) } }
      return await group.reduce(into: [:]) { $0[$1.failure, default: 0] += 1 }
    }
    #expect(failures == [.timeout: 500])
    // Other tests run beside this one.
    #expect(SmallFile.names(in: "/proc/self/task").count < threadsBefore + 100)
  }
}
