/// What decides the region, the endpoints and the credentials of a client.
///
/// Names and precedence are those of the SDKs
/// (docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html).
public struct AWSSettings: Sendable {
  /// The process's variables, read once where the program starts.
  public var environment: [String: String]
  /// The profile of the shared files, before `AWS_PROFILE`.
  public var profile: String?
  /// Before `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's and the instance's own.
  public var region: String?
  /// Before `AWS_ENDPOINT_URL_<SERVICE>` and `AWS_ENDPOINT_URL`.
  public var endpoint: String?

  /// Settings from the environment, and what is known better.
  public init(
    environment: [String: String], profile: String? = nil, region: String? = nil,
    endpoint: String? = nil
  ) {
    self.environment = environment
    self.profile = profile
    self.region = region
    self.endpoint = endpoint
  }

  /// Settings from variables that are asked for by name.
  public init(
    variable: (String) -> String?, profile: String? = nil, region: String? = nil,
    endpoint: String? = nil
  ) {
    var environment: [String: String] = [:]
    for name in Self.variableNames { environment[name] = variable(name) }
    self.init(
      environment: environment, profile: profile, region: region, endpoint: endpoint)
  }

  /// Every variable that has a meaning here.
  static var variableNames: [String] {
    [
      "HOME", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE",
      "AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
      "AWS_ROLE_SESSION_NAME", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
      "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
      "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_EC2_METADATA_DISABLED",
      "AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
      "AWS_ENDPOINT_URL", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    ] + AWSService.all.map { "AWS_ENDPOINT_URL_\($0.variable)" }
  }

  /// A variable that is set and not empty.
  func variable(_ name: String) -> String? {
    guard let value = environment[name], !value.isEmpty else { return nil }
    return value
  }

  func isTrue(_ name: String) -> Bool { variable(name)?.lowercased() == "true" }

  /// The profile in use, and whether somebody asked for it by name.
  var profileName: (name: String, isChosen: Bool) {
    if let name = profile ?? variable("AWS_PROFILE") ?? variable("AWS_DEFAULT_PROFILE") {
      return (name, true)
    }
    return ("default", false)
  }
}
