import LifeguardCore

/// A secret's value.
public struct SecretValue: Hashable, Sendable {
  public var name: String
  public var arn: String
  public var text: Secret?
  /// In base64.
  public var binary: Secret?
  public var versionID: String?
}

/// Secrets Manager.
public struct SecretStore: Sendable {
  let client: AWSClient

  /// The value of a secret, by name or ARN; without a version the current one.
  public func secretValue(
    _ id: String, versionID: String? = nil, versionStage: String? = nil
  ) async throws(AWSError) -> SecretValue {
    var input = JSONObject()
    input["SecretId"] = .string(id)
    input["VersionId"] = versionID.map(JSON.string)
    input["VersionStage"] = versionStage.map(JSON.string)
    let answer = try await client.json(
      .secretsManager, "GetSecretValue", .object(input), repeatable: true)
    return SecretValue(
      name: answer["Name"]?.string ?? id, arn: answer["ARN"]?.string ?? "",
      text: answer["SecretString"]?.string.map(Secret.init),
      binary: answer["SecretBinary"]?.string.map(Secret.init),
      versionID: answer["VersionId"]?.string)
  }
}
