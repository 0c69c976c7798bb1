import LifeguardCore

/// Credentials of a role, from the Security Token Service.
struct AssumedRole: Sendable {
  let settings: AWSSettings
  let files: SharedFiles
  let transport: any AWSTransport
  let clock: AWSClock

  /// For messages in the account's trail; the role's users are told apart by it.
  private static let session = "lifeguard"

  func assume(
    _ role: String, as source: AWSCredentials, session: String?, seconds: Int?,
    externalID: String?, origin: String
  ) async -> CredentialChain.Finding {
    await ask(role, origin) { sts throws(AWSError) in
      try await sts.assumeRole(
        role, session: session ?? Self.session, duration: seconds.map { .seconds($0) },
        externalID: externalID)
    } source: {
      source
    }
  }

  func assume(
    _ role: String, webIdentity token: Secret, session: String?, origin: String
  ) async -> CredentialChain.Finding {
    await ask(role, origin) { sts throws(AWSError) in
      try await sts.assumeRole(role, session: session ?? Self.session, webIdentity: token)
    } source: {
      nil
    }
  }

  private func ask(
    _ role: String, _ origin: String,
    _ call: (STS) async throws(AWSError) -> AWSCredentials, source: () -> AWSCredentials?
  ) async -> CredentialChain.Finding {
    var settings = settings
    if settings.region == nil, settings.variable("AWS_REGION") == nil,
      settings.variable("AWS_DEFAULT_REGION") == nil
    {
      // The global service's own region, for accounts that name none.
      settings.region = files.profile(settings.profileName.name)["region"] ?? "us-east-1"
    }
    let none = AWSCredentials(accessKeyID: "", secretAccessKey: Secret(""))
    var client = AWSClient(
      settings, transport: transport, credentials: StaticCredentials(source() ?? none),
      clock: clock)
    client.retry.attemptTimeout = .seconds(5)
    client.retry.callTimeout = .seconds(12)
    do {
      var credentials = try await call(client.sts)
      credentials.source = "\(origin), role \(role)"
      return .found(credentials)
    } catch {
      return .failed("\(origin): assuming \(role) failed: \(error)", isRetryable: error.isRetryable)
    }
  }
}
