import LifeguardCore

/// Credentials of a role for a token in a file, as in pods of EKS: `AWS_WEB_IDENTITY_TOKEN_FILE`
/// and `AWS_ROLE_ARN`.
struct WebIdentityCredentials: Sendable {
  let settings: AWSSettings
  let roles: AssumedRole

  func fromEnvironment() async -> CredentialChain.Finding {
    guard let file = settings.variable("AWS_WEB_IDENTITY_TOKEN_FILE") else {
      return .absent("web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set")
    }
    guard let role = settings.variable("AWS_ROLE_ARN") else {
      return .failed("web identity: AWS_ROLE_ARN is not set", isRetryable: false)
    }
    return await find(
      role: role, tokenFile: file, session: settings.variable("AWS_ROLE_SESSION_NAME"),
      origin: "web identity")
  }

  /// The file is read anew each time: the platform replaces it before the token expires.
  func find(
    role: String, tokenFile: String, session: String?, origin: String
  ) async -> CredentialChain.Finding {
    switch SharedFiles.read(tokenFile) {
    case .failure(let problem):
      return .failed(
        "\(origin): token file \(tokenFile) \(problem.reason)", isRetryable: false)
    case .success(let bytes):
      let token = String(decoding: bytes, as: UTF8.self)
        .split(whereSeparator: \.isWhitespace).first.map(String.init)
      guard let token else {
        return .failed("\(origin): token file \(tokenFile) is empty", isRetryable: true)
      }
      return await roles.assume(
        role, webIdentity: Secret(token), session: session, origin: origin)
    }
  }
}
