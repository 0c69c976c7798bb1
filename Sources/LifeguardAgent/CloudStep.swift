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

  /// Looks at what a cloud step is about to act on; nothing for any other step.
  func prepare(_ step: Step?, target: Target) async -> Preparation {
    guard case .cloud(let action) = step, let aws else { return Preparation() }
    return await CloudHands(aws).prepare(action, target: target)
  }
}
