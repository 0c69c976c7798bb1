import LifeguardCore

extension SNSMessage {
  /// An announcement for the subscribers of a topic, each protocol in its own form.
  ///
  /// | protocol | gets |
  /// | --- | --- |
  /// | email and all others | the text |
  /// | sms | the headline |
  /// | https | what AWS Chatbot shows in Slack and Teams, with the facts beside it |
  /// | http | the webhook's JSON |
  ///
  /// Attributes let subscriptions filter: `severity`, `kind`, `host`, `target`, `alertname`.
  ///
  /// - Parameter idempotencyKey: the same for every try; FIFO topics deliver it once.
  public init(
    _ announcement: Announcement, channel: SNSChannel, idempotencyKey: String
  ) {
    let text = AnnouncementText(announcement, templates: channel.templates)
    let plain = Self.cut(text.plain, to: Self.textMax)
    self.init(topic: channel.topicARN, message: plain, subject: text.subject)
    let facts = [
      "severity": announcement.severity, "kind": announcement.kind.rawValue,
      "host": announcement.host, "target": announcement.target ?? "",
      "alertname": announcement.alerts.first?.name ?? "",
    ]
    // An attribute without a value is refused, and the message with it.
    attributes = facts.filter { !$0.value.isEmpty }.mapValues { Self.cut($0, to: 256) }
    perProtocol = [
      "http": text.webhook.text(), "https": Self.chat(announcement, text, plain).text(),
      "sms": Self.cut(text.headline, to: Self.smsMax),
    ]
    // Rather the text alone than no message.
    if SNS.bytes(of: self) > SNS.messageBytesMax { perProtocol = [:] }
    if channel.topicARN.hasSuffix(".fifo") {
      groupID = "\(announcement.host)-\(announcement.incident)"
      deduplicationID = idempotencyKey
    }
  }

  /// Longer texts are read by nobody.
  private static let textMax = 60_000
  /// What fits into one message to a telephone.
  private static let smsMax = 140
  /// Of a custom notification (docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html).
  private static let chatTextMax = 8000
  private static let chatTitleMax = 250

  private static func chat(
    _ announcement: Announcement, _ text: AnnouncementText, _ plain: String
  ) -> JSON {
    [
      "version": "1.0", "source": "custom",
      "content": [
        "textType": "client-markdown", "title": .string(cut(text.headline, to: chatTitleMax)),
        "description": .string("```\n" + cut(plain, to: chatTextMax - 8) + "\n```"),
      ],
      "metadata": [
        "threadId": .string("lifeguard-\(announcement.host)-\(announcement.incident)"),
        "summary": .string(cut(text.headline, to: chatTitleMax)),
        "additionalContext": .object(context(announcement)),
      ],
    ]
  }

  /// For programs: what happened, of what, and with which value.
  private static func context(_ announcement: Announcement) -> JSONObject {
    var context = JSONObject([
      ("severity", .string(announcement.severity)),
      ("kind", .string(announcement.kind.rawValue)),
      ("incident", .string("\(announcement.incident)")), ("host", .string(announcement.host)),
    ])
    context["target"] = announcement.target.map(JSON.string)
    guard let alert = announcement.alerts.first else { return context }
    context["alertname"] = .string(alert.name)
    context["value"] = .string("\(alert.value)")
    for label in alert.labels where context["label.\(label.name)"] == nil {
      context["label.\(label.name)"] = .string(cut(label.value, to: 256))
    }
    return context
  }

  /// The start of a text; no character is cut in two.
  static func cut(_ text: String, to bytesMax: Int) -> String {
    guard text.utf8.count > bytesMax else { return text }
    var end = text.utf8.index(text.utf8.startIndex, offsetBy: bytesMax)
    while end > text.startIndex, text.utf8[end] & 0xC0 == 0x80 {
      end = text.utf8.index(before: end)
    }
    return String(text[..<end])
  }
}
