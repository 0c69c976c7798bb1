import LifeguardCore

/// How Lifeguard presents itself to a server, and which servers it believes.
public struct WebAccess: Hashable, Sendable {
  /// `basic_auth`.
  public var username: String?
  public var password: Secret?
  /// Sent as `Authorization: Bearer …`.
  public var bearerToken: Secret?
  /// A PEM file with authorities to believe beside the system's.
  public var certificateAuthority: String?
  /// `insecure_skip_verify`: believes any certificate.
  public var skipsVerification = false

  public init() {}
}
