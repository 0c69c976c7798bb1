import LifeguardAWS
import LifeguardCore
import TestSupport
import Testing

@Suite struct `the real transport` {
  private func exchange(
    _ address: String, timeout: Duration = .seconds(20), answerMax: Int = 1 << 20,
    body: [UInt8] = []
  ) async -> Result<AWSResponse, AWSTransportError> {
    let transport = AsyncHTTPTransport()
    guard let url = AWSURL(address) else { return .failure(AWSTransportError(.invalid, address)) }
    var outcome: Result<AWSResponse, AWSTransportError>
    do throws(AWSTransportError) {
      outcome = .success(
        try await transport.send(
          AWSRequest(
            "POST", url, headers: [AWSHeader("X-Test", "1")], body: body, answerMax: answerMax),
          timeout: timeout))
    } catch {
      outcome = .failure(error)
    }
    await transport.shutdown()
    return outcome
  }

  private func kind(
    _ result: Result<AWSResponse, AWSTransportError>
  ) -> AWSTransportError.Kind? {
    if case .failure(let error) = result { error.kind } else { nil }
  }

  @Test func `a request arrives and its answer comes back`() async throws {
    try await StubServer.with { request in
      .answer(AWSResponse(status: 418, headers: [AWSHeader("X-Back", "2")], body: request.body))
    } _: { server in
      let body = Array("hé\0".utf8)
      let answer = try await exchange(server.address + "/p%20q?a=%2F", body: body).get()
      #expect(answer.status == 418)
      #expect(answer.header("x-back") == "2")
      #expect(answer.body == body)
      let request = try #require(server.requests.first)
      #expect(request.method == "POST")
      #expect(request.url.path == "/p%20q")
      #expect(request.url.query == "a=%2F")
      #expect(request.header("x-test") == "1")
    }
  }

  @Test func `a redirect is an answer like any other`() async throws {
    try await StubServer.with { request in
      .answer(AWSResponse(status: 301, headers: [AWSHeader("Location", "/other")]))
    } _: { server in
      let answer = try await exchange(server.address).get()
      #expect(answer.status == 301)
      #expect(server.requests.count == 1)
    }
  }

  @Test func `an answer that is too long is refused`() async throws {
    try await StubServer.with { _ in
      .answer(AWSResponse(status: 200, body: [UInt8](repeating: 1, count: 4096)))
    } _: { server in
      #expect(kind(await exchange(server.address, answerMax: 4095)) == .answerTooLarge)
      let answer = try await exchange(server.address, answerMax: 4096).get()
      #expect(answer.body.count == 4096)
    }
  }

  @Test func `silence ends with the timeout`() async throws {
    try await StubServer.with {
      $0.url.path == "/head" ? .headOnly : .silence
    } _: { server in
      #expect(kind(await exchange(server.address, timeout: .milliseconds(200))) == .timedOut)
      #expect(
        kind(await exchange(server.address + "/head", timeout: .milliseconds(200))) == .timedOut)
    }
  }

  @Test func `a connection that breaks may have carried the request`() async throws {
    try await StubServer.with { _ in
      .hangUp
    } _: { server in
      let result = await exchange(server.address)
      #expect(kind(result) == .connectionLost, "\(result)")
      #expect(server.requests.count == 1)
    }
  }

  @Test func `a refused connection surely carried nothing`() async throws {
    let port = try FreePort.tcp()
    let result = await exchange("http://127.0.0.1:\(port)/")
    #expect(kind(result) == .unreachable, "\(result)")
    if case .failure(let error) = result { #expect(!error.mayHaveBeenSent) }
  }

  @Test func `a transport that was shut down says so`() async throws {
    let transport = AsyncHTTPTransport()
    await transport.shutdown()
    let url = try #require(AWSURL("http://127.0.0.1:1/"))
    await #expect(throws: AWSTransportError.self) {
      try await transport.send(AWSRequest("GET", url), timeout: .seconds(1))
    }
  }

  @Test func `making a client starts no thread and opens nothing`() throws {
    func threads() throws -> Int {
      let status = try TextFile.read("/proc/self/status")
      let line = status.split(separator: "\n").first { $0.hasPrefix("Threads:") }
      return line.flatMap { Int($0.dropFirst(8).drop { $0 == "\t" || $0 == " " }) } ?? 0
    }
    // Other tests of this process come and go; a thousand clients would be seen all the same.
    let before = try threads()
    let clients = (0..<1000).map { _ in
      AWSClient(AWSSettings(environment: [:]), transport: AsyncHTTPTransport())
    }
    #expect(clients.count == 1000)
    #expect(try threads() < before + 500)
  }

  @Test func `calls are retried over real connections`() async throws {
    let counter = Counter()
    try await StubServer.with { _ in
      counter.next() < 3
        ? .answer(AWSResponse(status: 503))
        : .answer(AWSResponse(status: 200, body: Array(#"{"Parameter":{"Value":"v"}}"#.utf8)))
    } _: { server in
      let transport = AsyncHTTPTransport()
      var client = AWSClient(
        AWSSettings(
          environment: ["AWS_ENDPOINT_URL_SSM": server.address, "AWS_REGION": "eu-west-1"]),
        transport: transport, credentials: StaticCredentials(.example))
      client.retry.pauseBase = .milliseconds(1)
      let parameter = try await client.ssm.parameter("/p")
      #expect(parameter.value.revealed == "v")
      #expect(server.requests.count == 3)
      await transport.shutdown()
    }
  }
}
