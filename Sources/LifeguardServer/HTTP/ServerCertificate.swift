import NIOSSL
import Synchronization

/// The certificate and key of `http: {tls: …}`, which may be renewed while connections are served.
final class ServerCertificate: Sendable {
  private let certificatePath: String
  private let keyPath: String
  private let current: Mutex<NIOSSLContext>

  /// nil when no TLS is configured.
  convenience init?(_ settings: ServerSettings) throws(ServerError) {
    guard let certificate = settings.tlsCertificate, let key = settings.tlsKey else { return nil }
    try self.init(certificatePath: certificate, keyPath: key)
  }

  init(certificatePath: String, keyPath: String) throws(ServerError) {
    self.certificatePath = certificatePath
    self.keyPath = keyPath
    current = Mutex(try ServerCertificate.context(certificatePath, keyPath))
  }

  /// For the next connection.
  var context: NIOSSLContext { current.withLock { $0 } }

  /// Reads both files again.
  ///
  /// - Throws: `ServerError.certificate` when they cannot be used; then the last good ones stay.
  func reload() throws(ServerError) {
    let fresh = try ServerCertificate.context(certificatePath, keyPath)
    current.withLock { $0 = fresh }
  }

  private static func context(
    _ certificate: String, _ key: String
  ) throws(ServerError) -> NIOSSLContext {
    do {
      let chain = try NIOSSLCertificate.fromPEMFile(certificate)
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) },
        privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
      configuration.minimumTLSVersion = .tlsv12
      configuration.applicationProtocols = ["http/1.1"]
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw .certificate(reason: "\(error)")
    }
  }
}
