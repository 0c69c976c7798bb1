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
      refresh.posted(announcement, to: receiver, at: now)
    }
    let changes = try post.add(
      announcement, receiver: receiver, channels: channels.map(\.name), at: now.wall)
    counters.count(changes)
    return changes
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

  /// Posts what the Alertmanagers must hear of; one that fails is followed by the next, so it needs
  /// no place in the queue.
  func refreshAlertmanagers(at now: Moment) {
    let receivers = configuration.receivers.filter { _, receiver in
      receiver.channels.contains { $0.name == "alertmanager" }
    }
    guard !receivers.isEmpty || !refresh.isEmpty else { return }
    let monitor = turn.monitor
    let told = monitor.state.openIncidents.flatMap { incident in
      receivers.keys.sorted().filter { incident.told[$0].map { !$0.kind.isFinal } ?? false }.map {
        AlertmanagerRefresh.Told(
          receiver: $0, incident: incident.id,
          alerts: incident.alerts.filter { monitor.state.tracker.alerts[$0] != nil }.map(\.labels))
      }
    }
    let posts = refresh.due(told, receivers: Set(receivers.keys), at: now) {
      monitor.standing($0, at: now)
    }
    for post in posts { workQueue.yield(.refresh(post)) }
  }

  nonisolated func carryOut(_ post: AlertmanagerRefresh.Post) async {
    let message = OutgoingMessage(
      post.announcement, idempotencyKey: "\(post.announcement.id)/\(post.receiver)/refresh",
      now: parts.clock().wall)
    for notifier in await alertmanagers(of: post.receiver) {
      do throws(DeliveryError) {
        _ = try await notifier.send(message, timeout: .seconds(10))
      } catch {
        logger.debug("Alertmanager not refreshed", error: error)
      }
    }
  }

  private func alertmanagers(of receiver: String) -> [any Notifier] {
    let channels = configuration.receivers[receiver]?.channels ?? []
    return channels.filter { $0.name == "alertmanager" }.compactMap(parts.notifiers.notifier)
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
      await finish(delivery, nil, leftOut: try await notifier.send(message, timeout: .seconds(30)))
    } catch {
      await finish(delivery, error)
    }
  }

  private func notifier(of message: OutboxMessage) -> (any Notifier)? {
    channel(DeliveryQueue.Lane(of: message)).flatMap(parts.notifiers.notifier)
  }

  private func channel(_ lane: DeliveryQueue.Lane) -> LifeguardCore.Channel? {
    guard let receiver = configuration.receivers[lane.receiver] else { return nil }
    // `email-2` is the receiver's second channel of that name.
    let parts = lane.channel.split(separator: "-")
    let place = parts.count == 2 ? (Int(parts[1]) ?? 1) - 1 : 0
    let named = receiver.channels.filter { $0.name == String(parts[0]) }
    return named.indices.contains(place) ? named[place] : nil
  }

  /// After a reload: what was wrong with a receiver may be right now, or the receiver may be gone.
  func reconsiderReceivers() {
    for problem in receiverHealth.keep({ channel($0) != nil }) { deliver(.problem(problem)) }
    post.hurry(at: parts.clock().wall)
    parts.mailbell.ring()
  }

  private func finish(
    _ delivery: DeliveryQueue.Delivery, _ error: DeliveryError?, leftOut: String? = nil
  ) {
    var change = StateChange()
    change.outbox = post.finished(
      delivery, error: error, at: parts.clock().wall, jitter: .random(in: 0..<1))
    counters.count(change.outbox)
    commit(change)
    parts.mailbell.ring()
    noteHealth(of: delivery, error, leftOut)
    guard let reason = error?.reason ?? leftOut else {
      counters.delivered += 1
      return
    }
    if error == nil { counters.delivered += 1 } else { counters.deliveryFailures += 1 }
    logger.warning(
      error == nil ? "Message not delivered to all" : "Message not delivered",
      metadata: [
        "receiver.name": "\(delivery.message.receiver)",
        "receiver.channel": "\(delivery.message.channel)", "delivery.reason": "\(reason)",
        "delivery.attempt": "\(delivery.attempt)",
        "delivery.retried": "\(error?.isRetryable == true)",
      ])
  }

  /// A receiver that takes nothing is a problem of its own, told to the others.
  private func noteHealth(
    of delivery: DeliveryQueue.Delivery, _ error: DeliveryError?, _ leftOut: String?
  ) {
    let lane = DeliveryQueue.Lane(of: delivery.message)
    guard channel(lane) != nil else { return }
    let problem =
      error.map { receiverHealth.failed(lane, $0, attempt: delivery.attempt) }
      ?? receiverHealth.delivered(lane, leftOut: leftOut)
    if let problem { deliver(.problem(problem)) }
  }
}
