import HTTPTypes
import LifeguardCore

/// An answer before it is written.
struct Reply: Sendable {
  enum Body: Sendable {
    case bytes([UInt8])
    /// Server-sent events, until somebody hangs up.
    case events
  }

  var status: HTTPResponse.Status
  var headers = HTTPFields()
  var body: Body
  /// Whether the connection cannot be used again.
  var closes = false
  /// Whether all of the request was read; the rest of one that was not is not waited for.
  var hasReadBody = false

  init(_ status: HTTPResponse.Status, type: String, _ bytes: [UInt8]) {
    self.status = status
    body = .bytes(bytes)
    headers[.contentType] = type
  }

  static func text(_ status: HTTPResponse.Status, _ text: String) -> Reply {
    Reply(status, type: "text/plain; charset=utf-8", Array((text + "\n").utf8))
  }

  static func html(_ status: HTTPResponse.Status, _ page: HTML) -> Reply {
    Reply(status, type: "text/html; charset=utf-8", Array(page.text.utf8))
  }

  /// `{"status":"success","data":…}`, as in Prometheus' API.
  static func data(_ data: JSON) -> Reply {
    json(.ok, ["status": "success", "data": data])
  }

  static func data(_ value: some Encodable) -> Reply {
    do {
      return data(try JSONCoder.json(value))
    } catch {
      return failure(.internalServerError, .internalError, JSONCoder.describe(error))
    }
  }

  /// `{"status":"error","errorType":…,"error":…}`, as in Prometheus' API.
  static func failure(
    _ status: HTTPResponse.Status, _ type: ErrorType, _ message: String
  ) -> Reply {
    json(
      status, ["status": "error", "errorType": .string(type.rawValue), "error": .string(message)])
  }

  /// Prometheus' words first (`web/api/v1/errors.go`), then ours.
  enum ErrorType: String {
    case badData = "bad_data"
    case execution
    case internalError = "internal"
    case notFound = "not_found"
    case timeout
    case canceled
    case notAcceptable = "not_acceptable"
    case unauthorized
    case forbidden
    case refused
    case unavailable
    case tooLarge = "too_large"
    case methodNotAllowed = "method_not_allowed"
  }

  static func redirect(to path: String) -> Reply {
    var reply = text(.seeOther, "see \(path)")
    reply.headers[.location] = path
    return reply
  }

  private static func json(_ status: HTTPResponse.Status, _ value: JSON) -> Reply {
    Reply(status, type: "application/json", value.bytes())
  }

  /// JSON that is written already.
  static func json(_ bytes: [UInt8]) -> Reply { Reply(.ok, type: "application/json", bytes) }

  /// Packed, where the client takes that and it is worth it.
  func compressed(if isWanted: Bool) -> Reply {
    guard case .bytes(let bytes) = body, headers[.contentEncoding] == nil,
      bytes.count >= Gzip.worthwhileBytes
    else { return self }
    var reply = self
    // A cache in between must not give it to one who takes no gzip (RFC 9110, section 12.5.5).
    reply.headers[.vary] = "Accept-Encoding"
    guard isWanted, let packed = Gzip.compress(bytes), packed.count < bytes.count else {
      return reply
    }
    reply.body = .bytes(packed)
    reply.headers[.contentEncoding] = "gzip"
    return reply
  }

  /// What a browser asks before a page of another origin may read (Fetch standard, CORS protocol).
  static func preflight(_ origin: String) -> Reply {
    var reply = Reply(.noContent, type: "text/plain; charset=utf-8", [])
    reply.allow(origin)
    for (name, value) in [
      ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
      ("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, Origin"),
      ("Access-Control-Max-Age", "600"),
    ] {
      if let name = HTTPField.Name(name) { reply.headers[name] = value }
    }
    return reply
  }

  /// Lets a page of this origin read the answer; cookies are never taken from there.
  mutating func allow(_ origin: String) {
    for (name, value) in [
      ("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", "Date"),
      ("Cross-Origin-Resource-Policy", "cross-origin"),
    ] {
      if let name = HTTPField.Name(name) { headers[name] = value }
    }
    headers[.vary] = [headers[.vary], "Origin"].compactMap { $0 }.joined(separator: ", ")
  }
}
