/// Carries one HTTP request to a service and its answer back.
///
/// Signing, retrying and reading belong to `AWSClient`; a transport does none of them, so that
/// tests and the function can bring their own.
public protocol AWSTransport: Sendable {
  /// Sends one request; follows no redirect and tries nothing again.
  ///
  /// - Parameter timeout: for the whole exchange.
  func send(
    _ request: AWSRequest, timeout: Duration
  ) async throws(AWSTransportError) -> AWSResponse
}

/// A header field.
public struct AWSHeader: Hashable, Sendable {
  public var name: String
  public var value: String

  /// A field; names are compared without regard to case.
  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// An HTTP request.
public struct AWSRequest: Hashable, Sendable {
  /// Bytes of an answer that are read when nothing else is said: the largest answer of the calls
  /// here, a page of DescribeInstances, has about 3 MB.
  public static let answerMaxDefault = 8 << 20

  public var method: String
  public var url: AWSURL
  public var headers: [AWSHeader]
  public var body: [UInt8]
  /// A longer answer is an error.
  public var answerMax: Int

  /// A request that is ready to be signed or sent.
  public init(
    _ method: String, _ url: AWSURL, headers: [AWSHeader] = [], body: [UInt8] = [],
    answerMax: Int = AWSRequest.answerMaxDefault
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.answerMax = answerMax
  }

  /// The value of the first field of a name.
  public func header(_ name: String) -> String? { headers.value(name) }

  /// Replaces every field of a name by one.
  public mutating func set(_ name: String, _ value: String) {
    headers.removeAll { $0.name.lowercased() == name.lowercased() }
    headers.append(AWSHeader(name, value))
  }
}

/// An HTTP answer.
public struct AWSResponse: Hashable, Sendable {
  public var status: Int
  public var headers: [AWSHeader]
  public var body: [UInt8]

  /// An answer as it came.
  public init(status: Int, headers: [AWSHeader] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The value of the first field of a name.
  public func header(_ name: String) -> String? { headers.value(name) }
}

extension [AWSHeader] {
  func value(_ name: String) -> String? {
    let name = name.lowercased()
    return first { $0.name.lowercased() == name }?.value
  }
}

/// Why no answer came.
public struct AWSTransportError: Error, Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// No connection was made, so the request surely was not sent.
    case unreachable
    /// Time was up; the service may have got the request.
    case timedOut
    /// The connection broke; the service may have got the request.
    case connectionLost
    /// The answer is larger than `answerMax`.
    case answerTooLarge
    case cancelled
    /// The request cannot be sent as it is.
    case invalid
  }

  public var kind: Kind
  /// For people: `connecting to 127.0.0.1 failed`.
  public var reason: String

  /// A failure with its reason.
  public init(_ kind: Kind, _ reason: String) {
    self.kind = kind
    self.reason = reason
  }

  /// Whether the service may have received the request.
  public var mayHaveBeenSent: Bool { kind != .unreachable && kind != .invalid }
}
