import LifeguardCore

extension LoadSession {
  /// `notify:`.
  func readNotify(_ node: Node) {
    guard let reader = SectionReader(node, Schema.notify, log: log) else { return }
    for entry in reader.entries("receivers", of: "receivers") {
      guard checkName(entry.key, of: "receiver", at: entry.keyLocation),
        let receiver = readReceiver(entry)
      else { continue }
      configuration.receivers[entry.key] = receiver
    }
    for item in reader.list("routes", of: "entries with matchers and to") {
      guard let route = readRoute(item) else { continue }
      configuration.routes.append(route)
    }
  }

  private func readRoute(_ node: Node) -> Route? {
    guard let reader = SectionReader(node, Schema.route, log: log) else { return nil }
    let matchers = readMatchers(reader)
    guard reader.required("to", such: "to: [log]") != nil else { return nil }
    let items = reader.list("to", of: "receivers")
    var receivers: [String] = []
    for item in items {
      guard let name = item.scalar?.text, !item.isNull else {
        log.error(item.location, "\"to\" must hold names of receivers, not \(item.description)")
        continue
      }
      receiverUses.append((name, item.location))
      receivers.append(name)
    }
    if items.isEmpty, reader["to"]?.items != nil {
      log.error(reader.location(of: "to"), "\"to\" is empty; write [log] to tell nobody else")
    }
    return Route(
      matchers: matchers, receivers: receivers,
      repeatInterval: reader.duration("repeat", minimum: .seconds(60)),
      continues: reader.bool("continue") ?? false, location: node.location)
  }

  private func readReceiver(_ entry: Node.Entry) -> Receiver? {
    guard let reader = SectionReader(entry.value, Schema.receiver, log: log) else { return nil }
    var channels: [Channel] = []
    let kinds = reader.written(Schema.receiver.keys.filter { $0 != "cap" })
    for kind in kinds {
      guard let channel = readChannel(kind, reader) else { continue }
      channels.append(channel)
    }
    if kinds.isEmpty {
      log.error(
        entry.value.location,
        "receiver \(quoted(entry.key)) reaches nobody; write one of"
          + " \(Schema.receiver.keys.dropLast().joined(separator: ", "))")
    }
    var receiver = Receiver(name: entry.key, channels: channels, location: entry.keyLocation)
    if let cap = reader.usageLimit("cap") { receiver.cap = cap }
    return receiver
  }

  private func readChannel(_ kind: String, _ reader: SectionReader) -> Channel? {
    let nothing = Node(value: .mapping([]), location: reader.location(of: kind))
    let node = reader[kind] ?? nothing
    switch kind {
    case "log":
      guard SectionReader(node, Schema.Section("notify.receivers.NAME.log"), log: log) != nil
      else { return nil }
      return .log
    case "webhook": return readWebhook(node)
    case "slack": return readSlack(node)
    case "email": return readEmail(node)
    case "alertmanager":
      guard let section = SectionReader(node, Schema.alertmanager, log: log),
        let url = readAddress("url", section, such: "url: 'http://127.0.0.1:9093'")
      else { return nil }
      return .alertmanager(AlertmanagerChannel(url: url))
    default: return readSNS(node)
    }
  }

  private func readTemplates(_ reader: SectionReader) -> MessageTemplates {
    var templates = MessageTemplates()
    if let node = reader["subject"] {
      templates.subject = readTemplate(node, key: "subject", variables: AnnouncementText.variables)
    }
    if let node = reader["text"] {
      templates.text = readTemplate(node, key: "text", variables: AnnouncementText.variables)
    }
    templates.prefix = reader.string("prefix")
    return templates
  }

  /// A URL that may hold a credential.
  func readAddress(
    _ key: String, _ reader: SectionReader, such example: String, mustRefer: Bool = false
  ) -> Secret? {
    guard let node = reader.required(key, such: example),
      let secret = secret(key, reader, mustRefer: mustRefer)
    else { return nil }
    let isReference = node.scalar?.text.range(ofText: "${") != nil
    checkURL(
      ResolvedText(value: secret.revealed, hasReference: isReference), key: key, at: node.location)
    if !isReference,
      case .success(let url) = WebAddress.parse(secret.revealed, schemes: ["http", "https"]),
      url.userinfo != nil
    {
      log.error(
        node.location, "\(quoted(key)) holds a password; write a reference such as ${env:URL}")
    }
    return secret
  }

  private func readWebhook(_ node: Node) -> Channel? {
    guard let reader = SectionReader(node, Schema.webhook, log: log) else { return nil }
    let url = readAddress("url", reader, such: "url: 'http://127.0.0.1:8080/'")
    var headers: [String: Secret] = [:]
    for entry in reader.entries("headers", of: "texts") { headers[entry.key] = readHeader(entry) }
    let templates = readTemplates(reader)
    guard let url else { return nil }
    return .webhook(WebhookChannel(url: url, headers: headers, templates: templates))
  }

  private func readSlack(_ node: Node) -> Channel? {
    guard let reader = SectionReader(node, Schema.slack, log: log) else { return nil }
    // Whoever knows the address of a Slack webhook can write to the channel.
    let written = reader["webhook"]?.scalar?.text.lowercased() ?? ""
    let isSlack = written.range(ofText: "hooks.slack") != nil
    let webhook = readAddress(
      "webhook", reader, such: "webhook: '${env:SLACK_WEBHOOK}'", mustRefer: isSlack)
    let templates = readTemplates(reader)
    guard let webhook else { return nil }
    return .slack(SlackChannel(webhook: webhook, templates: templates))
  }

  private func readSNS(_ node: Node) -> Channel? {
    guard let reader = SectionReader(node, Schema.sns, log: log) else { return nil }
    if !loader.supportsSNS {
      log.warning(
        node.location, "\"sns\" needs the AWS build; this one sends nothing to Amazon SNS")
    }
    let templates = readTemplates(reader)
    guard
      let topic = reader.required(
        "topic_arn", such: "topic_arn: 'arn:aws:sns:REGION:ACCOUNT:NAME'"),
      let arn = resolve(topic)?.value
    else { return nil }
    checkTopic(arn, at: topic.location)
    return .sns(SNSChannel(topicARN: arn, templates: templates))
  }

  private func checkTopic(_ arn: String, at location: SourceLocation) {
    guard !LoadSession.isTopic(arn) else { return }
    log.error(
      location,
      "\(quoted(arn)) is not the ARN of a topic; write arn:aws:sns:REGION:ACCOUNT:NAME")
  }

  /// `arn:partition:sns:region:account:name`.
  static func isTopic(_ arn: String) -> Bool {
    let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
    return parts.count == 6 && parts[0] == "arn" && parts[1].hasPrefix("aws") && parts[2] == "sns"
      && !parts[5].isEmpty
  }
}
