import LifeguardAWS
import LifeguardCore

/// Publishes to an Amazon SNS topic.
struct SNSNotifier: Notifier {
  private let settings: SNSChannel
  private let client: AWSClient

  init(_ settings: SNSChannel, client: AWSClient) {
    self.settings = settings
    self.client = client
  }

  func send(_ message: OutgoingMessage, timeout: Duration) async throws(DeliveryError) -> String? {
    let outgoing = SNSMessage(
      message.announcement, channel: settings, idempotencyKey: message.idempotencyKey)
    do {
      _ = try await client.within(timeout).sns.publish(outgoing)
      return nil
    } catch {
      // Missing permissions and wrong keys are mended while the message waits.
      let isMended = [.accessDenied, .badCredentials, .noCredentials, .clockSkew]
        .contains(error.kind)
      throw DeliveryError(
        retryable: error.isRetryable || isMended, TextEscape.line("\(error)"))
    }
  }
}
