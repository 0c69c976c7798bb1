import LifeguardCore

/// Calls AWS: signs, sends, retries, and reads the answer.
///
/// A value that can be copied and changed; copies share credentials, the correction of the clock
/// and what was read from files. Making one does no input or output and starts no thread.
public struct AWSClient: Sendable {
  public var retry: AWSRetryPolicy
  let settings: AWSSettings
  let transport: any AWSTransport
  let source: any AWSCredentialSource
  let clock: AWSClock
  let memory: ClientMemory
  /// On the clock of `clock.elapsed`: no call goes on after it, whatever the policy allows.
  private(set) var deadline: Duration?

  /// - Parameter credentials: without it the standard chain: environment, profile, web identity,
  ///   container, instance.
  public init(
    _ settings: AWSSettings, transport: any AWSTransport,
    credentials: (any AWSCredentialSource)? = nil, retry: AWSRetryPolicy = AWSRetryPolicy(),
    clock: AWSClock = .system
  ) {
    self.settings = settings
    self.transport = transport
    self.retry = retry
    self.clock = clock
    memory = ClientMemory()
    if let credentials {
      source = credentials
    } else {
      let chain = CredentialChain(settings: settings, transport: transport, clock: clock)
      source = CredentialCache(clock: clock) { await chain.fetch() }
    }
  }

  private init(_ other: AWSClient, settings: AWSSettings) {
    retry = other.retry
    self.settings = settings
    transport = other.transport
    source = other.source
    clock = other.clock
    memory = other.memory
    deadline = other.deadline
  }

  /// This client with another limit for whole calls.
  public func within(_ callTimeout: Duration) -> AWSClient {
    var copy = self
    copy.retry.callTimeout = callTimeout
    copy.retry.attemptTimeout = min(copy.retry.attemptTimeout, callTimeout)
    return copy
  }

  /// This client with an end for all its calls together: what belongs to one piece of work shares
  /// the time that is left for it.
  public func ending(after limit: Duration) -> AWSClient {
    var copy = self
    let end = clock.elapsed() + max(limit, .zero)
    copy.deadline = min(deadline ?? end, end)
    return copy
  }

  /// When a call that begins now must be over.
  var callEnd: Duration {
    let end = clock.elapsed() + retry.callTimeout
    return min(deadline ?? end, end)
  }

  /// This client for another region.
  public func inRegion(_ region: String) -> AWSClient {
    var settings = settings
    settings.region = region
    return AWSClient(self, settings: settings)
  }

  /// The region in use, from the settings, the environment, the profile or the instance.
  public func region() async throws(AWSError) -> String {
    do {
      return try await findRegion()
    } catch {
      throw AWSError(.configuration, service: "aws", action: "region", message: error.reason)
    }
  }

  func findRegion() async throws(AWSConfigurationError) -> String {
    let named: [(String, String?)] = [
      ("the region that was given", settings.region),
      ("AWS_REGION", settings.variable("AWS_REGION")),
      ("AWS_DEFAULT_REGION", settings.variable("AWS_DEFAULT_REGION")),
      ("the profile's region", memory.files(settings).profile(settings.profileName.name)["region"]),
    ]
    for case (let origin, let region?) in named where !region.isEmpty {
      guard Endpoint.isRegion(region) else {
        throw AWSConfigurationError("\(origin) is \"\(region)\"; write one such as eu-west-1")
      }
      return region
    }
    if let region = memory.instanceRegion { return region }
    var reason = ""
    do {
      let metadata = InstanceMetadata(settings, transport: transport, clock: clock)
      if let region = try await metadata.region(), Endpoint.isRegion(region) {
        memory.instanceRegion = region
        return region
      }
    } catch {
      reason = " (\(error.reason))"
    }
    throw AWSConfigurationError("no region is known\(reason); set AWS_REGION")
  }
}
