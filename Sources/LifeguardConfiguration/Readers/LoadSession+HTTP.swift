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
      notePlaces(reader, in: "http.")
      if reader.bool("anonymous_read") == true {
        settings.anonymousRead = true
        anonymousAt = reader.location(of: "anonymous_read")
      }
      if let tls = reader["tls"], let files = SectionReader(tls, Schema.tls, log: log) {
        settings.tlsCertificate = readPEM("certificate", files)
        settings.tlsKey = readPEM("key", files)
      }
      settings.users = readUsers(reader)
      settings.corsOrigins = readOrigins(reader)
      settings.allowedHosts = readAllowedHosts(reader)
      settings.remoteWrite = reader.bool("remote_write") ?? false
      if let query = reader["query"], let limits = SectionReader(query, Schema.httpQuery, log: log)
      {
        notePlaces(limits, in: "http.query.")
        readQueryLimits(limits, &settings.query)
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

  private func readQueryLimits(_ reader: SectionReader, _ query: inout HTTPQuerySettings) {
    query.concurrency = reader.integer("concurrency", in: 1...64) ?? query.concurrency
    query.timeout =
      reader.duration("timeout", minimum: .milliseconds(1), maximum: .seconds(3600))
      ?? query.timeout
    query.samplesMax = reader.integer("samples_max", in: 1...1_000_000_000) ?? query.samplesMax
    query.pointsMax = reader.integer("points_max", in: 1...1_000_000) ?? query.pointsMax
    query.lookback =
      reader.duration("lookback", minimum: .seconds(1), maximum: .seconds(86_400))
      ?? query.lookback
  }

  private func readUsers(_ reader: SectionReader) -> [HTTPUser] {
    var users: [HTTPUser] = []
    for item in reader.list("users", of: "users") {
      guard let user = SectionReader(item, Schema.httpUser, log: log),
        user.required("username", such: "username: grafana") != nil,
        user.required("password", such: "password: '${file:/etc/lifeguard/password}'") != nil,
        let name = user.word("username"),
        let password = secret("password", user, mustRefer: true)
      else { continue }
      // A colon ends the name in the header (RFC 7617, section 2).
      guard !name.contains(":") else {
        log.error(user.location(of: "username"), "\"username\" must not have a colon in it")
        continue
      }
      guard !users.contains(where: { $0.name == name }) else {
        log.error(user.location(of: "username"), "user \(quoted(name)) is there twice")
        continue
      }
      guard password.revealed.utf8.count >= LoadSession.passwordBytesMin else {
        log.error(
          user.location(of: "password"),
          "the password of \(quoted(name)) is too short; use at least"
            + " \(LoadSession.passwordBytesMin) bytes, such as from `openssl rand -hex 16`")
        continue
      }
      let rights = HTTPUser.Right.allCases.map { (name: $0.rawValue, value: $0) }
      users.append(
        HTTPUser(name: name, password: password, right: user.choice("may", rights) ?? .read))
    }
    return users
  }

  /// Shorter ones are guessed over a network.
  private static let passwordBytesMin = 8

  /// A name alone: any port of it is meant, and no pattern, which somebody else's name could match.
  private func readAllowedHosts(_ reader: SectionReader) -> [String] {
    guard let texts = reader.strings("allowed_hosts", of: "names") else { return [] }
    return texts.compactMap { text in
      let isName = text.allSatisfy {
        $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0))
      }
      guard !text.isEmpty, isName else {
        log.error(
          reader.location(of: "allowed_hosts"),
          "\(quoted(text)) is no name of a host; write one such as web-01.example.com, without"
            + " scheme and port")
        return nil
      }
      return text.lowercased()
    }
  }

  /// An origin is scheme, host and port, and nothing behind them (RFC 6454).
  private func readOrigins(_ reader: SectionReader) -> [String] {
    guard let texts = reader.strings("cors", of: "origins") else { return [] }
    return texts.compactMap { text in
      let scheme = ["http://", "https://"].first { text.hasPrefix($0) }
      let rest = text.dropFirst(scheme?.count ?? 0)
      guard scheme != nil, !rest.isEmpty, !rest.contains("/"), !rest.contains("*") else {
        log.error(
          reader.location(of: "cors"),
          "\(quoted(text)) is no origin; write one such as https://grafana.example.com, without"
            + " a path")
        return nil
      }
      return text.lowercased()
    }
  }
}
