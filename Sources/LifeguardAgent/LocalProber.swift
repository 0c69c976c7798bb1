import AsyncHTTPClient
import LifeguardCore
import LifeguardHost
import NIOCore
import NIOHTTP1

/// Asks services: plain HTTP, TCP and commands by the host's prober, `https` by the HTTP client.
public struct LocalProber: ServiceProber {
  private let prober: Prober
  private let client: HTTPClient

  public init(prober: Prober, client: HTTPClient) {
    self.prober = prober
    self.client = client
  }

  public func probe(
    _ probe: Probe, timeout: Duration
  ) async -> ProbeResult.Outcome {
    if case .http(let url, let statuses, let body) = probe.kind, url.hasPrefix("https:") {
      return await secure(url, statuses, body, timeout)
    }
    let answer = await prober.run(probe, timeout: timeout)
    guard !answer.success, let failure = answer.failure else { return .success }
    switch failure {
    case .timeout: return .timeout
    case .refused, .closed, .unreachable: return .refused(answer.message)
    case .malformed, .status, .body, .critical: return .wrongAnswer(answer.message)
    case .nameResolution, .unknown, .unusable: return .unknown(answer.message)
    }
  }

  private func secure(
    _ url: String, _ statuses: ClosedRange<Int>, _ body: String?, _ timeout: Duration
  ) async -> ProbeResult.Outcome {
    do {
      let response = try await client.execute(
        HTTPClientRequest(url: url), timeout: .milliseconds(max(timeout.milliseconds, 1)))
      let status = Int(response.status.code)
      guard statuses.contains(status) else { return .wrongAnswer("status \(status)") }
      guard let body else { return .success }
      let bytes = try await response.body.collect(upTo: LocalProber.bodyMax)
      let text = String(decoding: bytes.readableBytesView, as: UTF8.self)
      return text.contains(body) ? .success : .wrongAnswer("the body lacks \"\(body)\"")
    } catch let error as HTTPClientError
      where error == .deadlineExceeded || error == .connectTimeout
    {
      return .timeout
    } catch {
      return .refused("\(error)")
    }
  }

  /// Bytes of a body that are looked through.
  private static let bodyMax = 256 * 1024
}
