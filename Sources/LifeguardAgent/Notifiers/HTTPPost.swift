import AsyncHTTPClient
import LifeguardCore
import NIOCore
import NIOHTTP1
import NIOPosix

/// One POST, with its outcome as a delivery's.
struct HTTPPost: Sendable {
  let client: HTTPClient

  /// Bytes of an answer that are read; more is of no use in an error.
  private static let answerMax = 16_384

  /// - Parameters:
  ///   - url: may hold a secret, so no error repeats it.
  ///   - receiver: what it is, for the error: `the webhook`.
  func send(
    _ body: [UInt8], to url: Secret, headers: [(String, String)] = [], receiver: String,
    timeout: Duration
  ) async throws(DeliveryError) {
    var request = HTTPClientRequest(url: url.revealed)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    request.headers.add(name: "User-Agent", value: "lifeguard")
    for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
    request.body = .bytes(body)
    let response: HTTPClientResponse
    var answer = ""
    do {
      response = try await client.execute(
        request, timeout: .milliseconds(max(timeout.milliseconds, 1)))
      // The body of an answer only explains it; one that is too long or broken is left out.
      if let bytes = try? await response.body.collect(upTo: Self.answerMax) {
        answer = String(decoding: bytes.readableBytesView, as: UTF8.self)
      }
    } catch {
      throw Self.failure(error, receiver)
    }
    try Self.check(response, answer, receiver)
  }

  private static func check(
    _ response: HTTPClientResponse, _ answer: String, _ receiver: String
  ) throws(DeliveryError) {
    let status = Int(response.status.code)
    if (200..<300).contains(status) { return }
    let text = TextEscape.line(String(answer.prefix(200)))
    let reason = "\(receiver) answered \(status)" + (text.isEmpty ? "" : ": \(text)")
    if (300..<400).contains(status) {
      throw DeliveryError(
        retryable: false, "\(reason) (a redirect, which is not followed); give its final address")
    }
    // Credentials and addresses are put right by a person, while the message waits.
    let isRetryable = status >= 500 || [401, 403, 404, 407, 408, 425, 429].contains(status)
    let after = response.headers.first(name: "Retry-After").flatMap(Int64.init)
      .map { Duration.seconds(min(max($0, 0), 3600)) }
    throw DeliveryError(retryable: isRetryable, after: isRetryable ? after : nil, reason)
  }

  private static func failure(_ error: any Error, _ receiver: String) -> DeliveryError {
    if error is CancellationError {
      return DeliveryError(retryable: true, "the delivery was cancelled")
    }
    guard let error = error as? HTTPClientError else {
      // Connection errors name the address at most, never the path, which may be secret.
      return DeliveryError(retryable: true, "\(receiver) cannot be reached: \(brief(error))")
    }
    let permanent: [HTTPClientError] = [
      .invalidURL, .emptyHost, .emptyScheme, .invalidHeaderFieldNames(["\(receiver)"]),
    ]
    if permanent.contains(error) || error.description.contains("unsupportedScheme") {
      return DeliveryError(retryable: false, "the address of \(receiver) is not an HTTP URL")
    }
    if error == .deadlineExceeded || error == .connectTimeout || error == .readTimeout {
      return DeliveryError(retryable: true, "\(receiver) did not answer in time")
    }
    return DeliveryError(
      retryable: true, "\(receiver) cannot be reached: \(error.shortDescription)")
  }

  private static func brief(_ error: any Error) -> String {
    if let error = error as? NIOConnectionError { return "connecting to \(error.host) failed" }
    return TextEscape.line(String("\(error)".prefix(120)))
  }
}
