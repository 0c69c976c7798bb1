import LifeguardAWS
import LifeguardCore

/// Delivers messages: to a topic, a webhook, Slack, or the log.
struct Messenger: Sendable {
  enum Delivery: Hashable, Sendable {
    case delivered
    /// The same may succeed later.
    case failed(String)
    /// It never will.
    case refused(String)
  }

  let client: AWSClient
  let transport: any AWSTransport
  let receivers: [String: Receiver]
  let log: RuntimeLog

  /// Kinds of channels that only the agent has.
  static func isSupported(_ channel: Channel) -> Bool {
    switch channel {
    case .log, .sns, .webhook, .slack: true
    case .email, .alertmanager: false
    }
  }

  func send(
    _ announcement: Announcement, to receiver: String, within limit: Duration
  ) async -> Delivery {
    guard let receiver = receivers[receiver] else {
      return .refused("there is no receiver \(receiver) any more")
    }
    var worst = Delivery.delivered
    for channel in receiver.channels {
      let delivery = await send(announcement, by: channel, within: limit)
      if case .failed = delivery { worst = delivery }
      if case .refused = delivery, worst == .delivered { worst = delivery }
    }
    return worst
  }

  private func send(
    _ announcement: Announcement, by channel: Channel, within limit: Duration
  ) async -> Delivery {
    switch channel {
    case .log:
      log.info(
        "Notification",
        [
          ("kind", .string(announcement.kind.rawValue)),
          ("title", .string(announcement.title)), ("what", .string(announcement.whatHappened)),
        ])
      return .delivered
    case .sns(let channel): return await publish(announcement, channel, within: limit)
    case .webhook(let channel):
      let text = AnnouncementText(announcement, templates: channel.templates)
      return await post(
        text.webhook, to: channel.url, headers: channel.headers, announcement.id, within: limit)
    case .slack(let channel):
      let text = AnnouncementText(announcement, templates: channel.templates)
      return await post(
        text.slack, to: channel.webhook, headers: [:], announcement.id, within: limit)
    case .email, .alertmanager:
      return .refused("\(channel.name) is not served by the function; use sns")
    }
  }

  private func publish(
    _ announcement: Announcement, _ channel: SNSChannel, within limit: Duration
  ) async -> Delivery {
    let message = SNSMessage(
      announcement, channel: channel, idempotencyKey: announcement.id)
    do throws(AWSError) {
      _ = try await client.within(limit).sns.publish(message)
      return .delivered
    } catch {
      return error.isRetryable || error.kind == .accessDenied
        ? .failed("\(error)") : .refused("\(error)")
    }
  }

  private func post(
    _ body: JSON, to url: Secret, headers: [String: Secret], _ id: String, within limit: Duration
  ) async -> Delivery {
    guard let address = AWSURL(url.revealed) else {
      return .refused("the receiver's url is not one")
    }
    var fields = [
      AWSHeader("Content-Type", "application/json"), AWSHeader("User-Agent", "lifeguard"),
      AWSHeader("Idempotency-Key", id),
    ]
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
      fields.append(AWSHeader(name, value.revealed))
    }
    let request = AWSRequest("POST", address, headers: fields, body: body.bytes())
    do throws(AWSTransportError) {
      let status = try await transport.send(request, timeout: limit).status
      if (200..<300).contains(status) { return .delivered }
      let isLater = status >= 500 || [408, 425, 429].contains(status)
      return isLater ? .failed("it answered \(status)") : .refused("it answered \(status)")
    } catch {
      return .failed(error.reason)
    }
  }
}
