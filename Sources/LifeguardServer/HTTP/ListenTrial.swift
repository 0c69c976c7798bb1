import Glibc
import LifeguardConfiguration
import NIOCore

/// Whether the API could be served, found out before anything is started.
public enum ListenTrial {
  /// Why the address cannot be listened on; nil when it could be, a moment ago.
  public static func obstacle(_ settings: ServerSettings) -> ServerError? {
    let shown = ServerSettings.address(settings.host, settings.port)
    guard settings.isLoopback || settings.usesTLS else {
      return .openToTheNetwork(address: shown)
    }
    do {
      try bindOnce(settings.host, settings.port)
      return nil
    } catch {
      return ServerError(network: error, address: shown)
    }
  }

  /// Why the certificate or its key cannot be used.
  public static func certificateObstacle(_ settings: ServerSettings) -> ServerError? {
    do throws(ServerError) {
      _ = try ServerCertificate(settings)
      return nil
    } catch {
      return error
    }
  }

  /// Binds as the server will, and lets go again.
  private static func bindOnce(_ host: String, _ port: Int) throws {
    let address = try SocketAddress.makeAddressResolvingHost(host, port: port)
    let family: Int32 = if case .v6 = address { AF_INET6 } else { AF_INET }
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(family, type, 0)
    guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
    defer { close(descriptor) }
    // As the server does: connections that are still closing take no address.
    var on: Int32 = 1
    setsockopt(
      descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    var code: Int32 = 0
    // An agent that was killed just now may hold the address for a moment: wait 500 ms.
    for _ in 0..<25 {
      code = address.withSockAddr { bind(descriptor, $0, socklen_t($1)) == 0 ? 0 : errno }
      guard code == EADDRINUSE else { break }
      usleep(20_000)
    }
    guard code == 0 else { throw IOError(errnoCode: code, reason: "bind") }
  }
}

extension ServerError {
  /// An operator's words for why the network cannot be listened on.
  init(network error: any Error, address: String) {
    if let error = error as? IOError, error.errnoCode == EADDRINUSE {
      self = .addressInUse(address: address)
    } else {
      self = .addressNotAllowed(
        address: address, reason: ServerError.reason(error) ?? "\(error)")
    }
  }

  /// What the system or NIO says of a listener; nil for what is neither's.
  static func reason(_ error: any Error) -> String? {
    switch error {
    case let error as IOError: String(cString: strerror(error.errnoCode)).lowercased()
    case SocketAddressError.unixDomainSocketPathTooLong:
      "its path is longer than the 107 bytes of unix(7)"
    case SocketAddressError.unknown: "this name has no address"
    case is SocketAddressError: "this is no address"
    default: nil
    }
  }
}
