import LifeguardAWS
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A small HTTP server on 127.0.0.1 for what moto cannot do.
final class StubServer: Sendable {
  enum Reaction: Sendable {
    case answer(AWSResponse)
    /// Closes the connection without an answer.
    case hangUp
    /// Never answers.
    case silence
    /// Sends the head and then nothing more.
    case headOnly
  }

  let port: Int
  private let channel: any Channel
  private let seen: Mutex<[AWSRequest]>

  var requests: [AWSRequest] { seen.withLock { $0 } }
  var address: String { "http://127.0.0.1:\(port)" }

  private init(_ channel: any Channel, _ seen: consuming Mutex<[AWSRequest]>, log: Log) {
    self.channel = channel
    self.seen = seen
    port = channel.localAddress?.port ?? 0
    log.server.withLock {
      $0 = { [weak self] request in self?.seen.withLock { $0.append(request) } }
    }
  }

  final class Log: Sendable {
    let server = Mutex<(@Sendable (AWSRequest) -> Void)?>(nil)
  }

  static func start(_ react: @escaping @Sendable (AWSRequest) -> Reaction) async throws
    -> StubServer
  {
    let log = Log()
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(
            Handler { request in
              log.server.withLock { $0 }?(request)
              return react(request)
            })
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    return StubServer(channel, Mutex([]), log: log)
  }

  /// Runs something with a server that is closed afterwards.
  static func with<Result>(
    _ react: @escaping @Sendable (AWSRequest) -> Reaction,
    _ body: (StubServer) async throws -> Result
  ) async throws -> Result {
    let server = try await start(react)
    do {
      let result = try await body(server)
      try await server.channel.close()
      return result
    } catch {
      // The first error is the one that counts.
      try? await server.channel.close()
      throw error
    }
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let react: @Sendable (AWSRequest) -> Reaction
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ react: @escaping @Sendable (AWSRequest) -> Reaction) { self.react = react }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head):
        self.head = head
        body = []
      case .body(let part): body += part.readableBytesView
      case .end: finish(context)
      }
    }

    private func finish(_ context: ChannelHandlerContext) {
      guard let head, let url = AWSURL("http://127.0.0.1\(head.uri)") else { return }
      let request = AWSRequest(
        head.method.rawValue, url, headers: head.headers.map { AWSHeader($0.name, $0.value) },
        body: body)
      switch react(request) {
      case .silence: return
      case .hangUp: context.close(promise: nil)
      case .headOnly: write(AWSResponse(status: 200), length: 10, context, ends: false)
      case .answer(let response):
        write(response, length: response.body.count, context, ends: true)
      }
    }

    private func write(
      _ response: AWSResponse, length: Int, _ context: ChannelHandlerContext, ends: Bool
    ) {
      var headers = HTTPHeaders(response.headers.map { ($0.name, $0.value) })
      headers.replaceOrAdd(name: "Content-Length", value: "\(length)")
      let head = HTTPResponseHead(
        version: .http1_1, status: HTTPResponseStatus(statusCode: response.status),
        headers: headers)
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      guard ends else { return context.flush() }
      let body = ByteBuffer(bytes: response.body)
      context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}
