import LifeguardCore

/// Auto Scaling of EC2 instances.
public struct AutoScaling: Sendable {
  private static let groupsPage = 100
  private static let instancesPage = 50
  private static let pagesMax = 100

  let client: AWSClient

  /// Groups by name; without names, all of the region, at most `groupsMax`.
  public func describeGroups(
    _ names: [String] = [], groupsMax: Int = 1000
  ) async throws(AWSError) -> [AutoScalingGroup] {
    var input = QueryInput()
    input.list("AutoScalingGroupNames.member", names)
    input.set("MaxRecords", Self.groupsPage)
    var found: [AutoScalingGroup] = []
    try await pages("DescribeAutoScalingGroups", input) { page in
      found += page.list("AutoScalingGroups").map(AutoScalingGroup.init)
      return found.count < groupsMax
    }
    return Array(found.prefix(groupsMax))
  }

  /// Instances of any group, by id; without ids all of the region, at most `instancesMax`. One that
  /// belongs to no group is missing from the answer.
  public func describeInstances(
    _ ids: [String] = [], instancesMax: Int = 5000
  ) async throws(AWSError) -> [AutoScalingInstance] {
    var input = QueryInput()
    input.list("InstanceIds.member", ids)
    input.set("MaxRecords", Self.instancesPage)
    var found: [AutoScalingInstance] = []
    try await pages("DescribeAutoScalingInstances", input) { page in
      found += page.list("AutoScalingInstances").map { AutoScalingInstance($0) }
      return found.count < instancesMax
    }
    return Array(found.prefix(instancesMax))
  }

  /// Sets how many instances a group should have.
  ///
  /// - Parameter honoursCooldown: refuses while a cool-down of the group runs.
  public func setDesiredCapacity(
    _ group: String, _ capacity: Int, honoursCooldown: Bool = false
  ) async throws(AWSError) {
    var input = QueryInput()
    input["AutoScalingGroupName"] = group
    input.set("DesiredCapacity", capacity)
    input.set("HonorCooldown", honoursCooldown)
    _ = try await client.query(.autoScaling, "SetDesiredCapacity", input, repeatable: true)
  }

  /// Tells a group whether an instance is healthy; it replaces one that is not.
  ///
  /// - Parameter respectsGracePeriod: a young instance is left alone.
  public func setInstanceHealth(
    _ instance: String, isHealthy: Bool, respectsGracePeriod: Bool = true
  ) async throws(AWSError) {
    var input = QueryInput()
    input["InstanceId"] = instance
    input["HealthStatus"] = isHealthy ? "Healthy" : "Unhealthy"
    input.set("ShouldRespectGracePeriod", respectsGracePeriod)
    _ = try await client.query(.autoScaling, "SetInstanceHealth", input, repeatable: true)
  }

  /// Ends an instance; not sent again when the answer was lost.
  ///
  /// - Parameter decrementsCapacity: the group gets smaller instead of starting another.
  public func terminateInstance(
    _ instance: String, decrementsCapacity: Bool
  ) async throws(AWSError) -> ScalingActivity {
    var input = QueryInput()
    input["InstanceId"] = instance
    input.set("ShouldDecrementDesiredCapacity", decrementsCapacity)
    let answer = try await client.query(
      .autoScaling, "TerminateInstanceInAutoScalingGroup", input, repeatable: false)
    return ScalingActivity(answer["Activity"] ?? XMLElement("Activity"))
  }

  /// Takes instances out of service while they stay in their group; not sent again when the answer
  /// was lost.
  public func enterStandby(
    _ group: String, instances: [String], decrementsCapacity: Bool
  ) async throws(AWSError) -> [ScalingActivity] {
    var input = QueryInput()
    input["AutoScalingGroupName"] = group
    input.list("InstanceIds.member", instances)
    input.set("ShouldDecrementDesiredCapacity", decrementsCapacity)
    let answer = try await client.query(.autoScaling, "EnterStandby", input, repeatable: false)
    return answer.list("Activities").map(ScalingActivity.init)
  }

  /// Puts instances back into service; not sent again when the answer was lost.
  public func exitStandby(
    _ group: String, instances: [String]
  ) async throws(AWSError) -> [ScalingActivity] {
    var input = QueryInput()
    input["AutoScalingGroupName"] = group
    input.list("InstanceIds.member", instances)
    let answer = try await client.query(.autoScaling, "ExitStandby", input, repeatable: false)
    return answer.list("Activities").map(ScalingActivity.init)
  }

  /// Replaces the instances of a group one after the other and returns the refresh's id; not sent
  /// again when the answer was lost.
  ///
  /// - Parameters:
  ///   - minimumHealthyPercentage: how much of the group must stay in service.
  ///   - warmup: how long a new instance takes to be useful.
  ///   - skipsMatching: leaves instances alone that are as they should be.
  public func startInstanceRefresh(
    _ group: String, minimumHealthyPercentage: Int? = nil, warmup: Duration? = nil,
    skipsMatching: Bool = false
  ) async throws(AWSError) -> String {
    var input = QueryInput()
    input["AutoScalingGroupName"] = group
    input.set("Preferences.MinHealthyPercentage", minimumHealthyPercentage)
    input.set("Preferences.InstanceWarmup", warmup.map { Int($0.components.seconds) })
    if skipsMatching { input.set("Preferences.SkipMatching", true) }
    let answer = try await client.query(
      .autoScaling, "StartInstanceRefresh", input, repeatable: false)
    return answer.value("InstanceRefreshId") ?? ""
  }

  /// The refreshes of a group, newest first.
  public func describeInstanceRefreshes(
    _ group: String, ids: [String] = []
  ) async throws(AWSError) -> [InstanceRefresh] {
    var input = QueryInput()
    input["AutoScalingGroupName"] = group
    input.list("InstanceRefreshIds.member", ids)
    let answer = try await client.query(
      .autoScaling, "DescribeInstanceRefreshes", input, repeatable: true)
    return answer.list("InstanceRefreshes").map(InstanceRefresh.init)
  }

  /// - Parameter take: takes a page, and says whether more is wanted.
  private func pages(
    _ action: String, _ input: QueryInput, _ take: (XMLElement) -> Bool
  ) async throws(AWSError) {
    var input = input
    for _ in 0..<Self.pagesMax {
      let page = try await client.query(.autoScaling, action, input, repeatable: true)
      guard take(page), let next = page.value("NextToken") else { return }
      input["NextToken"] = next
    }
  }
}

/// A group of instances.
public struct AutoScalingGroup: Hashable, Sendable {
  public var name: String
  public var arn: String
  public var minimum: Int
  public var maximum: Int
  public var desired: Int
  public var instances: [AutoScalingInstance]
  /// `Launch`, `Terminate`, `ReplaceUnhealthy` …
  public var suspendedProcesses: [String]
  public var tags: [String: String]
  /// `EC2` or `ELB`.
  public var healthCheckType: String
  /// Set while the group is being deleted.
  public var status: String?

  init(_ element: XMLElement) {
    func number(_ name: String) -> Int { element.value(name).flatMap { Int($0) } ?? 0 }
    let name = element.value("AutoScalingGroupName") ?? ""
    self.name = name
    arn = element.value("AutoScalingGroupARN") ?? ""
    minimum = number("MinSize")
    maximum = number("MaxSize")
    desired = number("DesiredCapacity")
    instances = element.list("Instances").map { AutoScalingInstance($0, group: name) }
    suspendedProcesses = element.list("SuspendedProcesses").compactMap { $0.value("ProcessName") }
    tags = [:]
    for tag in element.list("Tags") { tags[tag.value("Key") ?? ""] = tag.value("Value") ?? "" }
    healthCheckType = element.value("HealthCheckType") ?? ""
    status = element.value("Status")
  }
}

/// An instance as its group sees it.
public struct AutoScalingInstance: Hashable, Sendable {
  public var id: String
  public var group: String
  /// `InService`, `Standby`, `Terminating` …
  public var lifecycleState: String
  /// `Healthy` or `Unhealthy`; some answers write it in capitals.
  public var health: String
  public var availabilityZone: String
  /// From scaling in.
  public var isProtected: Bool

  init(_ element: XMLElement, group: String = "") {
    id = element.value("InstanceId") ?? ""
    self.group = element.value("AutoScalingGroupName") ?? group
    lifecycleState = element.value("LifecycleState") ?? ""
    health = element.value("HealthStatus") ?? ""
    availabilityZone = element.value("AvailabilityZone") ?? ""
    isProtected = element.value("ProtectedFromScaleIn") == "true"
  }
}

/// Something that a group is doing.
public struct ScalingActivity: Hashable, Sendable {
  public var id: String
  public var group: String
  /// `InProgress`, `Successful`, `Failed` …
  public var status: String
  public var description: String?
  public var cause: String?
  /// 0 to 100.
  public var progress: Int?

  init(_ element: XMLElement) {
    id = element.value("ActivityId") ?? ""
    group = element.value("AutoScalingGroupName") ?? ""
    status = element.value("StatusCode") ?? ""
    description = element.value("Description")
    cause = element.value("Cause")
    progress = element.value("Progress").flatMap { Int($0) }
  }
}

/// A replacement of a group's instances.
public struct InstanceRefresh: Hashable, Sendable {
  public var id: String
  public var group: String
  /// `Pending`, `InProgress`, `Successful`, `Failed`, `Cancelled` …
  public var status: String
  public var statusReason: String?
  /// 0 to 100.
  public var percentage: Int?
  public var instancesToUpdate: Int?

  init(_ element: XMLElement) {
    id = element.value("InstanceRefreshId") ?? ""
    group = element.value("AutoScalingGroupName") ?? ""
    status = element.value("Status") ?? ""
    statusReason = element.value("StatusReason")
    percentage = element.value("PercentageComplete").flatMap { Int($0) }
    instancesToUpdate = element.value("InstancesToUpdate").flatMap { Int($0) }
  }
}
