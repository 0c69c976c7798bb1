import LifeguardCore

/// POSTs an announcement as JSON, with its key in the header `Idempotency-Key`
/// (draft-ietf-httpapi-idempotency-key-header).
struct WebhookNotifier: Notifier {
  private let settings: WebhookChannel
  private let post: HTTPPost

  init(_ settings: WebhookChannel, post: HTTPPost) {
    self.settings = settings
    self.post = post
  }

  func send(_ message: OutgoingMessage, timeout: Duration) async throws(DeliveryError) -> String? {
    let text = AnnouncementText(message.announcement, templates: settings.templates)
    var headers = settings.headers.map { ($0.key, $0.value.revealed) }
    headers.append(("Idempotency-Key", "\"\(message.idempotencyKey)\""))
    try await post.send(
      text.webhook.bytes(), to: settings.url, headers: headers, receiver: "the webhook",
      timeout: timeout)
    return nil
  }
}
