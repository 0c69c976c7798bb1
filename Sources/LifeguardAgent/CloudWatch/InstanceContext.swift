import LifeguardAWS
import LifeguardCore
import Logging
import Synchronization

/// Which machine this is, for whatever is told to CloudWatch: asked once, then known.
final class InstanceContext: Sendable {
  enum Place: Sendable {
    /// Nobody has answered yet.
    case unknown
    case instance(InstanceIdentity)
    /// No instance of EC2.
    case elsewhere
  }

  /// A machine whose network comes up late must not be taken for one outside of EC2.
  private static let attemptsMax = 7
  private static let pauseMax: Duration = .seconds(30)

  private let client: AWSClient
  private let metadata: InstanceMetadata
  private let hostname: String
  /// Dimensions whose values are asked for.
  private let names: Set<String>
  private let logger: Logger
  private let state = Mutex(Place.unknown)

  /// - Parameter names: the dimensions that are wanted; some need a call of their own.
  init(
    client: AWSClient, metadata: InstanceMetadata, hostname: String, names: Set<String>,
    logger: Logger
  ) {
    self.client = client
    self.metadata = metadata
    self.hostname = hostname
    self.names = names
    self.logger = logger
  }

  var place: Place { state.withLock { $0 } }

  /// Asks until the answer is known or the task is cancelled.
  func learn() async {
    for attempt in 1... {
      do {
        let identity = try await metadata.identity()
        let whole = await completed(identity)
        state.withLock { $0 = .instance(whole) }
        return
      } catch {
        if Task.isCancelled { return }
        let isSwitchedOff = error.reason.hasPrefix("AWS_EC2_METADATA_DISABLED")
        if error.isAbsent, isSwitchedOff || attempt >= InstanceContext.attemptsMax {
          state.withLock { $0 = .elsewhere }
          logger.notice(
            "Not on EC2: metrics go under the dimension host",
            metadata: ["host.name": "\(hostname)", "reason": "\(error.reason)"])
          return
        }
      }
      // Cancellation ends the loop at its next question.
      try? await Task.sleep(for: min(.seconds(1 << min(attempt - 1, 5)), Self.pauseMax))
    }
  }

  /// Tags that the metadata service does not tell are asked of EC2.
  private func completed(_ identity: InstanceIdentity) async -> InstanceIdentity {
    var identity = identity
    let tags = Set(names.compactMap(Self.tag(of:)))
    var missing = !tags.isSubset(of: identity.tags.keys)
    if names.contains("AutoScalingGroupName"), identity.autoScalingGroup == nil {
      do {
        // Only a member of a group has a state in it.
        if try await metadata.autoScalingTarget() != nil { missing = true }
      } catch {
        missing = true
      }
    }
    guard missing else { return identity }
    do {
      let found = try await client.ec2.describeTags(
        filters: [EC2Filter("resource-id", [identity.instanceID])])
      for tag in found { identity.tags[tag.key] = tag.value }
      identity.autoScalingGroup = identity.tags[InstanceMetadata.groupTag]
    } catch {
      logger.warning(
        "Tags are unknown: dimensions that need them are left out",
        metadata: ["reason": "\(error)"])
    }
    return identity
  }

  /// The sets for which this machine has all values; nil while it is not known which machine it is.
  func dimensionSets(_ wanted: [[String]]) -> [[MetricDimension]]? {
    let host = [MetricDimension("host", hostname)]
    switch place {
    case .unknown: return nil
    case .elsewhere: return [host]
    case .instance(let identity):
      let sets = wanted.compactMap { names -> [MetricDimension]? in
        let set = names.compactMap { Self.dimension($0, of: identity) }
        return set.count == names.count ? set : nil
      }
      return sets.isEmpty ? [[MetricDimension("InstanceId", identity.instanceID)]] : sets
    }
  }

  /// What names this machine in a log: the instance's id, elsewhere the host's name.
  var name: String? {
    switch place {
    case .unknown: nil
    case .elsewhere: hostname
    case .instance(let identity): identity.instanceID
    }
  }

  var isInstance: Bool { if case .instance = place { true } else { false } }

  private static func tag(of dimension: String) -> String? {
    dimension.hasPrefix("tag:") ? String(dimension.dropFirst(4)) : nil
  }

  private static func dimension(
    _ name: String, of identity: InstanceIdentity
  ) -> MetricDimension? {
    if let tag = tag(of: name) { return identity.tags[tag].map { MetricDimension(tag, $0) } }
    let value: String? =
      switch name {
      case "InstanceId": identity.instanceID
      case "AutoScalingGroupName": identity.autoScalingGroup
      case "ImageId": identity.imageID
      case "InstanceType": identity.instanceType
      default: nil
      }
    return value.map { MetricDimension(name, $0) }
  }
}
