import LifeguardCore

/// Why a call did not succeed.
public struct AWSError: Error, Sendable, CustomStringConvertible {
  /// What kind of failure it is, whatever the service calls it.
  public enum Kind: String, Hashable, Sendable {
    /// The service asked to be called less often; nothing was done.
    case throttled
    /// The service failed at its own job.
    case transient
    case timedOut
    /// No connection could be made.
    case unreachable
    /// The clock of this machine is off, and correcting for it did not help.
    case clockSkew
    case expiredCredentials
    /// The key is unknown or the secret is wrong.
    case badCredentials
    /// No source has credentials.
    case noCredentials
    /// A permission is missing.
    case accessDenied
    case notFound
    /// Something with that name is there, or something else is going on.
    case conflict
    /// A condition of a write does not hold.
    case conditionFailed
    /// The request is wrong.
    case invalid
    /// A setting of this side is wrong: the region, an endpoint.
    case configuration
    /// The answer cannot be read.
    case badAnswer
    case cancelled
    case other
  }

  public var kind: Kind
  /// `sns`.
  public var service: String
  /// `Publish`.
  public var action: String
  /// The service's own: `ThrottlingException`.
  public var code: String?
  public var message: String
  /// Of HTTP.
  public var status: Int?
  public var requestID: String?
  /// How often it was tried.
  public var attempts = 0
  /// The request may have been carried out although no good answer came: ask before repeating it.
  public var mayHaveBeenDone = false
  /// The missing permission when access was denied: `sns:Publish`.
  public var permission: String?
  /// Of an error in JSON.
  public var body: JSON?

  /// A failure of a call.
  public init(
    _ kind: Kind, service: String, action: String, code: String? = nil, message: String,
    status: Int? = nil, requestID: String? = nil
  ) {
    self.kind = kind
    self.service = service
    self.action = action
    self.code = code
    self.message = message
    self.status = status
    self.requestID = requestID
  }

  /// Whether the same call may succeed later without anybody changing anything.
  public var isRetryable: Bool {
    switch kind {
    case .throttled, .transient, .timedOut, .unreachable, .expiredCredentials, .cancelled: true
    case .clockSkew, .badCredentials, .noCredentials, .accessDenied, .notFound, .conflict,
      .conditionFailed, .invalid, .configuration, .badAnswer, .other:
      false
    }
  }

  /// One line: `sns Publish: access denied, sns:Publish is missing: …`.
  public var description: String {
    var text = "\(service) \(action): \(summary)"
    if let code { text += " (\(code))" }
    if !message.isEmpty { text += ": \(TextEscape.line(String(message.prefix(500))))" }
    if attempts > 1 { text += "; tried \(attempts) times" }
    if mayHaveBeenDone { text += "; it may have been done" }
    if let requestID { text += "; request \(TextEscape.line(String(requestID.prefix(100))))" }
    return text
  }

  private var summary: String {
    switch kind {
    case .throttled: "throttled"
    case .transient: "the service failed"
    case .timedOut: "no answer in time"
    case .unreachable: "cannot be reached"
    case .clockSkew: "the clock of this machine is off; synchronise it"
    case .expiredCredentials: "the credentials have expired"
    case .badCredentials: "the credentials are refused"
    case .noCredentials: "no credentials"
    case .accessDenied: permission.map { "access denied, \($0) is missing" } ?? "access denied"
    case .notFound: "not found"
    case .conflict: "conflict"
    case .conditionFailed: "the condition does not hold"
    case .invalid: "refused as invalid"
    case .configuration: "wrong setting"
    case .badAnswer: "the answer cannot be read"
    case .cancelled: "cancelled"
    case .other: "failed"
    }
  }
}
