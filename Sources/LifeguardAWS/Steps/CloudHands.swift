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
  public func prepare(_ action: CloudAction, target: Target) async -> Preparation {
    do throws(AWSError) {
      switch action {
      case .lambda: return Preparation()
      case .ssm, .ec2: return try await instancePreparation(target)
      case .autoScaling(let action): return try await groupPreparation(action, target)
      }
    } catch {
      // What cannot be looked at is not acted on.
      return refusing(
        Refusal(
          .precondition, code: "not_seen", "the state of \(target) could not be read: \(error)"))
    }
  }

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
    do throws(AWSError) {
      switch action {
      case .ssm(let action):
        return try await run(action, on: target, attempt: attempt, within: limit)
      case .ec2(let action): return try await steer(action, target, within: limit)
      case .autoScaling(let action): return try await scale(action, target)
      case .lambda(let action): return try await invoke(action, alert, within: limit)
      }
    } catch {
      let status: StepResult.Status = error.mayHaveBeenDone ? .unknown : .failed
      return StepResult(status: status, summary: "\(error)")
    }
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

  /// G12: what an operator stopped stays stopped; G26: a tag holds Lifeguard back.
  private func instancePreparation(_ target: Target) async throws(AWSError) -> Preparation {
    guard let id = instance(of: target) else { return refusing(notAnInstance(target)) }
    guard let found = try await client.ec2.describeInstances([id]).first else {
      return refusing(
        Refusal(.targets, code: "empty_target", "there is no instance \(id) in this region"))
    }
    let evidence = "\(id) is \(found.state)"
    if let brake = found.tags["lifeguard"], brake == "frozen" {
      return refusing(
        Refusal(.killSwitch, code: "frozen_by_tag", "\(id) carries the tag lifeguard=frozen"),
        evidence: evidence)
    }
    switch found.state {
    case "running": return Preparation(evidence: evidence)
    case "stopped", "stopping", "terminated", "shutting-down":
      return refusing(
        Refusal(
          .intent, code: "stopped_by_operator", "\(id) is \(found.state), and nobody asked for it"),
        evidence: evidence)
    default:
      return refusing(
        Refusal(.intent, code: "changing", "\(id) is \(found.state)"), evidence: evidence)
    }
  }
}
