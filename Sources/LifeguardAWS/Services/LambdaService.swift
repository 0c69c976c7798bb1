import LifeguardCore

/// The outcome of an invocation.
public struct LambdaInvocation: Hashable, Sendable {
  /// 200 for one that was waited for, 202 for an event, 204 for a dry run.
  public var status: Int
  /// `Handled` or `Unhandled` when the function failed; its error stands in the payload.
  public var functionError: String?
  public var payload: [UInt8]
  public var executedVersion: String?
}

/// Lambda.
public struct LambdaService: Sendable {
  /// Whether somebody waits for the function.
  public enum InvocationType: String, Sendable {
    case waits = "RequestResponse"
    case event = "Event"
    case dryRun = "DryRun"
  }

  /// Of a payload that is waited for; events may have 1 MB
  /// (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
  static let payloadMax = 6_291_456

  let client: AWSClient

  /// Runs a function, by name or ARN; it is not run again when the answer was lost.
  public func invoke(
    _ function: String, payload: [UInt8] = [], type: InvocationType = .waits,
    qualifier: String? = nil
  ) async throws(AWSError) -> LambdaInvocation {
    let isDryRun = type == .dryRun
    var call = AWSCall(service: .lambda, action: "Invoke", isRepeatable: isDryRun)
    guard payload.count <= Self.payloadMax else {
      throw call.error(
        .invalid, "the payload has \(payload.count) bytes; at most \(Self.payloadMax)")
    }
    call.path = "/2015-03-31/functions/\(PercentEncoding.encode(function))/invocations"
    call.query = qualifier.map { "Qualifier=\(PercentEncoding.encode($0))" }
    call.headers = [
      AWSHeader("Content-Type", "application/json"),
      AWSHeader("X-Amz-Invocation-Type", type.rawValue),
    ]
    call.body = payload
    let response = try await client.perform(call)
    return LambdaInvocation(
      status: response.status, functionError: response.header("X-Amz-Function-Error"),
      payload: response.body, executedVersion: response.header("X-Amz-Executed-Version"))
  }
}
