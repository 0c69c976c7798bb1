import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A web server on loopback that answers what the test says, with bodies of any bytes.
final class ByteServer: Sendable {
  struct Request: Sendable {
    var path: String
    var headers: HTTPHeaders
    var body: [UInt8]
  }

  struct Answer: Sendable {
    var status = 200
    var headers: [(String, String)] = []
    var body: [UInt8] = []

    static func text(_ text: String, _ type: String = "text/plain; version=0.0.4") -> Answer {
      Answer(headers: [("Content-Type", type)], body: Array(text.utf8))
    }
  }

  private let answer: @Sendable (Request) async -> Answer?
  private let channel: Mutex<(any Channel)?>

  var port: Int { channel.withLock { $0?.localAddress?.port ?? 0 } }
  var address: String { "127.0.0.1:\(port)" }

  /// - Parameters:
  ///   - port: 0 for any that is free.
  ///   - answer: nil never answers.
  init(port: Int = 0, _ answer: @escaping @Sendable (Request) async -> Answer?) async throws {
    self.answer = answer
    channel = Mutex(nil)
    let bound = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { [self] channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Handler(server: self))
        }
      }
      .bind(host: "127.0.0.1", port: port).get()
    channel.withLock { $0 = bound }
  }

  func close() async throws {
    try await channel.withLock { $0 }?.close()
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    private let server: ByteServer
    private var current = Request(path: "", headers: [:], body: [])

    init(server: ByteServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): current = Request(path: head.uri, headers: head.headers, body: [])
      case .body(let buffer): current.body += Array(buffer.readableBytesView)
      case .end:
        let request = current
        let channel = context.channel
        let answered = channel.eventLoop.makeFutureWithTask { [server] in
          await server.answer(request)
        }
        answered.whenSuccess { answer in
          if let answer { Handler.send(answer, on: channel) }
        }
      }
    }

    private static func send(_ answer: Answer, on channel: any Channel) {
      var headers = HTTPHeaders(answer.headers)
      headers.add(name: "Content-Length", value: "\(answer.body.count)")
      let head = HTTPResponseHead(
        version: .http1_1, status: .init(statusCode: answer.status), headers: headers)
      channel.write(HTTPServerResponsePart.head(head), promise: nil)
      let body = channel.allocator.buffer(bytes: answer.body)
      channel.write(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
      channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
    }
  }
}
