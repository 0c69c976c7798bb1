import LifeguardCore

extension LoadSession {
  /// `basic_auth`, `bearer_token` and `tls_config`.
  func readAccess(_ reader: SectionReader) -> WebAccess {
    var access = WebAccess()
    if let node = reader["basic_auth"],
      let basic = SectionReader(node, Schema.basicAuth, log: log),
      basic.required("username", such: "username: lifeguard") != nil
    {
      access.username = basic["username"].flatMap { resolve($0)?.value }
      access.password = secret("password", basic, mustRefer: true)
    }
    access.bearerToken = secret("bearer_token", reader, mustRefer: true)
    if access.bearerToken != nil, access.username != nil {
      log.error(
        reader.location(of: "bearer_token"),
        "at most one of \"basic_auth\" and \"bearer_token\" can be sent; remove one")
    }
    if let node = reader["tls_config"],
      let tls = SectionReader(node, Schema.tlsClient, log: log)
    {
      access.skipsVerification = tls.bool("insecure_skip_verify") ?? false
      access.certificateAuthority = readAuthority("ca_file", tls)
    }
    return access
  }

  private func readAuthority(_ key: String, _ reader: SectionReader) -> String? {
    guard let text = reader.word(key) else { return nil }
    let path = Paths.join(directory, text)
    let location = reader.location(of: key)
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
