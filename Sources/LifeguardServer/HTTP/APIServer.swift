import Glibc
import HTTPTypes
import HummingbirdCore
import LifeguardAgent
import LifeguardConfiguration
import LifeguardHost
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// Serves the API and the page on a TCP address and on a Unix socket.
///
/// ```
///  127.0.0.1:9911 ─▶ names, origin ─▶ token or cookie ─┐
///                                                      ├─▶ route ─▶ agent
///  DATA/sock ──────▶ peer credentials ─────────────────┘
/// ```
public final class APIServer: Sendable {
  /// Where it listens once it does.
  public struct Listening: Sendable {
    /// With the real port.
    public var address: String
    public var socketPath: String
    /// Signs a browser in, once.
    public var signInLink: String
  }

  private let settings: ServerSettings
  private let logger: Logger
  private let token: AccessToken
  private let signIn = SignIn()
  private let events: EventStream
  private let agent: Agent
  private let address: Mutex<String>
  private let desk: QueryDesk
  private let certificate: ServerCertificate?
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  /// - Throws: `ServerError` when the token or the certificate cannot be used, no thread can be
  ///   had, or the address would show this host to the network.
  public init(agent: Agent, _ settings: ServerSettings, logger: Logger) throws(ServerError) {
    self.agent = agent
    self.settings = settings
    self.logger = logger
    let shown = ServerSettings.address(settings.host, settings.port)
    guard settings.isLoopback || settings.usesTLS else { throw .openToTheNetwork(address: shown) }
    token = try AccessToken(inDirectory: settings.dataDirectory)
    certificate = try ServerCertificate(settings)
    do throws(SystemCallError) {
      desk = try QueryDesk(concurrency: settings.queryConcurrency)
    } catch {
      throw .noThread(reason: "\(error)")
    }
    events = EventStream(agent: agent)
    address = Mutex(shown)
  }

  /// Serves until the task is cancelled; then answers what was asked already, at most for 3 s.
  ///
  /// - Parameter onListening: called once both listeners accept connections.
  /// - Throws: `ServerError` when one cannot listen; then none does any more.
  public func run(onListening: @escaping @Sendable (Listening) async -> Void) async throws {
    let (started, starting) = AsyncStream.makeStream(of: Void.self)
    let responder = makeResponder()
    let services = [
      Listener(service: try networkService(responder) { starting.yield() }) {
        self.failure(.network, $0)
      },
      Listener(service: try socketService(responder) { starting.yield() }) {
        self.failure(.socket, $0)
      },
    ]
    var configuration = ServiceGroupConfiguration(services: services, logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(3)
    let listeners = ServiceGroup(configuration: configuration)
    let events = events
    let serving = Task {  // why: cancelled, a listener would drop connections and trap in NIO
      try await listeners.run()
    }
    let telling = Task {  // why: ends with the stream, when the listeners do
      var count = 0
      for await _ in started {
        count += 1
        if count == services.count { await onListening(self.listening()) }
      }
    }
    let result = await withTaskCancellationHandler {
      await serving.result
    } onCancel: {
      events.stop()
      Task { await listeners.triggerGracefulShutdown() }  // why: a handler cannot wait
    }
    starting.finish()
    await telling.value
    if case .success = result { unlink(settings.socketPath) }
    try await group.shutdownGracefully()
    try result.get()
  }

  /// One of the two, with an operator's words for why it could not start.
  private struct Listener: Service {
    let service: any Service
    let explain: @Sendable (any Error) -> any Error

    func run() async throws {
      do {
        try await service.run()
      } catch {
        throw explain(error)
      }
    }
  }

  /// Takes over a certificate that was renewed; connections that are open keep theirs.
  ///
  /// - Throws: `ServerError.certificate` when the files cannot be used; the last good one stays.
  public func reloadCertificate() throws(ServerError) { try certificate?.reload() }

  private func listening() -> Listening {
    let shown = address.withLock { $0 }
    let scheme = settings.usesTLS ? "https" : "http"
    return Listening(
      address: shown, socketPath: settings.socketPath,
      signInLink: "\(scheme)://\(shown)/sign-in?code=\(signIn.newCode())")
  }

  private func makeResponder() -> Responder {
    let agent = agent
    let isLoopback = settings.isLoopback
    let gate = Gate(
      token: token, signIn: signIn,
      names: HostNames(
        host: settings.host, machine: HostInfo().hostname, allowed: settings.allowedHosts),
      usesTLS: settings.usesTLS,
      settings: {
        let http = await agent.httpSettings
        return Gate.Settings(
          opensReading: isLoopback && http.anonymousRead, users: http.users,
          origins: http.corsOrigins)
      })
    return Responder(
      agent: agent, gate: gate, events: events, desk: desk, metrics: MetricsCache(),
      certificate: certificate,
      listening: { [weak self] in self?.address.withLock { $0 } ?? "" })
  }

  private static var channel: HTTP1Channel.Configuration {
    HTTP1Channel.Configuration(
      additionalChannelHandlers: [DisconnectWatch()], idleTimeout: .seconds(30),
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 32 * 1024, maxHeaderFieldCount: 100))
  }

  private func networkService(
    _ responder: Responder, _ started: @escaping @Sendable () -> Void
  ) throws -> any Service {
    var builder = HTTPServerBuilder.http1(configuration: APIServer.channel)
    if let certificate {
      builder = HTTPServerBuilder { responder in
        SecureChannel(
          certificate: certificate,
          base: HTTP1Channel(responder: responder, configuration: APIServer.channel))
      }
    }
    return try builder.buildServer(
      configuration: ServerConfiguration(
        address: .hostname(settings.host, port: settings.port),
        availableConnectionsDelegate: MaximumAvailableConnections(
          ServerSettings.connectionsMax, logger: logger)),
      eventLoopGroup: group, logger: logger
    ) { request, writer, channel in
      try await responder.respond(to: request, writer, on: channel, by: .network)
    } onServerRunning: { channel in
      if let port = channel.localAddress?.port {
        self.address.withLock { $0 = ServerSettings.address(self.settings.host, port) }
      }
      started()
    }
  }

  private func socketService(
    _ responder: Responder, _ started: @escaping @Sendable () -> Void
  ) throws -> any Service {
    let path = settings.socketPath
    return try HTTPServerBuilder.http1(configuration: APIServer.channel).buildServer(
      configuration: ServerConfiguration(
        address: .unixDomainSocket(path: path),
        availableConnectionsDelegate: MaximumAvailableConnections(
          ServerSettings.connectionsMax, logger: logger)),
      eventLoopGroup: group, logger: logger
    ) { request, writer, channel in
      try await responder.respond(to: request, writer, on: channel, by: .socket)
    } onServerRunning: { _ in
      // The kernel's word on who connects decides; the mode only keeps strangers from trying.
      chmod(path, 0o660)
      if let readers = PeerCredentials.readersGroup() { chown(path, uid_t.max, readers) }
      started()
    }
  }

  private func failure(_ door: Responder.Door, _ error: any Error) -> any Error {
    guard let reason = ServerError.reason(error) else { return error }
    return door == .socket
      ? ServerError.socket(path: settings.socketPath, reason: reason)
      : ServerError(
        network: error, address: ServerSettings.address(settings.host, settings.port))
  }
}
