import Glibc
import HTTPTypes
import HummingbirdCore
import HummingbirdTLS
import LifeguardAgent
import LifeguardConfiguration
import LifeguardHost
import Logging
import NIOCore
import NIOPosix
import NIOSSL
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
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  /// - Throws: `ServerError` when the token cannot be used, or the address would show this host
  ///   to the network.
  public init(agent: Agent, _ settings: ServerSettings, logger: Logger) throws(ServerError) {
    self.agent = agent
    self.settings = settings
    self.logger = logger
    let shown = ServerSettings.address(settings.host, settings.port)
    guard settings.isLoopback || settings.usesTLS else { throw .openToTheNetwork(address: shown) }
    token = try AccessToken(inDirectory: settings.dataDirectory)
    events = EventStream(agent: agent)
    address = Mutex(shown)
  }

  /// Serves until the task is cancelled.
  ///
  /// - Parameter onListening: called once both listeners accept connections.
  /// - Throws: `ServerError` when one cannot listen; then none does any more.
  public func run(onListening: @escaping @Sendable (Listening) async -> Void) async throws {
    let responder = makeResponder()
    do {
      try await serve(responder, onListening)
    } catch {
      try await group.shutdownGracefully()
      throw error
    }
    unlink(settings.socketPath)
    try await group.shutdownGracefully()
  }

  private func serve(
    _ responder: Responder, _ onListening: @escaping @Sendable (Listening) async -> Void
  ) async throws {
    let (started, starting) = AsyncStream.makeStream(of: Void.self)
    let network = try networkService(responder) { starting.yield() }
    let socket = try socketService(responder) { starting.yield() }
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await self.translate(.network) { try await network.run() } }
      tasks.addTask { try await self.translate(.socket) { try await socket.run() } }
      tasks.addTask {
        var count = 0
        for await _ in started {
          count += 1
          if count == 2 { break }
        }
        if count == 2 { await onListening(self.listening()) }
      }
      defer { starting.finish() }
      while try await tasks.next() != nil {}
    }
  }

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
      names: HostNames(host: settings.host, machine: HostInfo().hostname),
      usesTLS: settings.usesTLS,
      opensReading: { isLoopback ? await agent.httpSettings.anonymousRead : false })
    return Responder(
      agent: agent, gate: gate, events: events,
      listening: { [weak self] in self?.address.withLock { $0 } ?? "" })
  }

  private static var channel: HTTP1Channel.Configuration {
    HTTP1Channel.Configuration(
      idleTimeout: .seconds(30),
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 32 * 1024, maxHeaderFieldCount: 100))
  }

  private func networkService(
    _ responder: Responder, _ started: @escaping @Sendable () -> Void
  ) throws -> any Service {
    let builder = try tlsConfiguration().map {
      try HTTPServerBuilder.tls(.http1(configuration: APIServer.channel), tlsConfiguration: $0)
    } ?? .http1(configuration: APIServer.channel)
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

  private func tlsConfiguration() throws(ServerError) -> TLSConfiguration? {
    guard let certificate = settings.tlsCertificate, let key = settings.tlsKey else { return nil }
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(certificate)
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) },
        privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
      configuration.minimumTLSVersion = .tlsv12
      return configuration
    } catch {
      throw .certificate(reason: "\(error)")
    }
  }

  /// Says in an operator's words why a listener could not start.
  private func translate(
    _ door: Responder.Door, _ serve: () async throws -> Void
  ) async throws {
    do {
      try await serve()
    } catch let error as IOError {
      throw failure(
        door, String(cString: strerror(error.errnoCode)).lowercased(),
        isInUse: error.errnoCode == EADDRINUSE)
    } catch let error as SocketAddressError {
      switch error {
      case .unixDomainSocketPathTooLong:
        throw failure(door, "its path is longer than the 107 bytes of unix(7)")
      case .unknown: throw failure(door, "this name has no address")
      case .unsupported, .failedToParseIPString: throw failure(door, "this is no address")
      }
    }
  }

  private func failure(
    _ door: Responder.Door, _ reason: String, isInUse: Bool = false
  ) -> ServerError {
    if door == .socket { return .socket(path: settings.socketPath, reason: reason) }
    let address = ServerSettings.address(settings.host, settings.port)
    return isInUse
      ? .addressInUse(address: address) : .addressNotAllowed(address: address, reason: reason)
  }
}
