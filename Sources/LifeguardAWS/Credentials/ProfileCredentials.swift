import LifeguardCore

/// Credentials of a profile of the shared files: its keys, or a role that another identity assumes.
struct ProfileCredentials: Sendable {
  let settings: AWSSettings
  let files: SharedFiles
  let transport: any AWSTransport
  let clock: AWSClock

  /// Roles that lead to roles; the service itself allows no longer chain in practice.
  private static let chainMax = 8

  var webIdentity: WebIdentityCredentials {
    WebIdentityCredentials(settings: settings, roles: roles)
  }
  var container: ContainerCredentials {
    ContainerCredentials(settings: settings, transport: transport, clock: clock)
  }
  var instance: InstanceCredentials {
    InstanceCredentials(InstanceMetadata(settings, transport: transport, clock: clock))
  }
  private var roles: AssumedRole {
    AssumedRole(settings: settings, files: files, transport: transport, clock: clock)
  }

  /// The environment's keys come first, unless the caller itself named a profile.
  func find(fromEnvironment: Bool) async -> CredentialChain.Finding {
    if let profile = settings.profile {
      return .absent("environment: passed over for profile \(profile)")
    }
    return EnvironmentCredentials(settings: settings).find()
  }

  /// What the profile in use leads to.
  func find() async -> CredentialChain.Finding {
    let (name, isChosen) = settings.profileName
    guard files.profiles[name] != nil else {
      let notes = files.notes.isEmpty ? "" : " (\(files.notes.joined(separator: ", ")))"
      let reason = "profile \(name): no such profile\(notes)"
      return isChosen ? .failed(reason, isRetryable: false) : .absent(reason)
    }
    return await find(name, visited: [], isChosen: isChosen)
  }

  private func find(
    _ name: String, visited: [String], isChosen: Bool
  ) async -> CredentialChain.Finding {
    let profile = files.profile(name)
    // A profile may name itself as the source of its role: then its own keys are meant.
    let isOwnSource = visited.last == name
    if let role = profile["role_arn"], !isOwnSource {
      guard !visited.contains(name), visited.count < Self.chainMax else {
        let path = (visited + [name]).joined(separator: " -> ")
        return failed(name, "source_profile goes in circles: \(path)")
      }
      return await assume(role, name, profile, visited: visited)
    }
    switch (profile["aws_access_key_id"], profile["aws_secret_access_key"]) {
    case (let key?, let secret?) where !key.isEmpty && !secret.isEmpty:
      return .found(
        AWSCredentials(
          accessKeyID: key, secretAccessKey: Secret(secret),
          sessionToken: profile["aws_session_token"].flatMap { $0.isEmpty ? nil : Secret($0) },
          source: "profile \(name)"))
    case (_?, nil), (nil, _?):
      return failed(name, "aws_access_key_id and aws_secret_access_key belong together")
    default:
      for key in ["sso_session", "sso_start_url", "credential_process"] where profile[key] != nil {
        return failed(name, "\(key) is not supported; use keys, role_arn or a role of the server")
      }
      let reason = "profile \(name): has no credentials"
      return isChosen || !visited.isEmpty
        ? .failed(reason, isRetryable: false) : .absent(reason)
    }
  }

  private func assume(
    _ role: String, _ name: String, _ profile: SharedFiles.Section, visited: [String]
  ) async -> CredentialChain.Finding {
    guard profile["mfa_serial"] == nil else {
      return failed(name, "mfa_serial needs somebody to type a code; use another role")
    }
    if let file = profile["web_identity_token_file"] {
      return await webIdentity.find(
        role: role, tokenFile: file, session: profile["role_session_name"],
        origin: "profile \(name)")
    }
    let source: CredentialChain.Finding
    if let other = profile["source_profile"] {
      guard files.profiles[other] != nil else {
        return failed(name, "source_profile \(other) does not exist")
      }
      source = await find(other, visited: visited + [name], isChosen: true)
    } else {
      switch profile["credential_source"] {
      case "Environment": source = EnvironmentCredentials(settings: settings).find()
      case "Ec2InstanceMetadata": source = await instance.find()
      case "EcsContainer": source = await container.find()
      case let other?:
        return failed(
          name,
          "credential_source is \"\(other)\"; write Environment, Ec2InstanceMetadata or"
            + " EcsContainer")
      case nil: return failed(name, "role_arn needs source_profile or credential_source")
      }
    }
    switch source {
    case .found(let credentials):
      return await roles.assume(
        role, as: credentials, session: profile["role_session_name"],
        seconds: profile["duration_seconds"].flatMap { Int($0) },
        externalID: profile["external_id"], origin: "profile \(name)")
    case .absent(let reason): return failed(name, reason)
    case .failed(let reason, let isRetryable):
      return .failed("profile \(name): \(reason)", isRetryable: isRetryable)
    }
  }

  private func failed(_ name: String, _ reason: String) -> CredentialChain.Finding {
    .failed("profile \(name): \(reason)", isRetryable: false)
  }
}
