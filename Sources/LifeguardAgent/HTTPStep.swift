import AsyncHTTPClient
import LifeguardCore
import NIOCore
import NIOHTTP1

extension NotifierFactory {
  /// Carries out an `http` step: one request, no redirects; any 2xx counts as done.
  func perform(_ action: HTTPAction) async -> StepResult {
    var request = HTTPClientRequest(url: action.url)
    request.method = HTTPMethod(rawValue: action.method)
    for (name, value) in action.headers { request.headers.replaceOrAdd(name: name, value: value) }
    if let body = action.body { request.body = .bytes(Array(body.utf8)) }
    do {
      let response = try await client.execute(
        request, timeout: .milliseconds(max(action.timeout.milliseconds, 1)))
      let isDone = (200..<300).contains(response.status.code)
      return StepResult(
        status: isDone ? .succeeded : .failed, summary: "answered \(response.status.code)")
    } catch let error as HTTPClientError where error == .deadlineExceeded {
      return StepResult(
        status: .unknown, summary: "no answer within \(action.timeout.text)")
    } catch {
      return StepResult(status: .failed, summary: "could not be sent: \(error)")
    }
  }
}
