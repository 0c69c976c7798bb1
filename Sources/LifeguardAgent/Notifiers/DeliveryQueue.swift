import LifeguardCore
import LifeguardStore

/// Decides which message is sent when; the messages themselves wait in the durable outbox.
///
/// ```
/// add ─▶ outbox ─▶ next(at:) ─▶ Notifier.send ─▶ finished ─▶ outbox (removed, later, given up)
/// ```
///
/// Every channel of a receiver is a lane of its own: in order, at most one message in flight, so
/// a server that hangs delays nobody else and a thread arrives as it was written. A failed message
/// is tried again with a growing pause and the same key.
public struct DeliveryQueue: Sendable {
  /// One channel of one receiver.
  public struct Lane: Hashable, Sendable {
    public var receiver: String
    public var channel: String

    init(of message: OutboxMessage) {
      receiver = message.receiver
      channel = message.channel
    }
  }

  /// A message to send now.
  public struct Delivery: Hashable, Sendable {
    public var message: OutboxMessage
    public var announcement: Announcement
    /// From 1.
    public var attempt: Int { message.attempts + 1 }
  }

  /// Pauses 5 s, 10 s, 20 s … 10 min, each ± 20 %; given up a day after the announcement.
  public struct Policy: Hashable, Sendable {
    public var firstPause: Duration = .seconds(5)
    public var pauseMax: Duration = .seconds(600)
    public var jitter = 0.2
    public var ageMax: Duration = .seconds(86_400)
    /// Messages waiting in one lane; the oldest that is no page is given up beyond it.
    public var waitingMax = 1000

    public init() {}
  }

  private struct Waiting {
    var message: OutboxMessage
    var announcement: Announcement
  }

  public let policy: Policy
  private var lanes: [Lane: [Waiting]] = [:]
  private var inFlight: Set<Lane> = []

  public init(policy: Policy = Policy()) {
    self.policy = policy
  }

  /// Messages that are not delivered or given up.
  public var count: Int { lanes.values.reduce(0) { $0 + $1.count } }

  /// Takes over what waited when the agent ended, in the order of the announcements. What was in
  /// flight is sent again with its key.
  ///
  /// - Returns: what cannot be read any more, given up.
  public mutating func restore(_ messages: [OutboxMessage], at now: Timestamp) -> [OutboxChange] {
    var changes: [OutboxChange] = []
    for message in messages where message.state != .abandoned {
      guard
        let announcement = try? JSONCoder.decode(  // unreadable is given up below
          Announcement.self, from: Array(message.payload.utf8))
      else {
        changes.append(.put(abandoned(message)))
        continue
      }
      var message = message
      message.state = .pending
      lanes[lane(of: message), default: []].append(
        Waiting(message: message, announcement: announcement))
    }
    for lane in lanes.keys {
      lanes[lane]?.sort { left, right in
        let (one, two) = (left.announcement, right.announcement)
        return (one.at, one.incident, one.sequence) < (two.at, two.incident, two.sequence)
      }
    }
    return changes
  }

  /// Queues a message for every channel; the changes must be durable before it is sent.
  public mutating func add(
    _ announcement: Announcement, receiver: String, channels: [String], at now: Timestamp
  ) throws -> [OutboxChange] {
    let payload = String(decoding: try JSONCoder.encode(announcement), as: UTF8.self)
    var changes: [OutboxChange] = []
    for (index, channel) in channels.enumerated() {
      let place = channels[..<index].count { $0 == channel }
      let name = place == 0 ? channel : "\(channel)-\(place + 1)"
      let message = OutboxMessage(
        key: "\(announcement.id)/\(receiver)/\(name)", receiver: receiver, channel: name,
        incident: "\(announcement.incident)", payload: payload, nextAttempt: now)
      let lane = lane(of: message)
      // The same announcement twice is one message.
      if lanes[lane]?.contains(where: { $0.message.key == message.key }) == true { continue }
      lanes[lane, default: []].append(Waiting(message: message, announcement: announcement))
      changes.append(.put(message))
      changes += limit(lane)
    }
    return changes
  }

  /// What to send now; each counts as in flight until `finished`.
  public mutating func next(at now: Timestamp) -> [Delivery] {
    var result: [Delivery] = []
    for (lane, waiting) in lanes {
      guard !inFlight.contains(lane), let head = waiting.first, isDue(head, at: now) else {
        continue
      }
      inFlight.insert(lane)
      result.append(Delivery(message: head.message, announcement: head.announcement))
    }
    return result.sorted { $0.message.key < $1.message.key }
  }

  /// When `next` may have something; nil while nothing waits.
  public func wakeUp(at now: Timestamp) -> Timestamp? {
    lanes.compactMap { lane, waiting -> Timestamp? in
      guard !inFlight.contains(lane), let head = waiting.first else { return nil }
      return isDue(head, at: now) ? now : head.message.nextAttempt
    }.min()
  }

  /// Takes the outcome of a delivery over.
  ///
  /// - Parameters:
  ///   - error: nil when it was delivered.
  ///   - jitter: a random number in 0..<1, from the caller, so that this stays deterministic.
  /// - Returns: what to change in the outbox; nothing when the message is unknown.
  public mutating func finished(
    _ delivery: Delivery, error: DeliveryError?, at now: Timestamp, jitter: Double
  ) -> [OutboxChange] {
    let lane = lane(of: delivery.message)
    inFlight.remove(lane)
    guard let index = lanes[lane]?.firstIndex(where: { $0.message.key == delivery.message.key })
    else { return [] }
    guard let error else {
      remove(index, from: lane)
      return [.remove(key: delivery.message.key)]
    }
    var message = delivery.message
    message.attempts += 1
    let age = now - delivery.announcement.at
    guard error.isRetryable, age < policy.ageMax else {
      remove(index, from: lane)
      return [.put(abandoned(message))]
    }
    message.nextAttempt = now + pause(after: message.attempts, asked: error.after, jitter)
    lanes[lane]?[index].message = message
    return [.put(message)]
  }

  /// Makes everything that waits due, as when its receiver may have been put right.
  public mutating func hurry(at now: Timestamp) {
    for (lane, waiting) in lanes {
      for index in waiting.indices { lanes[lane]?[index].message.nextAttempt = now }
    }
  }

  private func pause(after attempts: Int, asked: Duration?, _ jitter: Double) -> Duration {
    var pause = policy.firstPause
    for _ in 1..<max(attempts, 1) where pause < policy.pauseMax { pause *= 2 }
    pause = min(pause, policy.pauseMax)
    let spread = 1 + policy.jitter * (2 * min(max(jitter, 0), 1) - 1)
    return max(.milliseconds(Int64(Double(pause.milliseconds) * spread)), asked ?? .zero)
  }

  /// A wall clock that was set back must not hold a message longer than the longest pause; a
  /// receiver may have asked for an hour at most.
  private func isDue(_ waiting: Waiting, at now: Timestamp) -> Bool {
    let left = waiting.message.nextAttempt - now
    return left <= .zero || left > max(policy.pauseMax * 2, .seconds(3600))
  }

  private mutating func limit(_ lane: Lane) -> [OutboxChange] {
    guard let waiting = lanes[lane], waiting.count > policy.waitingMax else { return [] }
    // The head may be in flight.
    let victim =
      waiting.indices.dropFirst().first { waiting[$0].announcement.kind != .escalated } ?? 1
    guard waiting.indices.contains(victim) else { return [] }
    let message = waiting[victim].message
    remove(victim, from: lane)
    return [.put(abandoned(message))]
  }

  private mutating func remove(_ index: Int, from lane: Lane) {
    lanes[lane]?.remove(at: index)
    if lanes[lane]?.isEmpty == true { lanes[lane] = nil }
  }

  private func abandoned(_ message: OutboxMessage) -> OutboxMessage {
    var message = message
    message.state = .abandoned
    return message
  }

  private func lane(of message: OutboxMessage) -> Lane { Lane(of: message) }
}
