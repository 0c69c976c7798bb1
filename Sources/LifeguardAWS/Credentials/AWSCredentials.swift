import LifeguardCore

/// What requests are signed with.
public struct AWSCredentials: Hashable, Sendable {
  public var accessKeyID: String
  public var secretAccessKey: Secret
  /// Of temporary credentials.
  public var sessionToken: Secret?
  /// Nil for credentials that do not expire.
  public var expiration: Timestamp?
  /// Where they come from, for messages: `the environment`.
  public var source: String

  /// Credentials from their parts.
  public init(
    accessKeyID: String, secretAccessKey: Secret, sessionToken: Secret? = nil,
    expiration: Timestamp? = nil, source: String = "given"
  ) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    self.expiration = expiration
    self.source = source
  }
}

/// Why there are no credentials.
public struct AWSCredentialsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What every source that was asked said, in order.
  public var reasons: [String]
  /// Whether asking again later may help.
  public var isRetryable: Bool
  /// Whether the caller gave up waiting.
  public var isCancelled = false

  /// A failure with the reasons of every source.
  public init(_ reasons: [String], isRetryable: Bool = false) {
    self.reasons = reasons
    self.isRetryable = isRetryable
  }

  static var cancelled: AWSCredentialsError {
    var error = AWSCredentialsError(["cancelled while getting credentials"], isRetryable: true)
    error.isCancelled = true
    return error
  }

  public var description: String { reasons.joined(separator: "; ") }
}

/// Hands out credentials, one call as good as the other.
public protocol AWSCredentialSource: Sendable {
  /// Credentials that are good now.
  func credentials() async throws(AWSCredentialsError) -> AWSCredentials
  /// A service said that these are expired or unknown: they must not be handed out again.
  func reject(_ credentials: AWSCredentials) async
}

/// Always the same credentials.
public struct StaticCredentials: AWSCredentialSource {
  private let value: AWSCredentials

  /// A source of these alone.
  public init(_ credentials: AWSCredentials) { value = credentials }

  public func credentials() async throws(AWSCredentialsError) -> AWSCredentials { value }
  public func reject(_ credentials: AWSCredentials) async {}
}
