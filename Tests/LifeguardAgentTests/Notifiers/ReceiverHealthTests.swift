import LifeguardCore
import LifeguardStore
import Testing

@testable import LifeguardAgent

@Suite struct ReceiverHealthTests {
  private let slack = DeliveryQueue.Lane(
    of: OutboxMessage(
      key: "1", receiver: "ops", channel: "slack", incident: "1", payload: "",
      nextAttempt: Timestamp(seconds: 0)))
  private let busy = DeliveryError(retryable: true, "Slack answered 503")
  private let refused = DeliveryError(retryable: false, "Slack answered 400")

  @Test func `one failure is an accident, three are a problem, told once and ended once`() {
    var health = ReceiverHealth()
    #expect(health.failed(slack, busy, attempt: 1) == nil)
    #expect(health.failed(slack, busy, attempt: 2) == nil)
    #expect(health.sentences.isEmpty)
    let problem = health.failed(slack, busy, attempt: 3)
    #expect(problem?.name == "LifeguardReceiverFailing" && problem?.isActive == true)
    #expect(problem?.labels["receiver"] == "ops" && problem?.labels["channel"] == "slack")
    #expect(
      health.sentences == ["messages to ops by slack do not arrive: Slack answered 503"])
    #expect(health.failed(slack, busy, attempt: 4) == nil)
    #expect(health.delivered(slack, leftOut: nil)?.isActive == false)
    #expect(health.delivered(slack, leftOut: nil) == nil)
    #expect(health.sentences.isEmpty)
  }

  @Test func `an accident that passes is nobody's business`() {
    var health = ReceiverHealth()
    #expect(health.failed(slack, busy, attempt: 1) == nil)
    #expect(health.delivered(slack, leftOut: nil) == nil)
  }

  @Test func `what is refused for good, or failed before a restart, is a problem at once`() {
    var health = ReceiverHealth()
    #expect(health.failed(slack, refused, attempt: 1)?.isActive == true)
    var revived = ReceiverHealth()
    #expect(revived.failed(slack, busy, attempt: 9)?.isActive == true)
  }

  @Test func `a recipient that is left out is a problem until nobody is`() {
    var health = ReceiverHealth()
    #expect(health.delivered(slack, leftOut: "the mail server refuses b")?.isActive == true)
    #expect(health.delivered(slack, leftOut: "the mail server refuses b") == nil)
    #expect(health.delivered(slack, leftOut: nil)?.isActive == false)
  }

  @Test func `a channel that is not configured any more is no problem`() {
    var health = ReceiverHealth()
    _ = health.failed(slack, refused, attempt: 1)
    #expect(health.keep { _ in true }.isEmpty)
    #expect(health.keep { _ in false }.map(\.isActive) == [false])
    #expect(health.sentences.isEmpty)
  }
}
