import LifeguardCore

extension LoadSession {
  /// `listen:` and `http:`; what can be reached from outside needs TLS and a token.
  func readHTTP(_ root: SectionReader) {
    var settings = configuration.http
    var address = Address(host: settings.host, port: settings.port)
    if let text = root.word("listen") {
      switch Address.parse(text) {
      case .success(let parsed):
        address = parsed
        settings.host = parsed.host
        settings.port = parsed.port
      case .failure(let fault):
        log.error(
          root.location(of: "listen"),
          "\"listen\" must be host:port, not \(quoted(text)); \(fault.advice)")
      }
    }
    var anonymousAt: SourceLocation?
    if let node = root["http"], let reader = SectionReader(node, Schema.http, log: log) {
      if reader.bool("anonymous_read") == true {
        settings.anonymousRead = true
        anonymousAt = reader.location(of: "anonymous_read")
      }
      if let tls = reader["tls"], let files = SectionReader(tls, Schema.tls, log: log) {
        settings.tlsCertificate = readPEM("certificate", files)
        settings.tlsKey = readPEM("key", files)
      }
    }
    configuration.http = settings
    guard !address.isLoopback else { return }
    let host = address.host.isEmpty ? "every address" : address.host
    if settings.tlsCertificate == nil || settings.tlsKey == nil {
      log.error(
        root.location(of: "listen"),
        "listening on \(host) without TLS would show this host to the network; write"
          + " listen: 127.0.0.1:\(address.port), or set certificate and key under http.tls")
    }
    if let anonymousAt {
      log.error(
        anonymousAt,
        "\"anonymous_read\" opens reading on loopback only, and \"listen\" is \(host); remove it")
    }
  }

  private func readPEM(_ key: String, _ reader: SectionReader) -> String? {
    guard reader.required(key, such: "\(key): /etc/lifeguard/\(key).pem") != nil,
      let text = reader.word(key)
    else { return nil }
    let path = Paths.join(directory, text)
    let location = reader.location(of: key)
    checkTrust(path, namedAt: location)
    switch loader.files.read(path, 1 << 20) {
    case .success(let bytes):
      if String(decoding: bytes, as: UTF8.self).range(ofText: "-----BEGIN ") != nil { return path }
      log.error(location, "\(printable(path)) is not a PEM file")
    case .failure(let failure):
      log.error(location, "\(printable(path)) \(failure.reason)")
    }
    return nil
  }
}
