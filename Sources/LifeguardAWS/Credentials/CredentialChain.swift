import LifeguardCore

/// The places where credentials are looked for, in order; the first that is set up decides.
///
/// ```
/// environment ─▶ profile ─▶ web identity ─▶ container ─▶ instance
/// ```
///
/// A place that is set up but fails ends the search: acting as somebody else than intended is worse
/// than not acting. The error then names every place and what it said.
struct CredentialChain: Sendable {
  let settings: AWSSettings
  let transport: any AWSTransport
  let clock: AWSClock

  /// What one place says.
  enum Finding: Sendable {
    case found(AWSCredentials)
    /// Not set up; why, for the error that names every place.
    case absent(String)
    /// Set up, and failed.
    case failed(String, isRetryable: Bool)
  }

  func fetch() async -> Result<AWSCredentials, AWSCredentialsError> {
    let profile = ProfileCredentials(
      settings: settings, files: SharedFiles.load(settings), transport: transport, clock: clock)
    let places: [@Sendable () async -> Finding] = [
      { await profile.find(fromEnvironment: true) },
      { await profile.find() },
      { await profile.webIdentity.fromEnvironment() },
      { await profile.container.find() },
      { await profile.instance.find() },
    ]
    var reasons: [String] = []
    for place in places {
      switch await place() {
      case .found(let credentials): return .success(credentials)
      case .absent(let reason): reasons.append(reason)
      case .failed(let reason, let isRetryable):
        reasons.append(reason)
        return .failure(AWSCredentialsError(reasons, isRetryable: isRetryable))
      }
    }
    return .failure(AWSCredentialsError(reasons))
  }
}

/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
struct EnvironmentCredentials: Sendable {
  let settings: AWSSettings

  func find() -> CredentialChain.Finding {
    let key = settings.variable("AWS_ACCESS_KEY_ID")
    let secret = settings.variable("AWS_SECRET_ACCESS_KEY")
    switch (key, secret) {
    case (nil, nil): return .absent("environment: AWS_ACCESS_KEY_ID is not set")
    case (_?, nil):
      return .failed(
        "environment: AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not", isRetryable: false)
    case (nil, _?):
      return .failed(
        "environment: AWS_SECRET_ACCESS_KEY is set, AWS_ACCESS_KEY_ID is not", isRetryable: false)
    case (let key?, let secret?):
      return .found(
        AWSCredentials(
          accessKeyID: key, secretAccessKey: Secret(secret),
          sessionToken: settings.variable("AWS_SESSION_TOKEN").map(Secret.init),
          source: "the environment"))
    }
  }
}
