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

  /// Bytes of a command's body; the largest honest one is a silence's comment.
  static let bodyMax = 64 * 1024
  /// For reading a request and writing its answer.
  static let timeLimit: TimeAmount = .seconds(30)
  /// Larger answers come from the query threads, which pack them; this takes about a millisecond.
  static let packedHereMax = 256 * 1024

  let agent: Agent
  let gate: Gate
  let events: EventStream
  let desk: QueryDesk
  let disk = DiskGate()
  let metrics: MetricsCache
  let certificate: ServerCertificate?
  /// Bodies of remote writes in memory at once, in bytes: Prometheus opens up to 50 connections to
  /// one store, and sends far less than the largest body on each.
  let writes = Room(64, weight: 64 << 20)
  /// `host:port` as people can type it.
  let listening: @Sendable () -> String

  /// Thrown to end a connection whose request was not read to its end.
  struct ConnectionEnd: Error {}

  func respond(
    to request: Request, _ writer: consuming ResponseWriter, on channel: any NIOCore.Channel,
    by door: Door
  ) async throws {
    let limit = ConnectionLimit(channel)
    limit.start(Responder.timeLimit)
    defer { limit.stop() }
    var reply = await reply(to: request, on: channel, by: door, limit)
    limit.start(Responder.timeLimit)
    if case .bytes(let bytes) = reply.body, bytes.count <= Responder.packedHereMax {
      reply = reply.compressed(if: Gzip.isAccepted(by: request.headers[.acceptEncoding]))
    }
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
      limit.stop()
      defer { events.leave() }
      let head = HTTPResponse(status: reply.status, headerFields: reply.headers)
      var body: any ResponseBodyWriter = try await writer.writeHead(head)
      try await events.write(to: &body, on: channel)
      throw ConnectionEnd()
    }
    if reply.closes { throw ConnectionEnd() }
  }

  private func reply(
    to request: Request, on channel: any NIOCore.Channel, by door: Door, _ limit: ConnectionLimit
  ) async -> Reply {
    let path = String(request.uri.path)
    if let refusal = gate.checkNames(request.head, door) { return refusal }
    guard let route = Route(path: path) else {
      return .text(
        .notFound,
        "there is no \(Printable.text(path, limit: 200)); docs/http.md lists what there is")
    }
    // Open places must answer even while nothing else does.
    let settings = route.right > .none ? await gate.settings() : Gate.Settings()
    let origin = gate.allowedOrigin(request.head, to: route, settings)
    if request.method == .options, let origin { return .preflight(origin) }
    guard route.methods.contains(request.method) else { return methodRefused(request, route) }
    var caller = Caller.nobody
    if route.right > .none {
      switch await gate.admit(request.head, to: route, on: channel, by: door, settings) {
      case .success(let admitted): caller = admitted
      case .failure(let refusal): return refusal.reply
      }
    }
    var reply: Reply
    if case .prometheus(let place) = route {
      reply = await answer(place, request, on: channel, limit)
    } else if request.method == .post {
      reply = await obey(route, request, caller)
    } else {
      reply = await read(route, Parameters(query: request.uri.query), request)
    }
    if let origin { reply.allow(origin) }
    return reply
  }

  private func obey(_ route: Route, _ request: Request, _ caller: Caller) async -> Reply {
    let body: [UInt8]
    switch await collectBody(request, upTo: Responder.bodyMax) {
    case .success(let bytes): body = bytes
    case .failure(let refusal): return refusal.reply
    }
    do throws(Parameters.Problem) {
      let parameters = try Parameters(body: body, contentType: request.headers[.contentType])
      var reply = await act(route, parameters, caller)
      reply.hasReadBody = true
      return reply
    } catch {
      return .failure(.badRequest, .badData, error.message)
    }
  }

  /// Reads a body to its end, unpacked when it is gzip.
  ///
  /// - Parameters:
  ///   - limit: in bytes, before and after unpacking.
  ///   - unpacks: whether `Content-Encoding` is looked at here.
  func collectBody(
    _ request: Request, upTo limit: Int, unpacks: Bool = true
  ) async -> Result<[UInt8], Gate.Refusal> {
    let tooLarge = Gate.Refusal(
      reply: .failure(.contentTooLarge, .tooLarge, "a body may have at most \(limit) bytes"))
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
      return .failure(tooLarge)
    }
    // What is thrown here is the limit, or a connection that has ended and gets no answer anyway.
    guard let buffer = try? await request.body.collect(upTo: limit) else {
      return .failure(tooLarge)
    }
    let bytes = Array(buffer.readableBytesView)
    guard unpacks, let encoding = request.headers[.contentEncoding]?.lowercased(),
      encoding != "identity"
    else { return .success(bytes) }
    guard encoding == "gzip" else {
      return .failure(
        Gate.Refusal(
          reply: .text(
            .unsupportedMediaType,
            "bodies packed with \(Printable.text(encoding, limit: 50)) are not read; use gzip")))
    }
    do throws(Gzip.Problem) {
      return .success(try Gzip.decompress(bytes, upTo: limit))
    } catch .tooLarge {
      return .failure(tooLarge)
    } catch {
      return .failure(
        Gate.Refusal(reply: .failure(.badRequest, .badData, "the body is no gzip")))
    }
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
  ///
  /// No address goes to other sites; with `no-referrer` a browser would send the page's own forms
  /// with `Origin: null` too (Fetch standard, "append a request Origin header"), and the gate
  /// refuses those.
  private static func addSecurityHeaders(to headers: inout HTTPFields) {
    headers[.xContentTypeOptions] = "nosniff"
    headers[.contentSecurityPolicy] =
      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
      + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
    for (name, value) in [
      ("X-Frame-Options", "DENY"), ("Referrer-Policy", "same-origin"),
      ("Cross-Origin-Resource-Policy", "same-origin"),
    ] {
      if let name = HTTPField.Name(name), headers[name] == nil { headers[name] = value }
    }
  }
}
