import LifeguardCore

extension LoadSession {
  /// The signals that a step may send (signal(7)). STOP is not among them: it is a fault.
  private static let signals = [
    "HUP", "INT", "QUIT", "ABRT", "KILL", "USR1", "USR2", "ALRM", "TERM", "CONT", "WINCH",
  ]

  /// One rung: `restart: {}`, or the name alone for a step without settings.
  func readStep(_ node: Node) -> Step? {
    let names = Schema.step.keys
    if let scalar = node.scalar {
      let plain = Node.Entry(
        key: scalar.text, keyLocation: node.location,
        value: Node(value: .mapping([]), location: node.location))
      guard names.contains(scalar.text) else {
        log.error(
          node.location,
          "unknown step \(quoted(scalar.text))"
            + suggestion(for: scalar.text, among: names, listing: "there are"))
        return nil
      }
      return readStep(plain)
    }
    guard let entries = node.entries else {
      log.error(node.location, "a step must be a mapping such as {restart: {}}")
      return nil
    }
    guard entries.count == 1, let entry = entries.first else {
      let written = entries.map { printable($0.key) }.joined(separator: " and ")
      log.error(
        node.location,
        entries.isEmpty
          ? "an empty step; write one such as restart: {}"
          : "a step does one thing, not \(written); make a list entry of each")
      return nil
    }
    guard names.contains(entry.key) else {
      log.error(
        entry.keyLocation,
        "unknown step \(quoted(entry.key))"
          + suggestion(for: entry.key, among: names, listing: "there are"))
      return nil
    }
    return readStep(entry)
  }

  private func readStep(_ entry: Node.Entry) -> Step? {
    switch entry.key {
    case "run": return readRun(entry.value)
    case "signal": return readSignal(entry.value)
    case "http": return readHTTPStep(entry.value)
    case "ssm": return readSSM(entry.value)
    case "ec2": return readEC2(entry.value)
    case "autoscaling": return readAutoScaling(entry.value)
    case "lambda": return readLambda(entry.value)
    case "page": return readPage(entry.value)
    default: break
    }
    if !entry.value.isNull, entry.value.entries?.isEmpty != true {
      log.error(
        entry.value.location,
        "step \(quoted(entry.key)) takes no settings; write \(entry.key): {}")
    }
    switch entry.key {
    case "reload": return .reload
    case "nudge": return .nudge
    case "start": return .start
    case "stop": return .stop
    case "restart": return .restart
    default: return .stopCleanStart
    }
  }

  private func readRun(_ node: Node) -> Step? {
    guard let reader = SectionReader(node, Schema.run, log: log) else { return nil }
    guard reader.has("command") != reader.has("script") else {
      log.error(
        node.location,
        reader.has("script")
          ? "a step has either \"command\" or \"script\", not both"
          : "\"command\" is missing in \(Schema.run.path); write command: [/path/to/program]")
      return nil
    }
    var arguments = readCommand("command", reader, startsAnywhere: true) ?? []
    if let script = reader.word("script") {
      guard !script.contains("\n") else {
        log.error(
          reader.location(of: "script"),
          "\"script\" is the path of a file; write the text to a file and name it here")
        return nil
      }
      arguments = [program(script, at: reader.location(of: "script"))]
    }
    let command = Command(
      arguments: arguments, user: reader.word("user"),
      workingDirectory: readDirectory(reader), environment: readEnvironment(reader),
      timeout: reader.duration("timeout", maximum: .seconds(86_400)) ?? .seconds(60),
      disruptive: reader.bool("disruptive") ?? true)
    return arguments.isEmpty ? nil : .run(command)
  }

  func readDirectory(_ reader: SectionReader) -> String? {
    guard let directory = reader.word("working_directory") else { return nil }
    checkAbsolute(
      directory, key: "working_directory", at: reader.location(of: "working_directory"))
    return directory
  }

  /// `environment:`; references are replaced, so that a script can be given a token.
  func readEnvironment(_ reader: SectionReader) -> [String: String] {
    var environment: [String: String] = [:]
    for entry in reader.entries("environment", of: "texts") {
      guard !entry.key.isEmpty, !entry.key.contains("="), !entry.key.contains("\0") else {
        log.error(entry.keyLocation, "invalid variable name \(quoted(entry.key))")
        continue
      }
      guard entry.value.scalar != nil else {
        log.error(
          entry.value.location,
          "variable \(quoted(entry.key)) must be a text, not \(entry.value.description)")
        continue
      }
      if let text = resolve(entry.value) {
        environment[entry.key] = entry.value.isNull ? "" : text.value
      }
    }
    return environment
  }

  private func readSignal(_ node: Node) -> Step? {
    var value = node
    if node.entries != nil {
      guard let reader = SectionReader(node, Schema.signal, log: log) else { return nil }
      guard let name = reader.required("name", such: "name: HUP") else { return nil }
      value = name
    }
    let written = value.scalar?.text ?? ""
    let upper = written.uppercased()
    let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
    guard LoadSession.signals.contains(name) else {
      log.error(
        value.location,
        "unknown signal \(value.scalar == nil ? value.description : quoted(written))"
          + suggestion(for: name, among: LoadSession.signals, listing: "one of"))
      return nil
    }
    return .signal(name)
  }

  private func readHTTPStep(_ node: Node) -> Step? {
    guard let reader = SectionReader(node, Schema.httpStep, log: log) else { return nil }
    guard let urlNode = reader.required("url", such: "url: 'http://127.0.0.1:8080/drain'")
    else { return nil }
    var action = HTTPAction(url: "")
    if let url = resolve(urlNode) {
      action.url = url.value
      checkURL(url, key: "url", at: urlNode.location)
    }
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
    if let method = reader.choice("method", methods.map { ($0, $0) }) { action.method = method }
    for entry in reader.entries("headers", of: "texts") {
      guard let value = readHeader(entry) else { continue }
      action.headers[entry.key] = value.revealed
    }
    action.body = reader.string("body")
    action.timeout = reader.duration("timeout", maximum: .seconds(3600)) ?? action.timeout
    action.disruptive = reader.bool("disruptive") ?? true
    return .http(action)
  }

  private func readPage(_ node: Node) -> Step? {
    guard let reader = SectionReader(node, Schema.page, log: log) else { return nil }
    let receiver = reader.word("receiver")
    if let receiver { receiverUses.append((receiver, reader.location(of: "receiver"))) }
    return .page(receiver: receiver)
  }

  /// An HTTP address, whose text is shown only when no reference is in it.
  func checkURL(_ url: ResolvedText, key: String, at location: SourceLocation) {
    guard case .failure(let fault) = WebAddress.parse(url.value, schemes: ["http", "https"]) else {
      return
    }
    let shown = url.hasReference ? "" : " \(quoted(url.value))"
    log.error(location, "\(quoted(key))\(shown) is not a URL: \(fault.advice)")
  }

  /// A header; what carries a credential must be a reference.
  func readHeader(_ entry: Node.Entry) -> Secret? {
    let isToken = entry.key.unicodeScalars.allSatisfy { scalar in
      scalar.isASCII
        && (scalar.properties.isAlphabetic
          || "0123456789!#$%&'*+-.^_`|~".unicodeScalars
            .contains(scalar))
    }
    guard isToken, !entry.key.isEmpty else {
      log.error(entry.keyLocation, "invalid header name \(quoted(entry.key)) (RFC 9110, 5.1)")
      return nil
    }
    guard entry.value.scalar != nil, let text = resolve(entry.value) else {
      if entry.value.scalar == nil {
        log.error(entry.value.location, "header \(quoted(entry.key)) must be a text")
      }
      return nil
    }
    guard text.value.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
      log.error(entry.value.location, "header \(quoted(entry.key)) must be one line")
      return nil
    }
    let name = entry.key.lowercased()
    let isCredential = ["authorization", "token", "cookie", "secret", "key", "password"]
      .contains { name.range(ofText: $0) != nil }
    guard text.hasReference || !isCredential else {
      log.error(
        entry.value.location,
        "header \(quoted(entry.key)) must not stand in the file; write a reference such as"
          + " ${env:TOKEN} or ${file:/path}")
      return nil
    }
    return Secret(text.value)
  }
}
