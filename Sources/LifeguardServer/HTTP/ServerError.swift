/// Why the API cannot be served, with what to do about it.
public enum ServerError: Error, Sendable, CustomStringConvertible {
  case addressInUse(address: String)
  case addressNotAllowed(address: String, reason: String)
  case socket(path: String, reason: String)
  case token(path: String, reason: String)
  case certificate(reason: String)
  case noThread(reason: String)
  /// Another address than loopback without TLS.
  case openToTheNetwork(address: String)

  public var description: String {
    switch self {
    case .addressInUse(let address):
      "\(address) is in use by another program: stop it, or name another address with --listen "
        + "or `listen:`"
    case .addressNotAllowed(let address, let reason):
      "cannot listen on \(address) (\(reason)): name another address with --listen or `listen:`"
    case .socket(let path, let reason):
      "cannot listen on the socket \(path) (\(reason)): name another data directory with --data"
    case .token(let path, let reason):
      "the token \(path) cannot be used: \(reason)"
    case .certificate(let reason):
      "the certificate and key of `http: {tls: …}` cannot be used: \(reason)"
    case .noThread(let reason):
      "no thread can be had for queries (\(reason)): raise the limit of tasks"
    case .openToTheNetwork(let address):
      "listening on \(address) would show this host to the network: write a loopback address such "
        + "as 127.0.0.1:9911, or set `http: {tls: …}`"
    }
  }
}
