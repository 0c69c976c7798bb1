import LifeguardCore

/// One call, before it is signed.
struct AWSCall: Sendable {
  var service: AWSService
  /// `Publish`.
  var action: String
  var method = "POST"
  /// Percent-encoded, below the service's address.
  var path = "/"
  var query: String?
  var headers: [AWSHeader] = []
  var body: [UInt8] = []
  /// Whether doing it twice is the same as doing it once.
  var isRepeatable: Bool
  var isSigned = true
  var answerMax = AWSRequest.answerMaxDefault

  /// A failure of this call that no answer told of.
  func error(_ kind: AWSError.Kind, _ message: String) -> AWSError {
    AWSError(kind, service: service.name, action: action, message: message)
  }
}

extension AWSClient {
  /// A call in one of the JSON protocols, for what has no function of its own here.
  ///
  /// - Parameter repeatable: whether doing it twice is the same as doing it once; only then it is
  ///   tried again when the service may have got it.
  public func json(
    _ service: AWSService, _ action: String, _ input: JSON, repeatable: Bool
  ) async throws(AWSError) -> JSON {
    try await json(service, action, body: input.bytes(), repeatable: repeatable)
  }

  func json(
    _ service: AWSService, _ action: String, body: [UInt8], repeatable: Bool
  ) async throws(AWSError) -> JSON {
    var call = AWSCall(service: service, action: action, isRepeatable: repeatable)
    guard case .json(let version, let target) = service.form else {
      throw call.error(.invalid, "\(service.name) does not speak JSON")
    }
    call.headers = [
      AWSHeader("Content-Type", "application/x-amz-json-\(version)"),
      AWSHeader("X-Amz-Target", "\(target).\(action)"),
    ]
    if service.wantsQueryErrors { call.headers.append(AWSHeader("x-amzn-query-mode", "true")) }
    call.body = body
    let response = try await perform(call)
    if response.body.isEmpty { return .object(JSONObject()) }
    do {
      return try JSON.parse(response.body)
    } catch {
      throw unreadable(call, response, error.description)
    }
  }

  /// A call in the query or the ec2 protocol, for what has no function of its own here; returns the
  /// outermost element, or the result inside of it where there is one.
  public func query(
    _ service: AWSService, _ action: String, _ input: QueryInput, repeatable: Bool
  ) async throws(AWSError) -> XMLElement {
    try await query(service, action, input, repeatable: repeatable, isSigned: true)
  }

  func query(
    _ service: AWSService, _ action: String, _ input: QueryInput, repeatable: Bool,
    isSigned: Bool
  ) async throws(AWSError) -> XMLElement {
    var call = AWSCall(service: service, action: action, isRepeatable: repeatable)
    guard case .query(let version) = service.form else {
      throw call.error(.invalid, "\(service.name) does not speak the query protocol")
    }
    call.isSigned = isSigned
    call.headers = [
      AWSHeader("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
    ]
    call.body = input.body(action: action, version: version)
    let response = try await perform(call)
    do {
      let root = try XMLReader.parse(response.body)
      return root["\(action)Result"] ?? root
    } catch {
      throw unreadable(call, response, error.description)
    }
  }

  private func unreadable(_ call: AWSCall, _ response: AWSResponse, _ reason: String) -> AWSError {
    var error = call.error(.badAnswer, reason)
    error.status = response.status
    error.requestID = response.header("x-amzn-requestid")
    error.attempts = 1
    error.mayHaveBeenDone = true
    return error
  }
}
