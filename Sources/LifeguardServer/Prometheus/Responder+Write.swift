import HTTPTypes
import HummingbirdCore
import LifeguardAgent
import LifeguardConfiguration
import LifeguardCore

/// `/api/v1/write`: Prometheus' remote write 1.0, inwards.
extension Responder {
  func receiveSamples(_ request: Request, _ limit: ConnectionLimit) async -> Reply {
    guard await agent.httpSettings.remoteWrite else {
      return .text(
        .notFound, "remote write receiver needs to be enabled with `http: {remote_write: true}`")
    }
    if let refusal = Responder.unsupported(request) { return refusal }
    // A body whose length is not said may be as long as any.
    let length = request.headers[.contentLength].flatMap { Int($0) } ?? PrometheusPlace.writeMax
    let weight = max(0, min(length, PrometheusPlace.writeMax))
    guard writes.enter(weight) else { return Responder.later }
    defer { writes.leave(weight) }
    let bytes: [UInt8]
    switch await collectBody(request, upTo: PrometheusPlace.writeMax, unpacks: false) {
    case .success(let body): bytes = body
    case .failure(let refusal): return refusal.reply
    }
    limit.stop()
    let outcome = await agent.receive(bytes)
    var reply: Reply
    switch outcome.status {
    case 204: reply = Reply(.noContent, type: "text/plain; charset=utf-8", [])
    case 503: reply = Responder.later
    default: reply = .text(.badRequest, outcome.problem ?? "bad samples")
    }
    reply.hasReadBody = true
    return reply
  }

  /// 503 is sent again by every sender; 429 is dropped by some.
  private static var later: Reply {
    var reply = Reply.text(.serviceUnavailable, "too many samples at once; send them again later")
    reply.headers[.retryAfter] = "1"
    return reply
  }

  /// In the words of Prometheus' receiver (storage/remote/write_handler.go).
  private static func unsupported(_ request: Request) -> Reply? {
    if let type = request.headers[.contentType], !type.isEmpty {
      let fields = type.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
      guard fields.first == "application/x-protobuf" else {
        return .text(
          .unsupportedMediaType,
          "expected application/x-protobuf as the first (media) part, got "
            + "\(Printable.text(type, limit: 100)) content-type")
      }
      if fields.contains(where: { $0.hasPrefix("proto=") && $0 != "proto=prometheus.writerequest" })
      {
        return .text(
          .unsupportedMediaType,
          "\(Printable.text(type, limit: 100)) is not accepted by this server; only "
            + "prometheus.WriteRequest is acceptable")
      }
    }
    let encoding = request.headers[.contentEncoding]?.lowercased() ?? "snappy"
    guard encoding == "snappy" else {
      return .text(
        .unsupportedMediaType,
        "\(Printable.text(encoding, limit: 100)) encoding (compression) is not accepted by this "
          + "server; only snappy is acceptable")
    }
    return nil
  }
}
