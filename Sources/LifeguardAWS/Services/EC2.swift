import LifeguardCore

/// The Elastic Compute Cloud.
public struct EC2: Sendable {
  /// Instances of one page; with ids no page size may be given.
  private static let pageSize = 1000
  private static let pagesMax = 50

  let client: AWSClient

  /// Instances by id or filter; without either, all of the region, at most `instancesMax`.
  public func describeInstances(
    _ ids: [String] = [], filters: [EC2Filter] = [], instancesMax: Int = 5000
  ) async throws(AWSError) -> [EC2Instance] {
    var found: [EC2Instance] = []
    try await pages("DescribeInstances", ids, filters) { page in
      for reservation in page.list("reservationSet") {
        found += reservation.list("instancesSet").map(EC2Instance.init)
      }
      return found.count < instancesMax
    }
    return Array(found.prefix(instancesMax))
  }

  /// What the status checks say.
  ///
  /// - Parameter includesAll: also of instances that do not run.
  public func describeInstanceStatus(
    _ ids: [String] = [], filters: [EC2Filter] = [], includesAll: Bool = true
  ) async throws(AWSError) -> [EC2InstanceStatus] {
    var found: [EC2InstanceStatus] = []
    try await pages("DescribeInstanceStatus", ids, filters, includesAll: includesAll) { page in
      found += page.list("instanceStatusSet").map(EC2InstanceStatus.init)
      return true
    }
    return found
  }

  /// Tags of any resource: filter by `resource-id`, `key` …
  public func describeTags(filters: [EC2Filter]) async throws(AWSError) -> [EC2Tag] {
    var found: [EC2Tag] = []
    try await pages("DescribeTags", [], filters) { page in
      found += page.list("tagSet").map(EC2Tag.init)
      return true
    }
    return found
  }

  /// Asks the operating systems of instances to start anew; those that do not within four minutes
  /// are forced to. Not sent again when the answer was lost.
  ///
  /// - Parameter dryRun: only checks the permission.
  public func rebootInstances(_ ids: [String], dryRun: Bool = false) async throws(AWSError) {
    _ = try await change("RebootInstances", ids, dryRun: dryRun, repeatable: dryRun)
  }

  /// Stops instances; stopping one that is stopped changes nothing.
  public func stopInstances(
    _ ids: [String], force: Bool = false, dryRun: Bool = false
  ) async throws(AWSError) -> [EC2StateChange] {
    try await change("StopInstances", ids, dryRun: dryRun, force: force, repeatable: true)
  }

  /// Starts instances; starting one that runs changes nothing.
  public func startInstances(
    _ ids: [String], dryRun: Bool = false
  ) async throws(AWSError) -> [EC2StateChange] {
    try await change("StartInstances", ids, dryRun: dryRun, repeatable: true)
  }

  private func change(
    _ action: String, _ ids: [String], dryRun: Bool, force: Bool = false, repeatable: Bool
  ) async throws(AWSError) -> [EC2StateChange] {
    var input = QueryInput()
    input.list("InstanceId", ids)
    if dryRun { input.set("DryRun", true) }
    if force { input.set("Force", true) }
    do {
      let answer = try await client.query(.ec2, action, input, repeatable: repeatable)
      return answer.list("instancesSet").map(EC2StateChange.init)
    } catch {
      // A dry run that would succeed is an error with this code.
      if dryRun, error.code == "DryRunOperation" { return [] }
      throw error
    }
  }

  /// - Parameter take: takes a page, and says whether more is wanted.
  private func pages(
    _ action: String, _ ids: [String], _ filters: [EC2Filter], includesAll: Bool = false,
    _ take: (XMLElement) -> Bool
  ) async throws(AWSError) {
    var input = QueryInput()
    input.list("InstanceId", ids)
    for (index, filter) in filters.enumerated() {
      input["Filter.\(index + 1).Name"] = filter.name
      input.list("Filter.\(index + 1).Value", filter.values)
    }
    if includesAll { input.set("IncludeAllInstances", true) }
    if ids.isEmpty { input.set("MaxResults", Self.pageSize) }
    for _ in 0..<Self.pagesMax {
      let page = try await client.query(.ec2, action, input, repeatable: true)
      guard take(page), let next = page.value("nextToken") else { return }
      input["NextToken"] = next
    }
  }
}

/// What described things must have in common: `instance-state-name` is one of `running`.
public struct EC2Filter: Hashable, Sendable {
  public var name: String
  public var values: [String]

  /// Things whose `name` has one of the values.
  public init(_ name: String, _ values: [String]) {
    self.name = name
    self.values = values
  }
}

/// An instance.
public struct EC2Instance: Hashable, Sendable {
  public var id: String
  /// `pending`, `running`, `shutting-down`, `terminated`, `stopping` or `stopped`.
  public var state: String
  public var type: String
  public var imageID: String
  public var availabilityZone: String?
  public var privateAddress: String?
  public var publicAddress: String?
  public var launched: Timestamp?
  public var tags: [String: String]

  init(_ element: XMLElement) {
    id = element.value("instanceId") ?? ""
    state = element["instanceState"]?.value("name") ?? ""
    type = element.value("instanceType") ?? ""
    imageID = element.value("imageId") ?? ""
    availabilityZone = element["placement"]?.value("availabilityZone")
    privateAddress = element.value("privateIpAddress")
    publicAddress = element.value("ipAddress")
    launched = element.value("launchTime").flatMap { Timestamp($0) }
    tags = [:]
    for tag in element.list("tagSet") { tags[tag.value("key") ?? ""] = tag.value("value") ?? "" }
  }
}

/// What the status checks of an instance say.
public struct EC2InstanceStatus: Hashable, Sendable {
  public var id: String
  public var state: String
  /// The host below: `ok`, `impaired`, `initializing`, `insufficient-data` or `not-applicable`.
  public var system: String
  /// The operating system; the same words.
  public var instance: String
  public var events: [EC2ScheduledEvent]

  init(_ element: XMLElement) {
    id = element.value("instanceId") ?? ""
    state = element["instanceState"]?.value("name") ?? ""
    system = element["systemStatus"]?.value("status") ?? ""
    instance = element["instanceStatus"]?.value("status") ?? ""
    events = element.list("eventsSet").map(EC2ScheduledEvent.init)
  }
}

/// Something that AWS will do to an instance.
public struct EC2ScheduledEvent: Hashable, Sendable {
  /// `instance-reboot`, `system-reboot`, `system-maintenance`, `instance-retirement` …
  public var code: String
  public var description: String
  public var notBefore: Timestamp?
  public var notAfter: Timestamp?

  init(_ element: XMLElement) {
    code = element.value("code") ?? ""
    description = element.value("description") ?? ""
    notBefore = element.value("notBefore").flatMap { Timestamp($0) }
    notAfter = element.value("notAfter").flatMap { Timestamp($0) }
  }
}

/// An instance's state before and after a call.
public struct EC2StateChange: Hashable, Sendable {
  public var id: String
  public var previous: String
  public var current: String

  init(_ element: XMLElement) {
    id = element.value("instanceId") ?? ""
    previous = element["previousState"]?.value("name") ?? ""
    current = element["currentState"]?.value("name") ?? ""
  }
}

/// A tag of a resource.
public struct EC2Tag: Hashable, Sendable {
  public var resource: String
  public var resourceType: String
  public var key: String
  public var value: String

  init(_ element: XMLElement) {
    resource = element.value("resourceId") ?? ""
    resourceType = element.value("resourceType") ?? ""
    key = element.value("key") ?? ""
    value = element.value("value") ?? ""
  }
}
