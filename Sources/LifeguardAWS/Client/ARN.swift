/// The name of a resource: `arn:aws:sns:eu-west-1:123456789012:alerts`.
public struct ARN: Hashable, Sendable, CustomStringConvertible {
  public var partition: String
  public var service: String
  /// Empty for resources without a region.
  public var region: String
  /// Empty for resources without an account.
  public var account: String
  /// All the rest, which may hold colons.
  public var resource: String

  /// Reads a name; nil when it has not the six parts of one.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
      .map(String.init)
    guard parts.count == 6, parts[0] == "arn", !parts[1].isEmpty, !parts[2].isEmpty,
      !parts[5].isEmpty
    else { return nil }
    (partition, service, region) = (parts[1], parts[2], parts[3])
    (account, resource) = (parts[4], parts[5])
  }

  public var description: String { "arn:\(partition):\(service):\(region):\(account):\(resource)" }
}
