import LifeguardAWS
import LifeguardCore
import Testing

/// A call of the library with the answer that it gets, for the check against the services' models.
struct RecordedCall: Sendable, CustomStringConvertible {
  /// As botocore calls the service.
  var service: String
  var action: String
  var answer: String
  var call: @Sendable (AWSClient) async throws -> Void

  init(
    _ service: String, _ action: String, _ answer: String = "{}",
    _ call: @escaping @Sendable (AWSClient) async throws -> Void
  ) {
    self.service = service
    self.action = action
    self.answer = answer
    self.call = call
  }

  /// A call whose answer is XML: the inside of the result is given.
  static func query(
    _ service: String, _ action: String, _ result: String? = nil,
    _ call: @escaping @Sendable (AWSClient) async throws -> Void
  ) -> RecordedCall {
    let inside = result.map { "<\(action)Result>\($0)</\(action)Result>" } ?? ""
    return RecordedCall(
      service, action,
      "<\(action)Response xmlns=\"https://x/doc/\">\(inside)"
        + "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></\(action)Response>", call)
  }

  /// A call of EC2, whose answer has no result around it.
  static func ec2(
    _ action: String, _ inside: String,
    _ call: @escaping @Sendable (AWSClient) async throws -> Void
  ) -> RecordedCall {
    RecordedCall(
      "ec2", action,
      "<\(action)Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
        + "<requestId>r</requestId>\(inside)</\(action)Response>", call)
  }

  var description: String { "\(service) \(action)" }

  /// Makes the call; returns what was sent, as the oracle wants it.
  func record() async throws -> JSON {
    let transport = ScriptedTransport([AWSResponse.text(200, answer)])
    try await call(AWSClient.scripted(transport))
    try #require(transport.requests.count == 1, "\(self)")
    let request = transport.requests[0]
    let headers = JSONObject(request.headers.map { ($0.name, JSON.string($0.value)) })
    return [
      "service": .string(service), "action": .string(action), "method": .string(request.method),
      "path": .string(request.url.path), "query": .string(request.url.query ?? ""),
      "headers": .object(headers), "body": .string(request.bodyText), "answer": .string(answer),
    ]
  }
}
