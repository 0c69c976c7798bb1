import LifeguardCore

/// Posts alerts to Alertmanager's API, version 2.
///
/// An alert that fires must be posted again before its `endsAt`: see `AlertmanagerRefresh`.
struct AlertmanagerNotifier: Notifier {
  private let settings: AlertmanagerChannel
  private let post: HTTPPost

  init(_ settings: AlertmanagerChannel, post: HTTPPost) {
    self.settings = settings
    self.post = post
  }

  func send(_ message: OutgoingMessage, timeout: Duration) async throws(DeliveryError) -> String? {
    let body = AnnouncementText(message.announcement)
      .alertmanager(now: message.now, interval: message.interval)
    var base = settings.url.revealed
    while base.hasSuffix("/") { base.removeLast() }
    try await post.send(
      body.bytes(), to: Secret(base + "/api/v2/alerts"), receiver: "Alertmanager",
      timeout: timeout)
    return nil
  }
}
