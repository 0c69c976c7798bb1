import LifeguardAWS
import LifeguardCore

/// Steps that Amazon Web Services carry out, by the same hands as the Lambda function's.
extension NotifierFactory {
  private static let missing =
    "nothing is known about AWS here; set AWS_REGION and credentials, then restart the agent"

  /// Carries out a cloud step; what its result is, only fresh samples say.
  func perform(_ action: CloudAction, _ request: StepRequest) async -> StepResult {
    guard let aws else {
      return StepResult(
        status: .refused(Refusal(.executor, code: "no_aws", Self.missing)), summary: Self.missing)
    }
    return await CloudHands(aws).perform(
      action, target: request.attempt.target, alert: request.alert, attempt: request.attempt.id,
      within: action.timeout)
  }

  /// Starts a server that a step of ours stopped and did not start again, however long it takes to
  /// stop; returns when that is settled.
  ///
  /// - Parameter pause: before each look, the first one too: a server that was told to stop just
  ///   now still looks as if it ran.
  func finishStart(of target: Target, every pause: Duration = .seconds(15)) async {
    guard let aws, target.kind == .instance else { return }
    while !Task.isCancelled {
      // why try?: cancelled, it ends at once, and the loop with it.
      try? await Task.sleep(for: pause)
      let found = await CloudHands(aws).finishStart(target.name, within: CloudHands.lookTime)
      if found.isSettled { return }
    }
  }

  /// Whether an attempt may have left its server stopped.
  static func owesStart(_ attempt: Attempt, _ step: Step?) -> Bool {
    guard let step, CloudHands.stops(step) else { return false }
    return !attempt.isShadow && attempt.succeeded != true
  }

  /// Looks at what a cloud step is about to act on; nothing for any other step.
  func prepare(_ step: Step?, target: Target) async -> Preparation {
    guard case .cloud(let action) = step, let aws else { return Preparation() }
    return await CloudHands(aws).prepare(action, target: target)
  }
}
