import LifeguardCore
import Testing

@testable import LifeguardAWS

@Suite struct `announcements for topics` {
  private func announcement(_ title: String = "web is down") -> Announcement {
    let at = Timestamp(milliseconds: 1_795_420_800_000)
    return Announcement(
      incident: 17, sequence: 1, kind: .opened, severity: "critical", title: title,
      host: "web-01", target: nil,
      alerts: [
        AnnouncedAlert(
          name: "ServiceDown", labels: ["alertname": "ServiceDown"], annotations: [:], value: 0,
          condition: "lifeguard_service_up < 1", startsAt: at, endsAt: nil)
      ],
      since: at, whatHappened: "the probe of web failed 3 times", tried: [], result: nil,
      next: nil, mode: .auto, at: at)
  }

  private func message(_ announcement: Announcement, topic: String = "alerts") -> SNSMessage {
    SNSMessage(
      announcement, channel: SNSChannel(topicARN: "arn:aws:sns:eu-west-1:123456789012:\(topic)"),
      idempotencyKey: "key-1")
  }

  @Test func `every protocol gets its own form`() throws {
    let message = message(announcement())
    #expect(message.message.contains("the probe of web failed 3 times"))
    #expect(message.subject?.contains("web is down") == true)
    #expect(try JSON.parse(try #require(message.perProtocol["http"])).object != nil)
    let chat = try JSON.parse(try #require(message.perProtocol["https"]))
    #expect(chat["version"] == "1.0")
    #expect(chat["source"] == "custom")
    #expect(chat["content"]?["description"]?.string?.contains("3 times") == true)
    let context = chat["metadata"]?["additionalContext"]
    #expect(context?["value"] == "0.0")
    #expect(context?["label.alertname"] == "ServiceDown")
    #expect(context?["host"] == "web-01")
    #expect(message.perProtocol["sms"]?.contains("web is down") == true)
    #expect(message.perProtocol["sms"]?.contains("\n") == false)
    #expect(message.deduplicationID == nil)
  }

  @Test func `subscriptions can filter, and nothing empty is sent`() {
    #expect(
      message(announcement()).attributes == [
        "severity": "critical", "kind": "opened", "host": "web-01", "alertname": "ServiceDown",
      ])
  }

  @Test func `a queue in order gets each message once`() {
    let message = message(announcement(), topic: "alerts.fifo")
    #expect(message.groupID == "web-01-17")
    #expect(message.deduplicationID == "key-1")
  }

  @Test func `a message that is too long is cut until it can be sent`() async throws {
    let long = message(announcement(String(repeating: "é\"", count: 200_000)))
    let transport = ScriptedTransport([
      AWSResponse.text(
        200,
        "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"
      )
    ])
    let id = try await AWSClient.scripted(transport).sns.publish(long)
    #expect(id == "m")
    #expect(long.message.utf8.count <= 60_000)
    #expect(!long.message.contains("\u{FFFD}"))
    // Lines and quotes count double where they are escaped, up to the last byte that is taken.
    for count in stride(from: 20_000, through: 66_000, by: 5000) {
      let message = message(announcement(String(repeating: "\"\\", count: count)))
      #expect(SNS.bytes(of: message) <= SNS.messageBytesMax, "\(count)")
    }
  }
}
