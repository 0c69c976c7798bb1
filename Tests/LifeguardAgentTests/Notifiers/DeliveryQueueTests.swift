import LifeguardCore
import LifeguardStore
import Testing

@testable import LifeguardAgent

private func time(_ seconds: Double) -> Timestamp { Timestamp(seconds: 1_700_000_000 + seconds) }

func announcement(
  _ sequence: Int = 1, _ kind: Announcement.Kind = .opened, incident: Int = 17
) -> Announcement {
  Announcement(
    incident: incident, sequence: sequence, kind: kind, severity: "critical",
    title: "web is down", host: "web-01", target: "service:web",
    alerts: [
      AnnouncedAlert(
        name: "ServiceDown",
        labels: ["alertname": "ServiceDown", "service": "web", "severity": "critical"],
        annotations: ["summary": "web does not answer"], value: 0,
        condition: "lifeguard_service_up < 1", startsAt: time(0),
        endsAt: kind.isFinal ? time(30) : nil)
    ],
    since: time(0), whatHappened: "the probe of web failed 3 times",
    tried: [AnnouncedAttempt(at: time(10), rung: 1, step: "restart", outcome: "exited 0")],
    result: "pending", next: "restart web in 42s", mode: .auto, at: time(Double(sequence)))
}

@Suite struct DeliveryQueueTests {
  private let failure = DeliveryError(retryable: true, "down")

  @Test func `a lane sends in order and one at a time, lanes do not wait for each other`() throws {
    var queue = DeliveryQueue()
    _ = try queue.add(announcement(1), receiver: "ops", channels: ["slack", "email"], at: time(0))
    _ = try queue.add(announcement(2), receiver: "ops", channels: ["slack", "email"], at: time(0))
    let first = queue.next(at: time(0))
    #expect(first.map(\.message.channel) == ["email", "slack"])
    #expect(first.allSatisfy { $0.announcement.sequence == 1 })
    #expect(queue.next(at: time(0)).isEmpty)
    let changes = queue.finished(first[1], error: nil, at: time(1), jitter: 0.5)
    #expect(changes == [.remove(key: first[1].message.key)])
    let second = queue.next(at: time(1))
    #expect(second.map(\.announcement.sequence) == [2])
    #expect(second.map(\.message.channel) == ["slack"])
  }

  @Test func `pauses grow to a limit, the key stays`() throws {
    var queue = DeliveryQueue()
    _ = try queue.add(announcement(), receiver: "ops", channels: ["slack"], at: time(0))
    var now = time(1)
    var pauses: [Double] = []
    var keys: Set<String> = []
    for attempt in 1...12 {
      let delivery = try #require(queue.next(at: now).first)
      #expect(delivery.attempt == attempt)
      keys.insert(delivery.message.key)
      _ = queue.finished(delivery, error: failure, at: now, jitter: 0.5)
      #expect(queue.next(at: now).isEmpty)
      let next = try #require(queue.wakeUp(at: now))
      pauses.append((next - now).seconds)
      now = next
    }
    #expect(pauses == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600, 600, 600])
    #expect(keys.count == 1)
  }

  @Test(arguments: [(0.0, 4.0), (1.0, 6.0), (0.5, 5.0)])
  func `jitter spreads a pause by a fifth`(_ jitter: Double, _ expected: Double) throws {
    var queue = DeliveryQueue()
    _ = try queue.add(announcement(), receiver: "ops", channels: ["slack"], at: time(0))
    let delivery = try #require(queue.next(at: time(0)).first)
    _ = queue.finished(delivery, error: failure, at: time(0), jitter: jitter)
    #expect(queue.wakeUp(at: time(0)) == time(expected))
  }

  @Test func `a receiver that asks for a pause gets it`() throws {
    var queue = DeliveryQueue()
    _ = try queue.add(announcement(), receiver: "ops", channels: ["slack"], at: time(0))
    let delivery = try #require(queue.next(at: time(0)).first)
    let error = DeliveryError(retryable: true, after: .seconds(77), "429")
    _ = queue.finished(delivery, error: error, at: time(0), jitter: 0.5)
    #expect(queue.wakeUp(at: time(0)) == time(77))
  }

  @Test func `what can never succeed, or is a day old, is given up and kept for people to see`()
    throws
  {
    var queue = DeliveryQueue()
    _ = try queue.add(announcement(1), receiver: "ops", channels: ["slack"], at: time(0))
    let first = try #require(queue.next(at: time(0)).first)
    let permanent = DeliveryError(retryable: false, "no such user")
    guard
      case .put(let message)? = queue.finished(first, error: permanent, at: time(0), jitter: 0)
        .first
    else {
      Issue.record("expected a change")
      return
    }
    #expect(message.state == .abandoned && message.attempts == 1)
    #expect(queue.count == 0)
    _ = try queue.add(announcement(2), receiver: "ops", channels: ["slack"], at: time(0))
    let old = try #require(queue.next(at: time(0)).first)
    guard
      case .put(let late)? = queue.finished(old, error: failure, at: time(86_403), jitter: 0).first
    else {
      Issue.record("expected a change")
      return
    }
    #expect(late.state == .abandoned)
  }

  @Test func `after a restart everything is sent in order with its key, in-flight included`() throws
  {
    var queue = DeliveryQueue()
    var stored: [String: OutboxMessage] = [:]
    for sequence in [1, 2, 10, 9] {
      for change in try queue.add(
        announcement(sequence), receiver: "ops", channels: ["slack"], at: time(0))
      {
        if case .put(let message) = change { stored[message.key] = message }
      }
    }
    let inFlight = try #require(queue.next(at: time(0)).first)
    stored["broken"] = OutboxMessage(
      key: "broken", receiver: "ops", channel: "slack", incident: "1", payload: "{",
      nextAttempt: time(0))
    var revived = DeliveryQueue()
    let changes = revived.restore(Array(stored.values), at: time(5))
    #expect(changes.count == 1)
    var order: [Int] = []
    while let delivery = revived.next(at: time(5)).first {
      if order.isEmpty { #expect(delivery.message.key == inFlight.message.key) }
      order.append(delivery.announcement.sequence)
      _ = revived.finished(delivery, error: nil, at: time(5), jitter: 0)
    }
    #expect(order == [1, 2, 9, 10])
  }

  @Test func `the same announcement twice is one message`() throws {
    var queue = DeliveryQueue()
    #expect(try queue.add(announcement(), receiver: "a", channels: ["log"], at: time(0)).count == 1)
    #expect(try queue.add(announcement(), receiver: "a", channels: ["log"], at: time(0)).isEmpty)
    #expect(
      try queue.add(announcement(), receiver: "b", channels: ["webhook", "webhook"], at: time(0))
        .count == 2)
  }

  @Test func `a wall clock that was set back holds nothing up`() throws {
    var queue = DeliveryQueue()
    _ = try queue.add(announcement(), receiver: "ops", channels: ["slack"], at: time(1_000_000))
    #expect(queue.next(at: time(0)).count == 1)
  }

  @Test func `a lane has a limit, and pages are the last to go`() throws {
    var policy = DeliveryQueue.Policy()
    policy.waitingMax = 3
    var queue = DeliveryQueue(policy: policy)
    _ = try queue.add(announcement(1), receiver: "ops", channels: ["slack"], at: time(0))
    _ = try queue.add(
      announcement(2, .escalated), receiver: "ops", channels: ["slack"], at: time(0))
    _ = try queue.add(announcement(3), receiver: "ops", channels: ["slack"], at: time(0))
    let changes = try queue.add(announcement(4), receiver: "ops", channels: ["slack"], at: time(0))
    #expect(changes.count == 2)
    guard case .put(let given)? = changes.last else {
      Issue.record("expected a change")
      return
    }
    #expect(given.state == .abandoned && given.key.contains("-3/"))
    #expect(queue.count == 3)
  }

  @Test func `a reload tries what waits at once`() throws {
    var queue = DeliveryQueue()
    _ = try queue.add(announcement(1), receiver: "ops", channels: ["slack"], at: time(0))
    let delivery = try #require(queue.next(at: time(0)).first)
    _ = queue.finished(delivery, error: failure, at: time(0), jitter: 0.5)
    #expect(queue.next(at: time(1)).isEmpty)
    queue.hurry(at: time(1))
    #expect(queue.next(at: time(1)).map(\.attempt) == [2])
  }
}
