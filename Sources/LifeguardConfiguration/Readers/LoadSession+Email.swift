import LifeguardCore

extension LoadSession {
  /// Mail: who to, who from, and by which server.
  func readEmail(_ node: Node) -> Channel? {
    guard let reader = SectionReader(node, Schema.email, log: log) else { return nil }
    let to = readRecipients(reader)
    var from: String?
    if reader.required("from", such: "from: lifeguard@example.com") != nil,
      let text = reader.word("from")
    {
      checkMailbox(text, at: reader.location(of: "from"))
      from = text
    }
    var templates = MessageTemplates()
    if let node = reader["subject"] {
      templates.subject = readTemplate(node, key: "subject", variables: AnnouncementText.variables)
    }
    if let node = reader["text"] {
      templates.text = readTemplate(node, key: "text", variables: AnnouncementText.variables)
    }
    templates.prefix = reader.string("prefix")
    let username = reader["username"].flatMap { resolve($0)?.value }
    let password = secret("password", reader, mustRefer: true)
    if reader.has("password") != reader.has("username") {
      let missing = reader.has("password") ? "username" : "password"
      log.error(
        node.location,
        "\(quoted(missing)) is missing in \(Schema.email.path); a login needs both")
    }
    let authority = readAuthority(reader)
    guard let server = readServer(reader), let from, !to.isEmpty else { return nil }
    return .email(
      EmailChannel(
        from: from, to: to, host: server.host, port: server.port, security: server.security,
        username: username, password: password, certificateAuthority: authority,
        templates: templates))
  }

  private func readRecipients(_ reader: SectionReader) -> [String] {
    guard let node = reader.required("to", such: "to: [ops@example.com]") else { return [] }
    guard let items = node.items, !items.isEmpty else {
      reader.wrong("to", node, must: "a list of addresses such as [ops@example.com]")
      return []
    }
    return items.compactMap { item in
      guard let text = item.scalar?.text else {
        log.error(item.location, "\"to\" must hold addresses, not \(item.description)")
        return nil
      }
      guard let address = resolve(item)?.value else { return nil }
      checkMailbox(text == address ? text : address, at: item.location)
      return address
    }
  }

  /// An address without display name; line ends would add headers of somebody else's.
  private func checkMailbox(_ text: String, at location: SourceLocation) {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    let isPlain = text.unicodeScalars.allSatisfy {
      $0.value > 0x20 && $0.value != 0x7F && !"<>,;:\"\\()".unicodeScalars.contains($0)
    }
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, isPlain else {
      log.error(location, "\(quoted(text)) is not a mail address; write name@example.com")
      return
    }
  }

  private func readServer(
    _ reader: SectionReader
  ) -> (host: String, port: Int, security: EmailChannel.Security)? {
    guard let node = reader.required("smtp", such: "smtp: 'smtp://localhost:25'"),
      let text = resolve(node)
    else { return nil }
    let kinds: [(scheme: String, port: Int, security: EmailChannel.Security)] = [
      // Ports: RFC 5321 4.5.4.2, RFC 6409 3.1, RFC 8314 3.3.
      ("smtp", 25, .opportunistic), ("smtp+starttls", 587, .startTLS), ("smtps", 465, .implicitTLS),
    ]
    switch WebAddress.parse(text.value, schemes: kinds.map(\.scheme)) {
    case .failure(let fault):
      let shown = text.hasReference ? "" : " \(quoted(text.value))"
      log.error(node.location, "\"smtp\"\(shown) is not the address of a server: \(fault.advice)")
      return nil
    case .success(let address):
      guard address.userinfo == nil else {
        log.error(
          node.location,
          "\"smtp\" must not hold a login; write username and password: '${env:SMTP_PASSWORD}'")
        return nil
      }
      guard let kind = kinds.first(where: { $0.scheme == address.scheme }) else { return nil }
      return (address.host, address.port ?? kind.port, kind.security)
    }
  }

  private func readAuthority(_ reader: SectionReader) -> String? {
    guard let text = reader.word("certificate_authority") else { return nil }
    let path = Paths.join(directory, text)
    if case .failure(let failure) = loader.files.read(path, 4 << 20) {
      log.error(
        reader.location(of: "certificate_authority"), "\(printable(path)) \(failure.reason)")
    }
    return path
  }
}
