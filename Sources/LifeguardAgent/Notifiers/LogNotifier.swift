import LifeguardCore
import Logging

/// Writes one record a message into the agent's log, with all that the message says.
struct LogNotifier: Notifier {
  private let logger: Logger

  init(logger: Logger) {
    var logger = logger
    // Whoever names this receiver wants its messages, however quiet the agent's own log is.
    logger.logLevel = .notice
    self.logger = logger
  }

  func send(_ message: OutgoingMessage, timeout: Duration) async throws(DeliveryError) -> String? {
    let announcement = message.announcement
    let text = AnnouncementText(announcement)
    var metadata: Logger.Metadata = [
      "incident.id": "\(announcement.incident)", "announcement.kind": "\(announcement.kind)",
      "announcement.headline": "\(text.headline)",
      "announcement.severity": "\(TextEscape.line(announcement.severity))",
      "idempotency.key": "\(message.idempotencyKey)",
    ]
    if let target = announcement.target {
      metadata["announcement.target"] = "\(TextEscape.line(target))"
    }
    if announcement.suppressed > 0 {
      metadata["announcement.suppressed"] = "\(announcement.suppressed)"
    }
    for (name, lines) in text.paragraphs {
      let key = String(name.lowercased().map { $0 == " " ? "_" : $0 })
      metadata["announcement.\(key)"] = "\(lines.joined(separator: "; "))"
    }
    logger.notice("Announcement", metadata: metadata)
    return nil
  }
}
