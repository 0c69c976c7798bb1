import LifeguardAWS
import LifeguardCore

/// Carries out steps from within the function.
struct FunctionHands: Sendable {
  let cloud: CloudHands
  let scripts: LocalScript
  let transport: any AWSTransport

  /// Looks before an action; only what the cloud does has something to look at.
  ///
  /// - Parameters:
  ///   - ownStops: servers that a step of ours left stopped.
  ///   - limit: what is left of the invocation.
  func prepare(
    _ step: Step?, target: Target, ownStops: Set<String>, within limit: Duration
  ) async -> Preparation {
    guard case .cloud(let action) = step else { return Preparation() }
    return await cloud.prepare(
      action, target: target, ownStops: ownStops, within: min(limit, CloudHands.lookTime))
  }

  /// - Parameter limit: what is left of the invocation, with room for writing the outcome.
  func perform(_ request: StepRequest, within limit: Duration) async -> StepResult {
    guard limit >= Self.leastTime else {
      return refused("no_time", "only \(max(limit, .zero).text) are left of this invocation")
    }
    switch request.step {
    case .run(let command): return await scripts.run(command, request, within: limit)
    case .cloud(let action):
      return await cloud.perform(
        action, target: request.attempt.target, alert: request.alert, attempt: request.attempt.id,
        within: limit)
    case .http(let action): return await send(action, within: limit)
    case .reload, .nudge, .start, .stop, .restart, .stopCleanStart, .signal, .page:
      return refused(
        "not_for_function",
        "\(request.step.name) acts on the host that runs the agent; use ssm in the function")
    }
  }

  private static let leastTime: Duration = .seconds(1)

  private func refused(_ code: String, _ sentence: String) -> StepResult {
    StepResult(
      status: .refused(Refusal(.executor, code: code, sentence)), summary: sentence)
  }

  /// One request, no redirects; any 2xx counts as done.
  private func send(_ action: HTTPAction, within limit: Duration) async -> StepResult {
    guard let url = AWSURL(action.url) else {
      return StepResult(status: .failed, summary: "the step's url is not one")
    }
    let request = AWSRequest(
      action.method, url,
      headers: action.headers.sorted { $0.key < $1.key }.map { AWSHeader($0.key, $0.value) },
      body: Array((action.body ?? "").utf8))
    do throws(AWSTransportError) {
      let answer = try await transport.send(request, timeout: min(limit, action.timeout))
      let isDone = (200..<300).contains(answer.status)
      return StepResult(
        status: isDone ? .succeeded : .failed, summary: "answered \(answer.status)")
    } catch {
      switch error.kind {
      case .unreachable, .invalid:
        return StepResult(status: .failed, summary: "could not be sent: \(error.reason)")
      case .timedOut, .connectionLost, .answerTooLarge, .cancelled:
        return StepResult(status: .unknown, summary: "no whole answer: \(error.reason)")
      }
    }
  }
}
