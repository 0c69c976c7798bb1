import AsyncHTTPClient
import Glibc
import LifeguardCore
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import LifeguardAgent

/// A web server that answers what the test says and remembers what it was sent.
private final class TestServer: Sendable {
  struct Received: Sendable {
    var path: String
    var headers: [(String, String)]
    var body: String

    subscript(name: String) -> String? { headers.first { $0.0.lowercased() == name }?.1 }
  }

  /// nil never answers.
  typealias Answer = (status: Int, headers: [(String, String)], body: String)?

  private let received = Mutex<[Received]>([])
  private let answers: Mutex<[Answer]>
  private let channel: Mutex<(any NIOCore.Channel)?>

  var requests: [Received] { received.withLock { $0 } }
  var port: Int { channel.withLock { $0?.localAddress?.port ?? 0 } }
  var url: String { "http://127.0.0.1:\(port)" }

  init(_ answers: [Answer]) async throws {
    self.answers = Mutex(answers)
    channel = Mutex(nil)
    let bound = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Handler(server: self))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    channel.withLock { $0 = bound }
  }

  func close() async throws {
    try await channel.withLock { $0 }?.close()
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let server: TestServer
    private var current = Received(path: "", headers: [], body: "")

    init(server: TestServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head):
        current = Received(
          path: head.uri, headers: head.headers.map { ($0.name, $0.value) }, body: "")
      case .body(let buffer): current.body += String(buffer: buffer)
      case .end:
        let request = current
        server.received.withLock { $0.append(request) }
        let answer = server.answers.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? nil }
        guard let answer else { return }
        var headers = HTTPHeaders(answer.headers)
        headers.add(name: "Content-Length", value: "\(answer.body.utf8.count)")
        let head = HTTPResponseHead(
          version: .http1_1, status: .init(statusCode: answer.status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        let body = context.channel.allocator.buffer(string: answer.body)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      }
    }
  }
}

@discardableResult
private func withNotifier<Result: Sendable>(
  _ channel: LifeguardCore.Channel,
  _ body: (any Notifier) async throws -> Result
) async throws -> Result {
  let client = HTTPClient(
    eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
    configuration: NotifierFactory.clientConfiguration)
  let factory = NotifierFactory(
    client: client, group: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test"))
  do {
    let result = try await body(try #require(factory.notifier(for: channel)))
    try await client.shutdown()
    return result
  } catch {
    try await client.shutdown()
    throw error
  }
}

private func outgoing(_ announcement: Announcement) -> OutgoingMessage {
  OutgoingMessage(announcement, idempotencyKey: announcement.id, now: announcement.at)
}

@Suite(.timeLimit(.minutes(2))) struct HTTPNotifierTests {
  private func failure(
    _ channel: LifeguardCore.Channel, timeout: Duration = .seconds(10)
  ) async throws -> DeliveryError? {
    try await withNotifier(channel) { notifier in
      do throws(DeliveryError) {
        try await notifier.send(outgoing(announcement()), timeout: timeout)
        return nil
      } catch {
        return error
      }
    }
  }

  @Test func `a webhook gets the announcement with its key and the configured headers`()
    async throws
  {
    let server = try await TestServer([(200, [], "ok")])
    let channel = WebhookChannel(
      url: Secret(server.url + "/hook?token=s3cret"), headers: ["Authorization": Secret("Bearer t")]
    )
    #expect(try await failure(.webhook(channel)) == nil)
    let request = try #require(server.requests.first)
    #expect(request.path == "/hook?token=s3cret")
    #expect(request["idempotency-key"] == "\"\(announcement().id)\"")
    #expect(request["authorization"] == "Bearer t")
    #expect(request["content-type"] == "application/json")
    #expect(try JSON.parse(Array(request.body.utf8)) == AnnouncementText(announcement()).webhook)
    try await server.close()
  }

  @Test func `a server error is retried with the same key, then it is delivered`() async throws {
    let server = try await TestServer([(503, [], "busy\u{1B}[31m"), (200, [], "")])
    let channel = LifeguardCore.Channel.webhook(WebhookChannel(url: Secret(server.url + "/s3cret")))
    let error = try #require(try await failure(channel))
    #expect(error == DeliveryError(retryable: true, "the webhook answered 503: busy␛[31m"))
    #expect(try await failure(channel) == nil)
    #expect(Set(server.requests.map { $0["idempotency-key"] }).count == 1)
    try await server.close()
  }

  @Test func `Slack's pause is honoured`() async throws {
    let server = try await TestServer([(429, [("Retry-After", "30")], "rate_limited")])
    let error = try await failure(
      .slack(SlackChannel(webhook: Secret(server.url + "/services/s3cret"))))
    #expect(error?.isRetryable == true)
    #expect(error?.after == .seconds(30))
    #expect(error?.reason.contains("s3cret") == false)
    let body = try JSON.parse(Array((server.requests.first?.body ?? "").utf8))
    #expect(body["blocks"]?[0]?["type"]?.string == "header")
    try await server.close()
  }

  @Test(arguments: [401, 403, 404])
  func `what a person can put right is tried again`(_ status: Int) async throws {
    let server = try await TestServer([(status, [], "no_service")])
    let error = try await failure(.slack(SlackChannel(webhook: Secret(server.url))))
    #expect(error == DeliveryError(retryable: true, "Slack answered \(status): no_service"))
    try await server.close()
  }

  @Test(arguments: [400, 410, 413])
  func `what a receiver refuses for good is not retried`(_ status: Int) async throws {
    let server = try await TestServer([(status, [], "no_service")])
    let error = try await failure(.slack(SlackChannel(webhook: Secret(server.url))))
    #expect(error == DeliveryError(retryable: false, "Slack answered \(status): no_service"))
    try await server.close()
  }

  @Test func `a redirect is not followed`() async throws {
    let other = try await TestServer([(200, [], "")])
    let server = try await TestServer([(307, [("Location", other.url)], "")])
    let error = try await failure(.webhook(WebhookChannel(url: Secret(server.url))))
    #expect(error?.isRetryable == false)
    #expect(other.requests.isEmpty)
    try await server.close()
    try await other.close()
  }

  @Test func `a receiver that never answers is given up in time`() async throws {
    let server = try await TestServer([nil])
    let start = ContinuousClock.now
    let channel = WebhookChannel(url: Secret(server.url + "/s3cret"))
    let error = try await failure(.webhook(channel), timeout: .milliseconds(300))
    #expect(error == DeliveryError(retryable: true, "the webhook did not answer in time"))
    #expect(ContinuousClock.now - start < .seconds(20))
    try await server.close()
  }

  @Test func `nobody listening, and a broken address`() async throws {
    let closed = WebhookChannel(url: Secret("http://127.0.0.1:\(try FreePort.tcp())/s3cret"))
    let refused = try await failure(.webhook(closed))
    #expect(refused?.isRetryable == true)
    #expect(refused?.reason.contains("s3cret") == false)
    for broken in ["", "s3cret", "ftp://127.0.0.1/s3cret", "http://"] {
      let error = try await failure(.webhook(WebhookChannel(url: Secret(broken))))
      #expect(error?.isRetryable == false, "\(broken): \(error?.reason ?? "delivered")")
      #expect(error?.reason.contains("s3cret") == false)
    }
  }

  @Test(
    .enabled(
      if: Requirement.program("prometheus-alertmanager").isMet,
      "needs prometheus-alertmanager: `scripts/setup.sh test` installs it"))
  func `a real Alertmanager takes firing alerts and resolves them`() async throws {
    let folder = try TemporaryFolder()
    let sink = try await TestServer([(200, [], "")])
    let port = try FreePort.tcp()
    try TextFile.write(
      """
      route: {receiver: r, group_wait: 0s, group_interval: 1s, group_by: [alertname]}
      receivers: [{name: r, webhook_configs: [{url: '\(sink.url)/am', send_resolved: true}]}]
      """, to: folder / "am.yml")
    let program = try ChildProgram([
      "prometheus-alertmanager", "--config.file=\(folder / "am.yml")",
      "--storage.path=\(folder / "data")", "--web.listen-address=127.0.0.1:\(port)",
      "--cluster.listen-address=", "--log.level=warn",
    ])
    try #require(
      await eventually {
        try HTTPExchange.send("GET", "/-/ready", port: port).status == 200
      }, "\(program.standardError)")
    let channel = LifeguardCore.Channel.alertmanager(
      AlertmanagerChannel(url: Secret("http://127.0.0.1:\(port)/")))
    var firing = announcement()
    var now = Timestamp(milliseconds: 0)
    now = Timestamp(seconds: Double(time(nil)))
    firing.since = now - .seconds(60)
    firing.at = now
    firing.alerts[0].startsAt = now - .seconds(60)
    try await withNotifier(channel) { notifier in
      try await notifier.send(outgoing(firing), timeout: .seconds(10))
    }
    let shown = try JSON.parse(
      Array(try HTTPExchange.send("GET", "/api/v2/alerts", port: port).body.utf8))
    #expect(shown[0]?["labels"]?["alertname"]?.string == "ServiceDown")
    #expect(shown[0]?["annotations"]?["lifeguard_next"]?.string == "restart web in 42s")
    #expect(shown[0]?["status"]?["state"]?.string == "active")
    #expect(
      await eventually { sink.requests.contains { $0.body.contains("\"status\":\"firing\"") } })
    var ended = firing
    ended.kind = .recovered
    ended.sequence = 2
    ended.next = nil
    ended.alerts[0].endsAt = now
    ended.at = Timestamp(seconds: Double(time(nil)))
    try await withNotifier(channel) { notifier in
      try await notifier.send(outgoing(ended), timeout: .seconds(10))
    }
    #expect(
      await eventually {
        sink.requests.contains {
          $0.body.contains("\"status\":\"resolved\"") && $0.body.contains("web does not answer")
        }
      })
    _ = await program.terminate()
    try await sink.close()
  }
}
