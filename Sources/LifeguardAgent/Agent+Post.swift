import LifeguardConfiguration
import LifeguardCore
import LifeguardStore
import Logging

/// Messages on their way: from the durable outbox to the notifiers.
extension Agent {
  func enqueue(
    _ announcement: Announcement, receiver: String, at now: Moment
  ) throws -> [OutboxChange] {
    guard let channels = configuration.receivers[receiver]?.channels else { return [] }
    if channels.contains(where: { $0.name == "alertmanager" }) {
      refresh.announced(announcement, at: now)
    }
    return try post.add(
      announcement, receiver: receiver, channels: channels.map(\.name), at: now.wall)
  }

  var pendingMessages: Int { post.count }

  /// Sends what is due, for as long as the task lives.
  nonisolated func deliverMessages() async {
    await withDiscardingTaskGroup { senders in
      parts.mailbell.ring()
      while !Task.isCancelled {
        await parts.mailbell.wait()
        for delivery in await dueDeliveries() {
          senders.addTask { await self.send(delivery) }
        }
      }
    }
  }

  /// Retries have times of their own; a turn is fine enough for them.
  func ringForRetries(at now: Moment) {
    guard let due = post.wakeUp(at: now.wall), due <= now.wall else { return }
    parts.mailbell.ring()
  }

  private func dueDeliveries() -> [DeliveryQueue.Delivery] { post.next(at: parts.clock().wall) }

  /// Alertmanager forgets what is not repeated; a refresh that fails is followed by the next one,
  /// so it needs no place in the queue.
  nonisolated func refreshAlertmanagers() async {
    while !Task.isCancelled {
      // Cancellation ends the loop.
      try? await Task.sleep(for: .seconds(5))
      let (announcements, receivers) = await dueRefreshes()
      for announcement in announcements {
        for (notifier, key) in receivers {
          let message = OutgoingMessage(
            announcement, idempotencyKey: "\(announcement.id)/\(key)/refresh",
            now: parts.clock().wall)
          do throws(DeliveryError) {
            try await notifier.send(message, timeout: .seconds(10))
          } catch {
            logger.debug("Alertmanager not refreshed", error: error)
          }
        }
      }
    }
  }

  private func dueRefreshes() -> ([Announcement], [(any Notifier, String)]) {
    let announcements = refresh.due(at: parts.clock())
    guard !announcements.isEmpty else { return ([], []) }
    var receivers: [(any Notifier, String)] = []
    for (name, receiver) in configuration.receivers {
      for channel in receiver.channels where channel.name == "alertmanager" {
        guard let notifier = parts.notifiers.notifier(for: channel) else { continue }
        receivers.append((notifier, name))
      }
    }
    return (announcements, receivers)
  }

  private nonisolated func send(_ delivery: DeliveryQueue.Delivery) async {
    let message = OutgoingMessage(
      delivery.announcement, idempotencyKey: delivery.message.key, attempt: delivery.attempt,
      now: parts.clock().wall)
    guard let notifier = await notifier(of: delivery.message) else {
      await finish(
        delivery, DeliveryError(retryable: false, "its receiver is not configured any more"))
      return
    }
    do throws(DeliveryError) {
      try await notifier.send(message, timeout: .seconds(30))
      await finish(delivery, nil)
    } catch {
      await finish(delivery, error)
    }
  }

  private func notifier(of message: OutboxMessage) -> (any Notifier)? {
    guard let receiver = configuration.receivers[message.receiver] else { return nil }
    // `email-2` is the receiver's second channel of that name.
    let parts = message.channel.split(separator: "-")
    let place = parts.count == 2 ? (Int(parts[1]) ?? 1) - 1 : 0
    let named = receiver.channels.filter { $0.name == String(parts[0]) }
    guard named.indices.contains(place) else { return nil }
    return self.parts.notifiers.notifier(for: named[place])
  }

  private func finish(_ delivery: DeliveryQueue.Delivery, _ error: DeliveryError?) {
    var change = StateChange()
    change.outbox = post.finished(
      delivery, error: error, at: parts.clock().wall, jitter: .random(in: 0..<1))
    commit(change)
    parts.mailbell.ring()
    guard let error else {
      counters.delivered += 1
      return
    }
    counters.deliveryFailures += 1
    logger.warning(
      "Message not delivered",
      metadata: [
        "receiver.name": "\(delivery.message.receiver)",
        "receiver.channel": "\(delivery.message.channel)", "delivery.reason": "\(error.reason)",
        "delivery.attempt": "\(delivery.attempt)", "delivery.retried": "\(error.isRetryable)",
      ])
  }
}
