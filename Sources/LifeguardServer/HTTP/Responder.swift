import HTTPTypes
import HummingbirdCore
import LifeguardAgent
import LifeguardCore
import NIOCore

/// Answers requests: who asks, what for, may they, then the answer.
struct Responder: Sendable {
  /// The way a request came in.
  enum Door: Sendable {
    case network
    case socket
  }

  /// Bytes of a request's body; the largest honest one is a silence's comment.
  static let bodyMax = 64 * 1024
  /// For reading a request and writing its answer.
  static let timeLimit: TimeAmount = .seconds(30)

  let agent: Agent
  let gate: Gate
  let events: EventStream
  /// `host:port` as people can type it.
  let listening: @Sendable () -> String

  /// Thrown to end a connection whose request was not read to its end.
  struct ConnectionEnd: Error {}

  func respond(
    to request: Request, _ writer: consuming ResponseWriter, on channel: any NIOCore.Channel,
    by door: Door
  ) async throws {
    let limit = channel.eventLoop.scheduleTask(in: Responder.timeLimit) {
      channel.close(promise: nil)
    }
    defer { limit.cancel() }
    var reply = await reply(to: request, on: channel, by: door)
    Responder.addSecurityHeaders(to: &reply.headers)
    if Responder.hasBody(request.head), !reply.hasReadBody { reply.closes = true }
    if reply.closes { reply.headers[.connection] = "close" }
    switch reply.body {
    case .bytes(let bytes):
      reply.headers[.contentLength] = String(bytes.count)
      let head = HTTPResponse(status: reply.status, headerFields: reply.headers)
      let isHead = request.method == .head
      try await writer.write(
        response: head,
        body: isHead ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    case .events:
      limit.cancel()
      defer { events.leave() }
      let head = HTTPResponse(status: reply.status, headerFields: reply.headers)
      var body: any ResponseBodyWriter = try await writer.writeHead(head)
      try await events.write(to: &body, on: channel)
      throw ConnectionEnd()
    }
    if reply.closes { throw ConnectionEnd() }
  }

  private func reply(to request: Request, on channel: any NIOCore.Channel, by door: Door) async
    -> Reply
  {
    let path = String(request.uri.path)
    if let refusal = gate.checkNames(request.head, door) { return refusal }
    guard let route = Route(path: path) else {
      return path.hasPrefix("/api/")
        ? .failure(.notFound, .notFound, "there is no \(path); docs/http.md lists what there is")
        : .text(.notFound, "there is nothing here; try /")
    }
    guard route.methods.contains(request.method) else { return methodRefused(request, route) }
    var caller = Caller.nobody
    if route.right > .none {
      switch await gate.admit(request.head, to: route, on: channel, by: door) {
      case .success(let admitted): caller = admitted
      case .failure(let refusal): return refusal.reply
      }
    }
    guard request.method == .post else {
      return await read(route, Parameters(query: request.uri.query), request)
    }
    do {
      let body = try await collect(request)
      let parameters = try Parameters(body: body, contentType: request.headers[.contentType])
      var reply =
        route == .query
        ? await read(route, parameters, request) : await act(route, parameters, caller)
      reply.hasReadBody = true
      return reply
    } catch let problem as Parameters.Problem {
      return .failure(.badRequest, .badData, problem.message)
    } catch {
      var reply = Reply.failure(
        .contentTooLarge, .tooLarge, "a body may have at most \(Responder.bodyMax) bytes")
      reply.closes = true
      return reply
    }
  }

  private func collect(_ request: Request) async throws -> [UInt8] {
    if let length = request.headers[.contentLength].flatMap({ Int($0) }),
      length > Responder.bodyMax
    {
      throw ConnectionEnd()
    }
    let buffer = try await request.body.collect(upTo: Responder.bodyMax)
    return Array(buffer.readableBytesView)
  }

  private func methodRefused(_ request: Request, _ route: Route) -> Reply {
    let allowed = route.methods.map(\.rawValue).joined(separator: ", ")
    var reply = Reply.text(
      .methodNotAllowed, "\(request.method.rawValue) is not for \(request.uri.path); use \(allowed)"
    )
    reply.headers[.allow] = allowed
    return reply
  }

  /// Whether bytes follow a request's head (RFC 9112, section 6).
  private static func hasBody(_ head: HTTPRequest) -> Bool {
    if head.headerFields[.transferEncoding] != nil { return true }
    guard let length = head.headerFields[.contentLength] else { return false }
    return length != "0"
  }

  /// What every answer carries: nothing is framed, sniffed, cached, or run inline.
  private static func addSecurityHeaders(to headers: inout HTTPFields) {
    headers[.xContentTypeOptions] = "nosniff"
    headers[.contentSecurityPolicy] =
      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
      + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
    for (name, value) in [
      ("X-Frame-Options", "DENY"), ("Referrer-Policy", "no-referrer"),
      ("Cross-Origin-Resource-Policy", "same-origin"),
    ] {
      if let name = HTTPField.Name(name) { headers[name] = value }
    }
  }
}
