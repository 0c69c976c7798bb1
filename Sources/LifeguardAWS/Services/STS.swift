import LifeguardCore

/// The Security Token Service: who one is, and becoming somebody else.
public struct STS: Sendable {
  let client: AWSClient

  /// The identity that calls are made with.
  public func callerIdentity() async throws(AWSError) -> CallerIdentity {
    let result = try await client.query(.sts, "GetCallerIdentity", QueryInput(), repeatable: true)
    return CallerIdentity(
      account: result.value("Account") ?? "", arn: result.value("Arn") ?? "",
      userID: result.value("UserId") ?? "")
  }

  /// Credentials of a role.
  ///
  /// - Parameters:
  ///   - session: names this use of the role in the account's trail; characters that are not
  ///     allowed there become dashes.
  ///   - duration: from 15 min; without it an hour.
  public func assumeRole(
    _ arn: String, session: String, duration: Duration? = nil, externalID: String? = nil
  ) async throws(AWSError) -> AWSCredentials {
    var input = role(arn, session, duration)
    input["ExternalId"] = externalID
    return try await credentials("AssumeRole", input, isSigned: true)
  }

  /// Credentials of a role for a token of an identity provider; needs no credentials itself.
  public func assumeRole(
    _ arn: String, session: String, webIdentity token: Secret, duration: Duration? = nil
  ) async throws(AWSError) -> AWSCredentials {
    var input = role(arn, session, duration)
    input["WebIdentityToken"] = token.revealed
    return try await credentials("AssumeRoleWithWebIdentity", input, isSigned: false)
  }

  private func role(_ arn: String, _ session: String, _ duration: Duration?) -> QueryInput {
    var input = QueryInput()
    input["RoleArn"] = arn
    input["RoleSessionName"] = Self.sessionName(session)
    input.set("DurationSeconds", duration.map { Int($0.components.seconds) })
    return input
  }

  /// 2 to 64 of `[A-Za-z0-9_+=,.@-]`.
  static func sessionName(_ text: String) -> String {
    let kept = text.unicodeScalars.map { scalar -> Character in
      let isAllowed =
        scalar.isASCII
        && (scalar.properties.isAlphabetic || "0123456789_+=,.@-".contains(Character(scalar)))
      return isAllowed ? Character(scalar) : "-"
    }
    let name = String(kept.prefix(64))
    return name.count < 2 ? "lifeguard" : name
  }

  private func credentials(
    _ action: String, _ input: QueryInput, isSigned: Bool
  ) async throws(AWSError) -> AWSCredentials {
    let result = try await client.query(
      .sts, action, input, repeatable: true, isSigned: isSigned)
    guard let found = result["Credentials"], let key = found.value("AccessKeyId"),
      let secret = found.value("SecretAccessKey")
    else {
      throw AWSError(
        .badAnswer, service: "sts", action: action, message: "the answer holds no credentials")
    }
    return AWSCredentials(
      accessKeyID: key, secretAccessKey: Secret(secret),
      sessionToken: found.value("SessionToken").map(Secret.init),
      expiration: found.value("Expiration").flatMap { Timestamp($0) },
      source: "role \(input["RoleArn"] ?? "")")
  }
}

/// The identity behind credentials.
public struct CallerIdentity: Hashable, Sendable {
  public var account: String
  public var arn: String
  public var userID: String
}
