import LifeguardCore

/// Carries out recovery steps through Amazon Web Services, for the agent and for the function.
///
/// Nothing here decides whether to act. It looks before it acts (`prepare`), acts once, and tells
/// what is not known apart from what failed: a command whose result was lost is `unknown`, and is
/// verified instead of repeated (G19).
public struct CloudHands: Sendable {
  let client: AWSClient
  let sleep: @Sendable (Duration) async -> Void

  /// - Parameter sleep: waits between two looks at something slow; ends early when cancelled.
  public init(
    _ client: AWSClient,
    sleep: @escaping @Sendable (Duration) async -> Void = { pause in
      // why try?: cancelled, it ends at once, and the loop around it looks at its deadline.
      try? await Task.sleep(for: pause)
    }
  ) {
    self.client = client
    self.sleep = sleep
  }

  /// Looks at what a step is about to act on: preconditions, and a line of evidence.
  ///
  /// - Parameters:
  ///   - ownStops: instances that a step of ours stopped and that are still to be started: no
  ///     operator wants them stopped.
  ///   - limit: never looked longer.
  public func prepare(
    _ action: CloudAction, target: Target, ownStops: Set<String> = [],
    within limit: Duration = CloudHands.lookTime
  ) async -> Preparation {
    let hands = ending(after: limit)
    do throws(AWSError) {
      switch action {
      case .lambda: return try await hands.tagPreparation(target)
      case .ssm, .ec2:
        return try await hands.instancePreparation(target, action, ownStops: ownStops)
      case .autoScaling(let action): return try await hands.groupPreparation(action, target)
      }
    } catch {
      // What cannot be looked at is not acted on.
      return refusing(
        Refusal(
          .precondition, code: "not_seen", "the state of \(target) could not be read: \(error)"))
    }
  }

  /// What a look takes at most unless there is less time.
  public static let lookTime: Duration = .seconds(30)

  /// Carries a step out and waits for its result.
  ///
  /// - Parameters:
  ///   - attempt: names the attempt where the service keeps a comment.
  ///   - limit: never waited longer, whatever the step's own timeout.
  public func perform(
    _ action: CloudAction, target: Target, alert: AlertContext, attempt: String,
    within limit: Duration
  ) async -> StepResult {
    let limit = min(limit, action.timeout)
    let hands = ending(after: limit)
    do throws(AWSError) {
      switch action {
      case .ssm(let action):
        return try await hands.run(action, on: target, attempt: attempt, within: limit)
      case .ec2(let action): return try await hands.steer(action, target, within: limit)
      case .autoScaling(let action): return try await hands.scale(action, target)
      case .lambda(let action): return try await hands.invoke(action, alert, within: limit)
      }
    } catch {
      let status: StepResult.Status = error.mayHaveBeenDone ? .unknown : .failed
      return StepResult(status: status, summary: "\(error)")
    }
  }

  /// These hands with an end for all that they do: several calls share what is left.
  func ending(after limit: Duration) -> CloudHands {
    CloudHands(client.ending(after: limit), sleep: sleep)
  }

  func refusing(_ refusal: Refusal, evidence: String = "") -> Preparation {
    Preparation(refusals: [refusal], evidence: evidence)
  }

  func refused(_ rail: GuardRail, _ code: String, _ sentence: String) -> StepResult {
    StepResult(status: .refused(Refusal(rail, code: code, sentence)), summary: sentence)
  }

  /// The instance that a target names; nil when it is of another kind.
  func instance(of target: Target) -> String? {
    guard target.kind == .instance, target.name.hasPrefix("i-") else { return nil }
    return target.name
  }

  private func notAnInstance(_ target: Target) -> Refusal {
    Refusal(
      .targets, code: "no_instance",
      "\(target) is no instance; write target: 'instance:{{ $labels.InstanceId }}'")
  }

  /// G12: what an operator stopped stays stopped; G26: a tag holds Lifeguard back; G6: a member of
  /// a group is not taken away from few.
  private func instancePreparation(
    _ target: Target, _ action: CloudAction, ownStops: Set<String>
  ) async throws(AWSError) -> Preparation {
    guard let id = instance(of: target) else { return refusing(notAnInstance(target)) }
    guard let found = try await client.ec2.describeInstances([id]).first else {
      return refusing(
        Refusal(.targets, code: "empty_target", "there is no instance \(id) in this region"))
    }
    let evidence = "\(id) is \(found.state)"
    if let refusal = Self.frozen(id, found.tags) { return refusing(refusal, evidence: evidence) }
    switch found.state {
    case "running": break
    case "stopped", "stopping":
      let refusal =
        ownStops.contains(id)
        ? Refusal(
          .intent, code: "own_stop",
          "\(id) is \(found.state) by a step of ours; it is started before anything else")
        : Self.stoppedByOperator(id, found.state)
      return refusing(refusal, evidence: evidence)
    case "terminated", "shutting-down":
      return refusing(Self.stoppedByOperator(id, found.state), evidence: evidence)
    default:
      return refusing(
        Refusal(.intent, code: "changing", "\(id) is \(found.state)"), evidence: evidence)
    }
    guard action.harm.isDisruptive else { return Preparation(evidence: evidence) }
    return try await memberPreparation(id, action, evidence)
  }

  private static func stoppedByOperator(_ id: String, _ state: String) -> Refusal {
    Refusal(.intent, code: "stopped_by_operator", "\(id) is \(state), and nobody asked for it")
  }

  /// A function is invoked about whatever its target is; only the tag of an instance is looked at.
  private func tagPreparation(_ target: Target) async throws(AWSError) -> Preparation {
    guard let id = instance(of: target),
      let found = try await client.ec2.describeInstances([id]).first
    else { return Preparation() }
    return Self.frozen(id, found.tags).map { refusing($0) } ?? Preparation()
  }

  /// G26: `lifeguard=frozen` on a server or a group.
  static func frozen(_ name: String, _ tags: [String: String]) -> Refusal? {
    guard tags["lifeguard"] == "frozen" else { return nil }
    return Refusal(
      .killSwitch, code: "frozen_by_tag", "\(name) carries the tag lifeguard=frozen")
  }
}
