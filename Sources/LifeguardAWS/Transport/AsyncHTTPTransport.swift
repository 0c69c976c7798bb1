import AsyncHTTPClient
import Glibc
import LifeguardCore
import NIOCore
import NIOHTTP1
import Synchronization

/// HTTP over AsyncHTTPClient.
///
/// The client, with its threads, is made at the first request: making a transport costs nothing,
/// which the start of a function depends on. Idle connections are kept for less time than the
/// services keep theirs, so that a request is hardly ever written to one that is being closed.
public final class AsyncHTTPTransport: AWSTransport {
  private enum State {
    case idle
    case running(HTTPClient)
    case shared(HTTPClient)
    case shutDown
  }

  private let state: Mutex<State>
  private let connectTimeout: Duration
  private let idleTimeout: Duration

  /// A transport with a client of its own, which must be shut down once it was used.
  public init(connectTimeout: Duration = .seconds(3), idleTimeout: Duration = .seconds(15)) {
    state = Mutex(.idle)
    self.connectTimeout = connectTimeout
    self.idleTimeout = idleTimeout
  }

  /// A transport over somebody else's client, which must not follow redirects.
  public init(client: HTTPClient) {
    state = Mutex(.shared(client))
    connectTimeout = .zero
    idleTimeout = .zero
  }

  /// Closes every connection of its own client; later requests fail.
  public func shutdown() async {
    let client: HTTPClient? = state.withLock { state in
      defer { state = .shutDown }
      if case .running(let client) = state { return client }
      return nil
    }
    // It only fails when it was shut down before, which `state` rules out.
    try? await client?.shutdown()
  }

  public func send(
    _ request: AWSRequest, timeout: Duration
  ) async throws(AWSTransportError) -> AWSResponse {
    guard let client = client() else {
      throw AWSTransportError(.invalid, "the transport was shut down")
    }
    var outgoing = HTTPClientRequest(url: request.url.description)
    outgoing.method = HTTPMethod(rawValue: request.method)
    for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
    if !request.body.isEmpty { outgoing.body = .bytes(ByteBuffer(bytes: request.body)) }
    do {
      return try await Self.exchange(outgoing, client, upTo: request.answerMax, within: timeout)
    } catch {
      throw Self.failure(error, request)
    }
  }

  /// The client's own deadline ends with the head of the answer; ours covers its body too.
  private static func exchange(
    _ outgoing: HTTPClientRequest, _ client: HTTPClient, upTo answerMax: Int,
    within timeout: Duration
  ) async throws -> AWSResponse {
    try await withThrowingTaskGroup(of: AWSResponse.self) { group in
      group.addTask {
        let limit = TimeAmount.milliseconds(max(timeout.milliseconds, 1))
        let response = try await client.execute(outgoing, timeout: limit)
        let body = try await response.body.collect(upTo: answerMax)
        return AWSResponse(
          status: Int(response.status.code),
          headers: response.headers.map { AWSHeader($0.name, $0.value) },
          body: Array(body.readableBytesView))
      }
      group.addTask {
        try await Task.sleep(for: timeout)
        throw HTTPClientError.deadlineExceeded
      }
      defer { group.cancelAll() }
      guard let first = try await group.next() else { throw CancellationError() }
      return first
    }
  }

  private func client() -> HTTPClient? {
    state.withLock { state in
      switch state {
      case .running(let client), .shared(let client): return client
      case .shutDown: return nil
      case .idle:
        let client = HTTPClient(
          eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
        state = .running(client)
        return client
      }
    }
  }

  private var configuration: HTTPClient.Configuration {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.timeout = HTTPClient.Configuration.Timeout(
      connect: .milliseconds(connectTimeout.milliseconds))
    configuration.connectionPool.idleTimeout = .milliseconds(idleTimeout.milliseconds)
    // Whether to try again is the client's decision, not the pool's.
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    return configuration
  }

  private static func failure(_ error: any Error, _ request: AWSRequest) -> AWSTransportError {
    let host = request.url.authority
    if error is CancellationError { return AWSTransportError(.cancelled, "cancelled") }
    if error is NIOTooManyBytesError {
      return AWSTransportError(
        .answerTooLarge, "\(host) answered more than \(request.answerMax) bytes")
    }
    guard let error = error as? HTTPClientError else { return connectionFailure(error, host) }
    switch error {
    case .cancelled: return AWSTransportError(.cancelled, "cancelled")
    case .connectTimeout, .tlsHandshakeTimeout, .socksHandshakeTimeout,
      .httpProxyHandshakeTimeout, .getConnectionFromPoolTimeout:
      return AWSTransportError(.unreachable, "connecting to \(host) took too long")
    case .deadlineExceeded, .readTimeout, .writeTimeout:
      return AWSTransportError(.timedOut, "\(host) did not answer in time")
    case .invalidURL, .emptyHost, .emptyScheme, .alreadyShutdown:
      return AWSTransportError(.invalid, error.shortDescription)
    default:
      return AWSTransportError(
        .connectionLost, "the exchange with \(host) broke: \(error.shortDescription)")
    }
  }

  /// An error of the layers below: only one that surely came while connecting is `unreachable`.
  private static func connectionFailure(_ error: any Error, _ host: String) -> AWSTransportError {
    let text = TextEscape.line(String("\(error)".prefix(160)))
    let isConnecting =
      switch error {
      case let error as IOError:
        [ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL].contains(error.errnoCode)
      case ChannelError.connectTimeout: true
      // NIOPosix' and NIOSSL's own, told by name because nothing else of those modules is needed.
      default:
        "\(type(of: error))" == "NIOConnectionError" || text.contains("handshakeFailed")
      }
    return isConnecting
      ? AWSTransportError(.unreachable, "connecting to \(host) failed: \(text)")
      : AWSTransportError(.connectionLost, "the connection to \(host) broke: \(text)")
  }
}
