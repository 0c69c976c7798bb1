import LifeguardAWS
import Synchronization

/// Answers requests from a function and remembers them.
final class ScriptedTransport: AWSTransport {
  typealias Answer = Result<AWSResponse, AWSTransportError>

  private let seen = Mutex<[AWSRequest]>([])
  private let timeouts = Mutex<[Duration]>([])
  private let answer: @Sendable (_ request: AWSRequest, _ number: Int) async -> Answer

  /// - Parameter answer: gets the request and its number, from 0.
  init(_ answer: @escaping @Sendable (AWSRequest, Int) async -> Answer) {
    self.answer = answer
  }

  /// Gives these answers in turn; the last one again and again.
  convenience init(_ answers: [Answer]) {
    self.init { _, number in answers[min(number, answers.count - 1)] }
  }

  var requests: [AWSRequest] { seen.withLock { $0 } }
  var limits: [Duration] { timeouts.withLock { $0 } }

  func send(
    _ request: AWSRequest, timeout: Duration
  ) async throws(AWSTransportError) -> AWSResponse {
    let number = seen.withLock { seen in
      seen.append(request)
      return seen.count - 1
    }
    timeouts.withLock { $0.append(timeout) }
    return try await answer(request, number).get()
  }
}

extension AWSResponse {
  /// An answer with a text for its body.
  static func text(
    _ status: Int, _ body: String, _ headers: [String: String] = [:]
  ) -> ScriptedTransport.Answer {
    .success(
      AWSResponse(
        status: status, headers: headers.map { AWSHeader($0.key, $0.value) },
        body: Array(body.utf8)))
  }
}

extension AWSRequest {
  var bodyText: String { String(decoding: body, as: UTF8.self) }

  /// The parameters of a form.
  var form: [String: String] {
    var result: [String: String] = [:]
    for pair in bodyText.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      result[Self.plain(parts[0])] = parts.count > 1 ? Self.plain(parts[1]) : ""
    }
    return result
  }

  private static func plain(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"),
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
