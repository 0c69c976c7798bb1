import LifeguardCore

/// Posts to a Slack incoming webhook.
///
/// Such a webhook can neither edit nor answer a message (it tells no identifier), so updates are
/// new messages that name the same incident.
struct SlackNotifier: Notifier {
  private let settings: SlackChannel
  private let post: HTTPPost

  init(_ settings: SlackChannel, post: HTTPPost) {
    self.settings = settings
    self.post = post
  }

  func send(_ message: OutgoingMessage, timeout: Duration) async throws(DeliveryError) -> String? {
    let text = AnnouncementText(message.announcement, templates: settings.templates)
    try await post.send(
      text.slack.bytes(), to: settings.webhook, receiver: "Slack", timeout: timeout)
    return nil
  }
}
