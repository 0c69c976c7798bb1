import LifeguardCore

/// Which channels take no messages: whoever relies on them must learn it some other way.
struct ReceiverHealth {
  /// Why a channel takes nothing, or not all.
  struct Trouble: Hashable {
    var reason: String
    var failures = 0
    var isTold = false
  }

  /// Failures in a row that are no accident any more; they take about a quarter of a minute.
  static let failuresMax = 3

  private(set) var troubles: [DeliveryQueue.Lane: Trouble] = [:]

  /// - Parameter attempt: of the message, from 1; it grows over restarts of the agent.
  /// - Returns: the problem, when it is news.
  mutating func failed(
    _ lane: DeliveryQueue.Lane, _ error: DeliveryError, attempt: Int
  ) -> Problem? {
    let failures = (troubles[lane]?.failures ?? 0) + 1
    let isLasting = !error.isRetryable || max(failures, attempt) >= ReceiverHealth.failuresMax
    return note(lane, error.reason, failures: failures, isLasting: isLasting)
  }

  /// - Parameter leftOut: what was not taken of a message that was.
  /// - Returns: the problem, when it began or ended with this.
  mutating func delivered(_ lane: DeliveryQueue.Lane, leftOut: String?) -> Problem? {
    if let leftOut { return note(lane, leftOut, failures: 0, isLasting: true) }
    return end(lane)
  }

  /// Forgets the channels that are not configured any more.
  ///
  /// - Returns: the problems that ended with them.
  mutating func keep(_ isConfigured: (DeliveryQueue.Lane) -> Bool) -> [Problem] {
    sorted.map(\.lane).filter { !isConfigured($0) }.compactMap { end($0) }
  }

  /// One sentence for each channel that people must know of.
  var sentences: [String] {
    sorted.filter(\.trouble.isTold).map { sentence($0.lane, $0.trouble) }
  }

  private var sorted: [(lane: DeliveryQueue.Lane, trouble: Trouble)] {
    troubles.sorted { ($0.key.receiver, $0.key.channel) < ($1.key.receiver, $1.key.channel) }
      .map { ($0.key, $0.value) }
  }

  private mutating func note(
    _ lane: DeliveryQueue.Lane, _ reason: String, failures: Int, isLasting: Bool
  ) -> Problem? {
    let wasTold = troubles[lane]?.isTold == true
    let trouble = Trouble(reason: reason, failures: failures, isTold: wasTold || isLasting)
    troubles[lane] = trouble
    return trouble.isTold && !wasTold ? problem(lane, sentence(lane, trouble)) : nil
  }

  private mutating func end(_ lane: DeliveryQueue.Lane) -> Problem? {
    guard let trouble = troubles.removeValue(forKey: lane), trouble.isTold else { return nil }
    return problem(lane, nil)
  }

  private func sentence(_ lane: DeliveryQueue.Lane, _ trouble: Trouble) -> String {
    "messages to \(lane.receiver) by \(lane.channel) do not arrive: \(trouble.reason)"
  }

  private func problem(_ lane: DeliveryQueue.Lane, _ summary: String?) -> Problem {
    Problem(
      name: "LifeguardReceiverFailing",
      labels: ["receiver": lane.receiver, "channel": lane.channel, "severity": "critical"],
      summary: summary ?? "", isActive: summary != nil)
  }
}
