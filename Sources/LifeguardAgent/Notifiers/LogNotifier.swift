import LifeguardCore
import Logging

/// Writes one record a message into the agent's log.
struct LogNotifier: Notifier {
  private let logger: Logger

  init(logger: Logger) {
    self.logger = logger
  }

  func send(_ message: OutgoingMessage, timeout: Duration) async throws(DeliveryError) {
    let announcement = message.announcement
    let text = AnnouncementText(announcement)
    logger.notice(
      "Announcement",
      metadata: [
        "incident.id": "\(announcement.incident)", "announcement.kind": "\(announcement.kind)",
        "announcement.headline": "\(text.headline)",
        "what": "\(TextEscape.line(announcement.whatHappened))",
        "result": "\(TextEscape.line(announcement.result ?? ""))",
        "next": "\(TextEscape.line(announcement.next ?? ""))",
        "idempotency.key": "\(message.idempotencyKey)",
      ])
  }
}
