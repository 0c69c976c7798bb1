import LifeguardCore
import Synchronization

/// The metadata service of an EC2 instance, version 2 alone
/// (docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html).
///
/// Version 1 is not asked: a server-side request forgery could reach it, and new instances do not
/// offer it.
public final class InstanceMetadata: Sendable {
  /// Why the metadata service gave no answer.
  public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    public var reason: String
    /// Whether there is no such service here, or it is switched off.
    public var isAbsent: Bool

    public var description: String { reason }
  }

  /// Six hours, the longest that the service grants.
  private static let tokenLifetime: Duration = .seconds(21_600)
  /// The service is one hop away; on another machine every try costs this long.
  private static let timeout: Duration = .seconds(1)
  private static let attemptsMax = 2

  private let settings: AWSSettings
  private let transport: any AWSTransport
  private let clock: AWSClock
  private let token = Mutex<(value: Secret, until: Duration)?>(nil)

  /// A reader of this machine's metadata; asks nothing yet.
  public init(
    _ settings: AWSSettings, transport: any AWSTransport, clock: AWSClock = .system
  ) {
    self.settings = settings
    self.transport = transport
    self.clock = clock
  }

  /// The text at a path below `/latest/`: `meta-data/instance-id`; nil when there is no such thing.
  public func text(_ path: String) async throws(Failure) -> String? {
    let base = try self.base()
    for isLast in [false, true] {
      let token = try await self.validToken(base)
      var url = base
      url.path = Self.join(base.path, "/latest/\(path)")
      let response = try await send(
        AWSRequest(
          "GET", url,
          headers: [AWSHeader("X-aws-ec2-metadata-token", token.revealed)], answerMax: 1 << 20))
      switch response.status {
      case 200: return String(decoding: response.body, as: UTF8.self)
      case 404: return nil
      case 401 where !isLast: self.token.withLock { $0 = nil }
      default:
        throw Failure(
          reason: "the metadata service answered \(response.status) for \(path)", isAbsent: false)
      }
    }
    return nil
  }

  private func base() throws(Failure) -> AWSURL {
    if settings.isTrue("AWS_EC2_METADATA_DISABLED") {
      throw Failure(reason: "AWS_EC2_METADATA_DISABLED is true", isAbsent: true)
    }
    let isIPv6 = settings.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.lowercased() == "ipv6"
    let standard = isIPv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
    let text = settings.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? standard
    guard let url = AWSURL(text) else {
      throw Failure(
        reason: "AWS_EC2_METADATA_SERVICE_ENDPOINT is \"\(text)\", which is no address",
        isAbsent: false)
    }
    return url
  }

  private func validToken(_ base: AWSURL) async throws(Failure) -> Secret {
    let now = clock.elapsed()
    if let known = token.withLock({ $0 }), now < known.until { return known.value }
    var url = base
    url.path = Self.join(base.path, "/latest/api/token")
    let response = try await send(
      AWSRequest(
        "PUT", url,
        headers: [
          AWSHeader(
            "X-aws-ec2-metadata-token-ttl-seconds", "\(Self.tokenLifetime.components.seconds)"),
          // A PUT without a body says so; some servers wait for one otherwise.
          AWSHeader("Content-Length", "0"),
        ], answerMax: 4096))
    guard response.status == 200, !response.body.isEmpty else {
      // 403 is how an instance answers whose metadata service is switched off.
      throw Failure(
        reason: "the metadata service answered \(response.status) when asked for a token",
        isAbsent: response.status == 403 || response.status == 404 || response.status == 405)
    }
    let value = Secret(String(decoding: response.body, as: UTF8.self))
    token.withLock { $0 = (value, now + Self.tokenLifetime - .seconds(300)) }
    return value
  }

  private func send(_ request: AWSRequest) async throws(Failure) -> AWSResponse {
    var reason = ""
    for attempt in 1...Self.attemptsMax {
      do {
        let response = try await transport.send(request, timeout: Self.timeout)
        guard response.status >= 500, attempt < Self.attemptsMax else { return response }
      } catch {
        reason = error.reason
        if error.kind == .cancelled { break }
      }
      // Cancelled: the next exchange says so.
      try? await clock.sleep(.milliseconds(100) * clock.random())
    }
    throw Failure(reason: "no metadata service: \(reason)", isAbsent: true)
  }

  private static func join(_ base: String, _ path: String) -> String {
    (base.hasSuffix("/") ? String(base.dropLast()) : base) + path
  }
}

/// What an instance is, from its metadata.
public struct InstanceIdentity: Hashable, Sendable {
  public var instanceID: String
  public var imageID: String?
  public var instanceType: String?
  public var availabilityZone: String?
  public var region: String?
  /// Only where the instance gives its tags to its metadata service.
  public var tags: [String: String] = [:]
  public var autoScalingGroup: String?
}

extension InstanceMetadata {
  /// The tag that Auto Scaling sets.
  public static let groupTag = "aws:autoscaling:groupName"
  /// An instance has at most 50 tags.
  private static let tagsMax = 50

  /// Who this instance is.
  public func identity() async throws(Failure) -> InstanceIdentity {
    guard let instanceID = try await text("meta-data/instance-id") else {
      throw Failure(reason: "the metadata service knows no instance-id", isAbsent: true)
    }
    var identity = InstanceIdentity(instanceID: instanceID)
    identity.imageID = try await text("meta-data/ami-id")
    identity.instanceType = try await text("meta-data/instance-type")
    identity.availabilityZone = try await text("meta-data/placement/availability-zone")
    identity.region = try await region()
    identity.tags = try await tags()
    identity.autoScalingGroup = identity.tags[Self.groupTag]
    return identity
  }

  /// The region; older instances only tell the zone.
  public func region() async throws(Failure) -> String? {
    if let region = try await text("meta-data/placement/region") { return region }
    let zone = try await text("meta-data/placement/availability-zone")
    return zone.map { String($0.last?.isLetter == true ? $0.dropLast() : $0[...]) }
  }

  /// The instance's tags, empty where its metadata service does not have them.
  public func tags() async throws(Failure) -> [String: String] {
    guard let list = try await text("meta-data/tags/instance") else { return [:] }
    var tags: [String: String] = [:]
    for name in list.split(whereSeparator: \.isNewline).prefix(Self.tagsMax) {
      let path = PercentEncoding.encode(name)
      if let value = try await text("meta-data/tags/instance/\(path)") {
        tags[String(name)] = value
      }
    }
    return tags
  }

  /// When and how this spot instance will be taken away; nil while nobody plans to.
  public func spotAction() async throws(Failure) -> (action: String, at: Timestamp?)? {
    guard let text = try await text("meta-data/spot/instance-action") else { return nil }
    // Something that is announced in a form we do not know is announced all the same.
    let json = try? JSON.parse(text)
    return (
      json?["action"]?.string ?? "terminate", json?["time"]?.string.flatMap { Timestamp($0) }
    )
  }

  /// What Auto Scaling wants of this instance: `InService`, `Terminated`; nil outside of a group.
  public func autoScalingTarget() async throws(Failure) -> String? {
    try await text("meta-data/autoscaling/target-lifecycle-state")
  }
}

/// Credentials of an instance's role.
struct InstanceCredentials: Sendable {
  private static let path = "meta-data/iam/security-credentials/"
  private let metadata: InstanceMetadata

  init(_ metadata: InstanceMetadata) { self.metadata = metadata }

  func find() async -> CredentialChain.Finding {
    do {
      guard let roles = try await metadata.text(Self.path),
        let role = roles.split(whereSeparator: \.isNewline).first
      else { return .absent("instance: it has no role") }
      guard let document = try await metadata.text(Self.path + PercentEncoding.encode(role)) else {
        return .failed("instance: role \(role) has no credentials", isRetryable: true)
      }
      switch CredentialDocument.read(Array(document.utf8), source: "the instance's role") {
      case .success(let credentials): return .found(credentials)
      case .failure(let problem):
        return .failed("instance: role \(role): \(problem.reason)", isRetryable: true)
      }
    } catch {
      return error.isAbsent
        ? .absent("instance: \(error.reason)")
        : .failed("instance: \(error.reason)", isRetryable: true)
    }
  }
}
