import AsyncHTTPClient
import LifeguardConfiguration
import LifeguardCore
import NIOCore
import NIOHTTP1
import NIOSSL

/// Sends remote write requests (1.0) and says what the answer means.
struct RemoteWriteSender: Sendable {
  /// What became of a request.
  enum Answer: Sendable {
    case accepted
    /// Never to be sent again.
    case refused(String)
    /// To be sent again, with the same body.
    case later(after: Duration?, String)
  }

  /// Bytes of an answer that are read: it only explains an error.
  private static let answerMax = 16_384

  private let settings: RemoteWriteSettings
  private let client: HTTPClient

  init(_ settings: RemoteWriteSettings, group: any EventLoopGroup) {
    self.settings = settings
    client = HTTPClient(
      eventLoopGroup: group, configuration: settings.access.clientConfiguration)
  }

  func send(_ request: RemoteWriteRequest, timeout: Duration? = nil) async -> Answer {
    let limit = min(timeout ?? settings.timeout, settings.timeout)
    do {
      let message = try HTTPClient.Request(
        url: settings.url.revealed, method: .POST, headers: headers,
        body: .byteBuffer(ByteBuffer(bytes: request.body)))
      // Through futures, because a task that is being cancelled may still send its last words.
      let response = try await client.execute(
        request: message,
        delegate: ResponseAccumulator(request: message, maxBodySize: Self.answerMax),
        deadline: .now() + .milliseconds(max(limit.milliseconds, 1))
      ).futureResult.get()
      return answer(response)
    } catch let error as HTTPClientError where error == .invalidURL || error == .emptyHost {
      return .refused("the address of \(settings.name) is not an HTTP URL")
    } catch let error as HTTPClientError {
      return .later(after: nil, "\(settings.name) cannot be reached: \(error.shortDescription)")
    } catch is ResponseAccumulator.ResponseTooBigError {
      return .later(after: nil, "\(settings.name) answered more than it should")
    } catch {
      let reason = TextEscape.line(String("\(error)".prefix(120)))
      return .later(after: nil, "\(settings.name) cannot be reached: \(reason)")
    }
  }

  private var headers: HTTPHeaders {
    var headers = HTTPHeaders()
    settings.access.authorize(&headers)
    for (name, value) in settings.headers {
      headers.replaceOrAdd(name: name, value: value.revealed)
    }
    headers.replaceOrAdd(name: "Content-Type", value: "application/x-protobuf")
    headers.replaceOrAdd(name: "Content-Encoding", value: "snappy")
    headers.replaceOrAdd(name: "X-Prometheus-Remote-Write-Version", value: "0.1.0")
    headers.replaceOrAdd(name: "User-Agent", value: "lifeguard")
    return headers
  }

  private func answer(_ response: HTTPClient.Response) -> Answer {
    let status = Int(response.status.code)
    if (200..<300).contains(status) { return .accepted }
    let text = response.body.map { String(decoding: $0.readableBytesView, as: UTF8.self) } ?? ""
    let why =
      "\(settings.name) answered \(status)"
      + (text.isEmpty ? "" : ": " + TextEscape.line(String(text.prefix(200))))
    let comesAgain = status >= 500 || (status == 429 && settings.retriesTooManyRequests)
    guard comesAgain else { return .refused(why) }
    let after = response.headers.first(name: "Retry-After").flatMap(Int64.init)
      .map { Duration.seconds(min(max($0, 0), 3600)) }
    return .later(after: after, why)
  }

  func close() async {
    // A client that is in use no longer has nothing else to tell.
    try? await client.shutdown()
  }
}

extension WebAccess {
  /// No redirects: a server must not be able to have credentials sent on to another host.
  var clientConfiguration: HTTPClient.Configuration {
    var configuration = NotifierFactory.clientConfiguration
    var tls = TLSConfiguration.makeClientConfiguration()
    if skipsVerification { tls.certificateVerification = .none }
    if let certificateAuthority { tls.additionalTrustRoots = [.file(certificateAuthority)] }
    configuration.tlsConfiguration = tls
    return configuration
  }

  /// Adds what says who we are.
  func authorize(_ headers: inout HTTPHeaders) {
    if let bearerToken {
      headers.replaceOrAdd(name: "Authorization", value: "Bearer \(bearerToken.revealed)")
    } else if let username {
      let pair = "\(username):\(password?.revealed ?? "")"
      headers.replaceOrAdd(name: "Authorization", value: "Basic \(Base64.encode(Array(pair.utf8)))")
    }
  }
}
