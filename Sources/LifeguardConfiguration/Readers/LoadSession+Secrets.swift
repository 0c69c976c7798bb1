import LifeguardCore

extension LoadSession {
  /// A text with its references replaced.
  struct ResolvedText {
    var value: String
    /// Whether any part came from a reference, and must not be shown.
    var hasReference: Bool
  }

  private static let kinds = ["env", "file", "ssm", "secretsmanager"]

  /// Replaces `${env:NAME}`, `${file:/path}`, `${ssm:/name}` and `${secretsmanager:name}`; nil
  /// when one of them leads nowhere, which is reported.
  func resolve(_ node: Node) -> ResolvedText? {
    guard let scalar = node.scalar else { return nil }
    var result = ""
    var rest = Substring(scalar.text)
    var hasReference = false
    var isWhole = true
    while let open = rest.range(ofText: "${") {
      result += rest[..<open.lowerBound]
      let body = rest[open.upperBound...]
      let offset = scalar.text.utf8.distance(from: scalar.text.startIndex, to: open.lowerBound)
      let location = log.isFull ? node.location : scalar.location(utf8Offset: offset)
      guard let end = body.firstIndex(of: "}") else {
        log.error(location, "the reference is not closed; write ${env:NAME}")
        return nil
      }
      hasReference = true
      if let value = fetch(String(body[..<end]), at: location) {
        result += value
      } else {
        isWhole = false
      }
      rest = body[body.index(after: end)...]
    }
    guard isWhole else { return nil }
    return ResolvedText(value: result + rest, hasReference: hasReference)
  }

  private func fetch(_ reference: String, at location: SourceLocation) -> String? {
    let parts = reference.split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2, LoadSession.kinds.contains(parts[0]) else {
      let kind = parts.first ?? ""
      let near = nearest(to: kind, among: LoadSession.kinds)
      log.error(
        location,
        "unknown reference \(quoted("${\(reference)}"))"
          + (near.map { "; did you mean \(quoted("${\($0):…}"))?" }
            ?? "; write ${env:NAME} or ${file:/path}"))
      return nil
    }
    switch parts[0] {
    case "env": return variable(parts[1], at: location)
    case "file": return secretFile(parts[1], at: location)
    case "ssm": return remote(.parameter(parts[1]), reference, at: location)
    default: return remote(.secret(parts[1]), reference, at: location)
    }
  }

  private func variable(_ name: String, at location: SourceLocation) -> String? {
    guard let value = loader.environment(name), !value.isEmpty else {
      log.error(
        location,
        "environment variable \(quoted(name)) is not set; set it where lifeguard is started, or"
          + " use ${file:/path}")
      return nil
    }
    return value
  }

  private func secretFile(_ text: String, at location: SourceLocation) -> String? {
    let path = Paths.join(directory, text)
    switch loader.files.read(path, 65_536) {
    case .failure(let failure):
      log.error(location, "secret file \(printable(path)) \(failure.reason)")
      return nil
    case .success(let bytes):
      let value = String(decoding: bytes, as: UTF8.self).trimmed
      guard !value.isEmpty else {
        log.error(location, "secret file \(printable(path)) is empty")
        return nil
      }
      if let status = loader.files.status(path), status.mode & 0o004 != 0 {
        log.warning(
          location,
          "secret file \(printable(path)) can be read by everybody (mode \(status.octalMode));"
            + " type: chmod 600 \(printable(path))")
      }
      return value
    }
  }

  private func remote(
    _ secret: RemoteSecret, _ reference: String, at location: SourceLocation
  ) -> String? {
    guard let fetch = loader.remoteSecret else {
      log.error(
        location,
        "\(quoted("${\(reference)}")) needs the AWS build; this one knows ${env:NAME} and"
          + " ${file:/path}")
      return nil
    }
    switch fetch(secret) {
    case .success(let value): return value
    case .failure(let failure):
      log.error(location, "\(quoted("${\(reference)}")) \(failure.reason)")
      return nil
    }
  }

  /// Reports a reference where none is replaced, so that nobody sends `${env:X}` as it stands.
  func refuseReference(_ node: Node) {
    guard let scalar = node.scalar else { return }
    for kind in LoadSession.kinds where scalar.text.range(ofText: "${\(kind):") != nil {
      log.error(
        node.location,
        "${\(kind):…} is not replaced here; references stand under notify, in external_labels,"
          + " and in the environment and headers of a step")
      return
    }
  }

  /// A secret of a receiver: a whole reference, or a text with references in it.
  ///
  /// - Parameter mustRefer: Whether a plain text is refused: secrets do not belong into files that
  ///   are copied, compared and committed.
  func secret(_ key: String, _ reader: SectionReader, mustRefer: Bool) -> Secret? {
    guard let node = reader[key] else { return nil }
    guard node.scalar != nil else {
      reader.wrong(key, node, must: "a text")
      return nil
    }
    guard let text = resolve(node) else { return nil }
    guard text.hasReference || !mustRefer else {
      log.error(
        node.location,
        "\(quoted(key)) must not stand in the file; write a reference such as"
          + " ${env:\(key.uppercased())} or ${file:/path}")
      return nil
    }
    return Secret(text.value)
  }
}
