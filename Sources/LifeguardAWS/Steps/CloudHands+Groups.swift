import LifeguardCore

/// Auto Scaling groups, and other functions.
extension CloudHands {
  /// The group that a step is about: named by the step, by the target, or that of the instance.
  private func group(
    _ action: AutoScalingAction, _ target: Target
  ) async throws(AWSError) -> AutoScalingGroup? {
    var name = action.group ?? (target.kind == .asg ? target.name : nil)
    if name == nil, let id = instance(of: target) {
      name = try await client.autoScaling.describeInstances([id]).first?.group
    }
    guard let name else { return nil }
    return try await client.autoScaling.describeGroups([name]).first
  }

  /// G6: a member is taken away only when enough healthy ones are left; what is unknown counts as
  /// unhealthy.
  func groupPreparation(
    _ action: AutoScalingAction, _ target: Target
  ) async throws(AWSError) -> Preparation {
    guard let group = try await group(action, target) else {
      return refusing(
        Refusal(.targets, code: "empty_target", "no Auto Scaling group belongs to \(target)"))
    }
    if let refusal = Self.frozen(group.name, group.tags) {
      return refusing(refusal, evidence: group.evidence)
    }
    if [.markUnhealthy, .standby].contains(action.verb) {
      guard let id = instance(of: target), group.instances.contains(where: { $0.id == id }) else {
        return refusing(
          Refusal(.targets, code: "not_a_member", "\(target) is not in \(group.name)"),
          evidence: group.evidence)
      }
      let tags = try await client.ec2.describeInstances([id]).first?.tags ?? [:]
      if let refusal = Self.frozen(id, tags) {
        return refusing(refusal, evidence: group.evidence)
      }
    }
    guard action.removesMember else { return Preparation(evidence: group.evidence) }
    // Acting on a member that already serves nothing is no loss.
    let isLost = group.member(instance(of: target)).map { !$0.serves } ?? false
    let left = group.healthy - (action.verb == .scaleIn ? action.by : 1)
    guard !isLost, group.instances.count >= 2,
      left * 100 < action.minimumHealthy * group.desired
    else { return Preparation(evidence: group.evidence) }
    return refusing(
      Self.tooFew(left, group, "limit \(action.minimumHealthy) %"), evidence: group.evidence)
  }

  /// What is done to a server itself: while it restarts, its group serves without it. It comes
  /// back, so half of the group is enough, rounded down: one of two may be restarted while the
  /// other one serves.
  func memberPreparation(
    _ id: String, _ action: CloudAction, _ evidence: String
  ) async throws(AWSError) -> Preparation {
    guard let name = try await client.autoScaling.describeInstances([id]).first?.group,
      let group = try await client.autoScaling.describeGroups([name]).first
    else { return Preparation(evidence: evidence) }
    let evidence = "\(evidence); \(group.evidence)"
    if let refusal = Self.frozen(name, group.tags) {
      return refusing(refusal, evidence: evidence)
    }
    guard group.member(id)?.serves == true else { return Preparation(evidence: evidence) }
    if case .ec2(let action) = action, action.verb == .stopStart, group.replacesStopped {
      return refusing(
        Refusal(
          .precondition, code: "group_replaces",
          "\(name) would end \(id) when it stops; put it into standby first, or use autoscaling:"
            + " {action: mark_unhealthy}"), evidence: evidence)
    }
    let left = group.healthy - 1
    guard group.instances.count >= 2, left < group.desired / 2 else {
      return Preparation(evidence: evidence)
    }
    return refusing(Self.tooFew(left, group, "limit half of them"), evidence: evidence)
  }

  private static func tooFew(_ left: Int, _ group: AutoScalingGroup, _ limit: String) -> Refusal {
    Refusal(
      .minimumHealthy, code: "minimum_healthy",
      "\(left) of \(group.desired) would be left in \(group.name) (\(limit))")
  }

  func scale(
    _ action: AutoScalingAction, _ target: Target
  ) async throws(AWSError) -> StepResult {
    let groups = client.autoScaling
    switch action.verb {
    case .markUnhealthy:
      guard let id = instance(of: target) else { return noInstance(target) }
      try await groups.setInstanceHealth(id, isHealthy: false)
      return StepResult(
        status: .succeeded, summary: "\(id) is marked unhealthy; its group replaces it")
    case .standby:
      guard let id = instance(of: target), let group = try await group(action, target) else {
        return noInstance(target)
      }
      _ = try await groups.enterStandby(group.name, instances: [id], decrementsCapacity: true)
      return StepResult(status: .succeeded, summary: "\(id) goes to standby in \(group.name)")
    case .instanceRefresh:
      guard let group = try await group(action, target) else { return noGroup(target) }
      let id = try await groups.startInstanceRefresh(
        group.name, minimumHealthyPercentage: max(action.minimumHealthy, 1))
      return StepResult(
        status: .succeeded, summary: "instance refresh \(id) of \(group.name) has begun")
    case .scaleOut, .scaleIn:
      guard let group = try await group(action, target) else { return noGroup(target) }
      return try await resize(group, action)
    }
  }

  /// Within the step's bounds and the group's own.
  private func resize(
    _ group: AutoScalingGroup, _ action: AutoScalingAction
  ) async throws(AWSError) -> StepResult {
    let low = max(group.minimum, action.minimum ?? group.minimum)
    let high = min(group.maximum, action.maximum ?? group.maximum)
    let step = action.verb == .scaleOut ? action.by : -action.by
    let wanted = min(max(group.desired + step, low), high)
    let helps = action.verb == .scaleOut ? wanted > group.desired : wanted < group.desired
    guard helps, low <= high else {
      return StepResult(
        status: .failed,
        summary: "\(group.name) has \(group.desired) instances; its bounds are \(low) to \(high)")
    }
    try await client.autoScaling.setDesiredCapacity(group.name, wanted)
    return StepResult(
      status: .succeeded, summary: "\(group.name) goes from \(group.desired) to \(wanted) instances"
    )
  }

  private func noInstance(_ target: Target) -> StepResult {
    refused(.targets, "no_instance", "\(target) is no instance of an Auto Scaling group")
  }

  private func noGroup(_ target: Target) -> StepResult {
    refused(.targets, "empty_target", "no Auto Scaling group belongs to \(target)")
  }

  /// The other function gets the alert as JSON; an error of its own is a failed step.
  func invoke(
    _ action: LambdaAction, _ alert: AlertContext, within limit: Duration
  ) async throws(AWSError) -> StepResult {
    let payload: [UInt8]
    do {
      payload = try JSONCoder.encode(alert)
    } catch {
      return StepResult(status: .failed, summary: "the alert cannot be written as JSON: \(error)")
    }
    let answer = try await client.within(limit).lambda.invoke(
      action.function, payload: payload, type: action.waits ? .waits : .event)
    if let error = answer.functionError {
      let text = TextEscape.line(String(decoding: answer.payload.prefix(300), as: UTF8.self))
      return StepResult(status: .failed, summary: "\(action.function) failed (\(error)): \(text)")
    }
    return StepResult(
      status: .succeeded, summary: "\(action.function) answered \(answer.status)")
  }
}

extension AutoScalingInstance {
  fileprivate var serves: Bool { health == "Healthy" && lifecycleState == "InService" }
}

extension AutoScalingGroup {
  fileprivate var healthy: Int { instances.count(where: \.serves) }
  /// Its health check takes a server that is stopped for a broken one.
  fileprivate var replacesStopped: Bool {
    !suspendedProcesses.contains { ["HealthCheck", "ReplaceUnhealthy", "Terminate"].contains($0) }
  }
  fileprivate func member(_ id: String?) -> AutoScalingInstance? {
    instances.first { $0.id == id }
  }
  fileprivate var evidence: String {
    "\(name): \(healthy) of \(instances.count) healthy, desired \(desired)"
  }
}
