import LifeguardCore

/// Sorts the codes of services into kinds.
///
/// The lists of throttling and transient codes are those of the SDKs' standard retry mode
/// (docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html), without
/// `LimitExceededException`, which most services mean as a quota that waiting does not lift.
enum ErrorClass {
  /// Clocks may differ by 5 minutes before a signature is refused; beyond 4 it is worth correcting.
  static let skewMin: Duration = .seconds(240)

  private static let throttled: Set<String> = [
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled",
    "RequestThrottledException", "TooManyRequestsException", "RequestLimitExceeded",
    "BandwidthLimitExceeded", "ProvisionedThroughputExceededException", "SlowDown",
    "PriorRequestNotComplete", "EC2ThrottledException", "KMSThrottlingException",
    "TransactionInProgressException", "TransactionConflictException",
    "ReplicatedWriteConflictException", "ResourceContention", "ResourceContentionFault",
  ]

  private static let transient: Set<String> = [
    "RequestTimeout", "RequestTimeoutException", "InternalError", "InternalFailure",
    "InternalErrorException", "InternalServerError", "InternalServiceError",
    "InternalServiceErrorException", "InternalServiceFault", "ServiceUnavailable",
    "ServiceUnavailableException", "ServiceException", "Unavailable", "IDPCommunicationError",
    "IDPCommunicationErrorException",
  ]

  private static let skewed: Set<String> = [
    "RequestTimeTooSkewed", "RequestInTheFuture", "RequestExpired",
  ]

  private static let expired: Set<String> = [
    "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired",
  ]

  private static let refused: Set<String> = [
    "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId",
    "SignatureDoesNotMatch", "InvalidSignatureException", "MissingAuthenticationToken",
    "MissingAuthenticationTokenException", "IncompleteSignature", "IncompleteSignatureException",
    "AuthFailure", "InvalidToken", "InvalidIdentityToken", "InvalidIdentityTokenException",
  ]

  private static let denied: Set<String> = [
    "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError",
    "AuthorizationErrorException", "UnauthorizedException", "NotAuthorized", "OptInRequired",
    "KMSAccessDeniedException", "KMSAccessDenied",
  ]

  private static let conflicts: Set<String> = [
    "ResourceAlreadyExistsException", "ResourceConflictException", "ResourceInUseException",
    "OperationAbortedException", "InstanceRefreshInProgress", "InstanceRefreshInProgressFault",
    "ScalingActivityInProgress", "ScalingActivityInProgressFault", "IncorrectInstanceState",
    "AlreadyExists",
  ]

  /// The kind of a failure by its code, else by its status.
  static func kind(
    code: String?, message: String, status: Int, clockOffset: Duration?
  ) -> AWSError.Kind {
    guard let code else { return byStatus(status) }
    let isSkewed = clockOffset.map { max($0, .zero - $0) > skewMin } ?? false
    if skewed.contains(code) {
      // EC2 says RequestExpired of credentials, too.
      return code == "RequestExpired" && !isSkewed ? .expiredCredentials : .clockSkew
    }
    // A signature from a wrong time is refused as a wrong signature.
    if refused.contains(code), isSkewed { return .clockSkew }
    if expired.contains(code) { return .expiredCredentials }
    if throttled.contains(code) || status == 429 { return .throttled }
    if transient.contains(code) { return .transient }
    if refused.contains(code) { return .badCredentials }
    if denied.contains(code) { return .accessDenied }
    if code == "ConditionalCheckFailedException" { return .conditionFailed }
    if conflicts.contains(code) { return .conflict }
    if isMissing(code) || message.contains("name not found") { return .notFound }
    return byStatus(status)
  }

  private static func isMissing(_ code: String) -> Bool {
    ["NotFound", "NotFoundException", "ResourceNotFound", "InvocationDoesNotExist"].contains(code)
      || code.hasSuffix(".NotFound") || code.hasSuffix("NotFoundException")
      || code.hasSuffix("NotFound")
  }

  private static func byStatus(_ status: Int) -> AWSError.Kind {
    switch status {
    case 429: .throttled
    case 408: .timedOut
    case 500...599: .transient
    case 401, 403: .accessDenied
    case 404: .notFound
    case 409: .conflict
    case 400...499: .invalid
    // A redirect is followed nowhere: a signature is good for one host.
    default: .other
    }
  }
}
