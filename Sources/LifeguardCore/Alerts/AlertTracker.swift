/// Turns evaluations into alerts: `for`, `keep_firing_for`, hysteresis, M of N, and no data.
///
/// ```
///   breached            held for `for`              healthy (or `clear`)
///  ─────────▶ pending ─────────────────▶ firing ─────────────────────────▶ gone
///                │ healthy                 ▲  │ no data, on_no_data: keep
///                ▼                         └──┘
///               gone
/// ```
public struct AlertTracker: Sendable, Codable {
  public private(set) var alerts: [Alert.Key: Alert] = [:]
  /// Breaches since the start for which there was no room.
  public private(set) var refused = 0
  /// By rule, the breached label sets of its last evaluation for which there was no room.
  public private(set) var crowded: [String: Int] = [:]
  /// How many alerts each rule has.
  private var held: [String: Int] = [:]
  /// How many alerts count towards `capacity`.
  private var shared = 0

  /// Alerts of rules at once: a rule whose labels explode must not fill the state, which is written
  /// at every change (about 400 bytes each).
  public static let alertsMax = 300
  /// So many each rule may have, however many the others have: a noisy rule silences no other.
  public static let alertsOfRuleMin = 3
  /// `alertsMax`, but for tests of rules.
  var capacity = AlertTracker.alertsMax
  /// The most alerts of one rule.
  public var capacityOfRule: Int { capacity / 2 }

  /// What changed in one evaluation.
  public enum Change: Hashable, Sendable {
    case pending(Alert)
    case fired(Alert)
    /// `Alert` as it was before it went.
    case ended(Alert, AlertEnd)
    /// Pending, and gone again before it fired.
    case cancelled(Alert)
  }

  public init() {}

  public var firing: [Alert] {
    alerts.values.filter { $0.state == .firing }.sorted { $0.key < $1.key }
  }

  /// The label sets of a rule that are pending or firing, as the rule returned them.
  public func activeElements(of rule: String) -> [Labels] {
    alerts.values.filter { $0.key.rule == rule }.map(\.element)
  }

  /// Whether a rule has any alert.
  func isActive(_ rule: String) -> Bool { held[rule] != nil }

  /// Folds one evaluation in; `labels` gives an element's alert the labels that its rule adds.
  public mutating func fold(
    _ evaluation: Evaluation, rule: AlertBehaviour, at moment: Moment,
    labels: (Evaluation.Element) -> Labels
  ) -> [Change] {
    var changes: [Change] = []
    var seen: Set<Alert.Key> = []
    crowded[rule.rule] = nil
    for element in evaluation.elements {
      let key = Alert.Key(rule: rule.rule, labels: labels(element))
      guard seen.insert(key).inserted else { continue }
      fold(element, key, rule, evaluation, moment, &changes)
    }
    if !evaluation.hasData, rule.onNoData == .alert {
      let element = Evaluation.Element(labels: Labels(), value: .nan, verdict: .breached)
      let key = Alert.Key(rule: rule.rule, labels: labels(element))
      if seen.insert(key).inserted { fold(element, key, rule, evaluation, moment, &changes) }
    }
    for key in alerts.keys where key.rule == rule.rule && !seen.contains(key) {
      guard let alert = alerts[key] else { continue }
      let verdict: Evaluation.Verdict = evaluation.hasData ? .healthy : .noData
      let element = Evaluation.Element(
        labels: alert.element, value: alert.value, verdict: verdict,
        newestInput: evaluation.newestInput)
      fold(element, key, rule, evaluation, moment, &changes)
    }
    return changes
  }

  /// Ends every alert of a rule that no longer exists.
  public mutating func removeRule(_ rule: String) -> [Change] {
    let gone = alerts.values.filter { $0.key.rule == rule }.sorted { $0.key < $1.key }
    for alert in gone { remove(alert.key) }
    crowded[rule] = nil
    return gone.map { $0.state == .firing ? .ended($0, .vanished) : .cancelled($0) }
  }

  private mutating func fold(
    _ element: Evaluation.Element, _ key: Alert.Key, _ rule: AlertBehaviour,
    _ evaluation: Evaluation, _ moment: Moment, _ changes: inout [Change]
  ) {
    let known = alerts[key]
    if known == nil, element.verdict != .breached { return }
    guard known != nil || hasRoom(for: key) else {
      refused += 1
      crowded[key.rule, default: 0] += 1
      return
    }
    var alert = known ?? Alert(key: key, element: element.labels, value: element.value, at: moment)
    alert.freshness = evaluation.freshness
    // `on_no_data: alert` tells people; it is still no evidence to act on.
    alert.hasNoData = element.verdict == .noData || !evaluation.hasData
    alert.element = element.labels
    let newest = element.newestInput ?? evaluation.newestInput
    let isNews =
      rule.samples?.countsSamples != true || known == nil || known?.newestInput != newest
    switch element.verdict {
    case .noData:
      guard rule.onNoData == .ok else {
        keep(alert)
        return
      }
      subside(alert, .vanished, rule, moment, &changes)
      return
    case .breached:
      alert.value = element.value
      alert.origin = element.origin
      alert.lastBreach = moment
      if isNews { alert.history = alert.history << 1 | 1 }
    case .healthy, .uncleared:
      if isNews { alert.history <<= 1 }
    }
    alert.newestInput = newest
    alert.evaluatedAt = moment
    if holds(alert, element.verdict, rule) {
      advance(&alert, known: known, rule, moment, &changes)
    } else {
      subside(alert, .healthy, rule, moment, &changes)
    }
  }

  /// Whether the rule's condition holds for this alert now.
  private func holds(
    _ alert: Alert, _ verdict: Evaluation.Verdict, _ rule: AlertBehaviour
  ) -> Bool {
    if verdict == .uncleared { return alert.state == .firing }
    guard let samples = rule.samples else { return verdict == .breached }
    if alert.state == .firing, rule.hasClear { return verdict == .breached }
    let breaches = (alert.history & mask(samples.window)).nonzeroBitCount
    return breaches >= samples.needed
  }

  private mutating func advance(
    _ alert: inout Alert, known: Alert?, _ rule: AlertBehaviour, _ moment: Moment,
    _ changes: inout [Change]
  ) {
    if known == nil || (known?.state == .pending && known?.endedSince != nil) {
      alert.activeSince = moment
    }
    alert.endedSince = nil
    if alert.state == .pending, moment.elapsed(since: alert.activeSince) >= rule.hold {
      alert.state = .firing
      alert.firingSince = moment
      keep(alert)
      changes.append(.fired(alert))
      return
    }
    keep(alert)
    if known == nil { changes.append(.pending(alert)) }
  }

  private mutating func subside(
    _ alert: Alert, _ how: AlertEnd, _ rule: AlertBehaviour, _ moment: Moment,
    _ changes: inout [Change]
  ) {
    var alert = alert
    guard alert.state == .firing else {
      // With M of N a pending alert lives as long as its window remembers a breach.
      guard let samples = rule.samples, alert.history & mask(samples.window) != 0 else {
        remove(alert.key)
        changes.append(.cancelled(alert))
        return
      }
      alert.endedSince = moment
      keep(alert)
      return
    }
    guard rule.keepFiringFor > .zero else {
      end(alert, how, &changes)
      return
    }
    let since = alert.endedSince ?? moment
    guard moment.elapsed(since: since) < rule.keepFiringFor else {
      end(alert, how, &changes)
      return
    }
    alert.endedSince = since
    keep(alert)
  }

  private func mask(_ window: Int) -> UInt64 {
    window >= 64 ? .max : (1 << UInt64(window)) - 1
  }

  /// Counts the wait of a pending alert from another moment.
  mutating func restartWait(of key: Alert.Key, from moment: Moment) {
    guard alerts[key]?.state == .pending else { return }
    alerts[key]?.activeSince = moment
  }

  /// Services and the agent's own problems always find room: their number is that of what an
  /// operator wrote down, and a service that is down must be seen whatever rules do.
  private func hasRoom(for key: Alert.Key) -> Bool {
    if key.isReserved { return true }
    let own = held[key.rule, default: 0]
    return own < AlertTracker.alertsOfRuleMin || (own < capacityOfRule && shared < capacity)
  }

  private mutating func keep(_ alert: Alert) {
    guard alerts.updateValue(alert, forKey: alert.key) == nil else { return }
    held[alert.key.rule, default: 0] += 1
    if !alert.key.isReserved { shared += 1 }
  }

  private mutating func remove(_ key: Alert.Key) {
    guard alerts.removeValue(forKey: key) != nil else { return }
    held[key.rule] = held[key.rule].flatMap { $0 > 1 ? $0 - 1 : nil }
    if !key.isReserved { shared -= 1 }
  }

  private mutating func end(_ alert: Alert, _ how: AlertEnd, _ changes: inout [Change]) {
    remove(alert.key)
    changes.append(alert.state == .firing ? .ended(alert, how) : .cancelled(alert))
  }
}

extension AlertTracker {
  private enum CodingKeys: String, CodingKey { case alerts }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let list = try container.decode([Alert].self, forKey: .alerts)
    for alert in list { keep(alert) }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(alerts.values.sorted { $0.key < $1.key }, forKey: .alerts)
  }
}
