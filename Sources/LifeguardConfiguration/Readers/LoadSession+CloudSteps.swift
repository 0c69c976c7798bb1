import LifeguardCore

/// Steps that Amazon Web Services carry out.
extension LoadSession {
  /// `ssm:`: a document with parameters, or commands for `AWS-RunShellScript`.
  func readSSM(_ node: Node) -> Step? {
    guard let reader = SectionReader(node, Schema.ssmStep, log: log) else { return nil }
    guard reader.has("document") != reader.has("commands") else {
      log.error(
        node.location,
        reader.has("document")
          ? "a step has either \"document\" or \"commands\", not both"
          : "\"document\" is missing in \(Schema.ssmStep.path); write document:"
            + " Lifeguard-RestartService")
      return nil
    }
    var action = SSMAction(document: SSMAction.shellDocument)
    // Systems Manager itself waits for a command at most 48 h; nobody waits that long for a rung.
    action.timeout = reader.duration("timeout", maximum: .seconds(3600)) ?? action.timeout
    action.disruptive = reader.bool("disruptive") ?? true
    if let document = reader.word("document") {
      guard LoadSession.isDocumentName(document) else {
        log.error(
          reader.location(of: "document"),
          "\(quoted(document)) is not the name or ARN of a document")
        return nil
      }
      action.document = document
      for entry in reader.entries("parameters", of: "texts or lists of texts") {
        guard let values = readParameter(entry) else { continue }
        action.parameters[entry.key] = values
      }
      return .cloud(.ssm(action))
    }
    guard let commands = reader.strings("commands", of: "shell lines"), !commands.isEmpty else {
      log.error(reader.location(of: "commands"), "\"commands\" is empty; write one shell line")
      return nil
    }
    action.parameters = [
      "commands": commands, "executionTimeout": ["\(action.timeout.milliseconds / 1000)"],
    ]
    return .cloud(.ssm(action))
  }

  private func readParameter(_ entry: Node.Entry) -> [String]? {
    if let items = entry.value.items {
      let texts = items.compactMap { $0.scalar?.text }
      if texts.count == items.count { return texts }
    } else if let text = entry.value.scalar?.text, !entry.value.isNull {
      return [text]
    }
    log.error(
      entry.value.location,
      "parameter \(quoted(entry.key)) must be a text or a list of texts,"
        + " not \(entry.value.description)")
    return nil
  }

  /// Systems Manager: 3 to 128 of letters, digits and _ - . or an ARN.
  private static func isDocumentName(_ text: String) -> Bool {
    (3...256).contains(text.utf8.count)
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.:/".contains($0)) }
  }

  /// `ec2:`.
  func readEC2(_ node: Node) -> Step? {
    guard let reader = SectionReader(node, Schema.ec2Step, log: log),
      reader.required("action", such: "action: reboot") != nil,
      let verb = reader.choice("action", EC2Action.Verb.allCases.map { ($0.rawValue, $0) })
    else { return nil }
    var action = EC2Action(verb, force: reader.bool("force") ?? false)
    action.timeout = reader.duration("timeout", maximum: .seconds(840)) ?? action.timeout
    return .cloud(.ec2(action))
  }

  /// `autoscaling:`.
  func readAutoScaling(_ node: Node) -> Step? {
    guard let reader = SectionReader(node, Schema.autoscalingStep, log: log),
      reader.required("action", such: "action: mark_unhealthy") != nil,
      let verb = reader.choice(
        "action", AutoScalingAction.Verb.allCases.map { ($0.rawValue, $0) })
    else { return nil }
    var action = AutoScalingAction(verb, group: reader.word("group"))
    action.by = reader.integer("by", in: 1...100) ?? action.by
    action.minimum = reader.integer("minimum", in: 0...10_000)
    action.maximum = reader.integer("maximum", in: 0...10_000)
    action.minimumHealthy = reader.integer("minimum_healthy", in: 0...100) ?? action.minimumHealthy
    action.timeout = reader.duration("timeout", maximum: .seconds(840)) ?? action.timeout
    if let minimum = action.minimum, let maximum = action.maximum, minimum > maximum {
      log.error(
        reader.location(of: "minimum"),
        "\"minimum\" is \(minimum), more than \"maximum\", which is \(maximum)")
    }
    let bound = verb == .scaleOut ? "maximum" : "minimum"
    if verb == .scaleOut || verb == .scaleIn, !reader.has(bound) {
      log.error(
        node.location,
        "\(verb.rawValue) needs a bound; write \(bound): \(verb == .scaleOut ? 10 : 1)")
    }
    return .cloud(.autoScaling(action))
  }

  /// `lambda:`.
  func readLambda(_ node: Node) -> Step? {
    guard let reader = SectionReader(node, Schema.lambdaStep, log: log),
      reader.required("function", such: "function: drain-server") != nil,
      let function = reader.word("function")
    else { return nil }
    var action = LambdaAction(function: function)
    action.waits = reader.bool("wait") ?? action.waits
    action.timeout = reader.duration("timeout", maximum: .seconds(840)) ?? action.timeout
    action.disruptive = reader.bool("disruptive") ?? true
    return .cloud(.lambda(action))
  }
}
