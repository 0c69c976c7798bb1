import LifeguardConfiguration

/// Where the API listens.
public struct ServerSettings: Sendable {
  /// Connections at once on the TCP address; more wait in the backlog.
  public static let connectionsMax = 256

  public var host: String
  /// 0 takes any free port.
  public var port: Int
  /// PEM files; both or neither.
  public var tlsCertificate: String?
  public var tlsKey: String?
  /// Names to answer to beside the address's own.
  public var allowedHosts: [String]
  public var socketPath: String
  /// Queries that are evaluated at once.
  public var queryConcurrency: Int
  /// Holds the token.
  public var dataDirectory: String

  public init(_ http: HTTPSettings, socketPath: String, dataDirectory: String) {
    host = http.host
    port = http.port
    tlsCertificate = http.tlsCertificate
    tlsKey = http.tlsKey
    allowedHosts = http.allowedHosts
    queryConcurrency = http.query.concurrency
    self.socketPath = socketPath
    self.dataDirectory = dataDirectory
  }

  public var usesTLS: Bool { tlsCertificate != nil && tlsKey != nil }

  /// `host:port`, an IPv6 address in brackets.
  public static func address(_ host: String, _ port: Int) -> String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  var isLoopback: Bool { HostNames.isLoopback(host) }
}
