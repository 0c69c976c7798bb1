import LifeguardCore
import Testing

/// A fault as a level that rises and falls, written as the series that the rule reads.
///
/// Of the same form as what the collectors write (names, labels and units of Linux 6.18), shaped by
/// hand: for thresholds that no real fault meets to the digit, and for faults that cannot be caused
/// on a machine that others use.
struct Shape: Sendable, CustomTestStringConvertible {
  let rule: String
  /// Just beyond the threshold, just short of it, between the threshold and `clear`, and well.
  var over: Double
  var under: Double
  var between: Double
  var calm: Double
  /// The longest that the rule may take from the fault's begin, and from its end.
  var firesWithin: Duration
  var endsWithin: Duration
  /// Rules that rightly fire too.
  var companions: Set<String> = []
  /// Whether a single sample is enough: the fault is an event, not a state.
  var isEvent = false
  /// How long the host was well before, for rules that look far back.
  var history: Duration = .seconds(300)
  var write: @Sendable (_ shaper: inout Shaper, _ level: Double) -> Void

  init(
    _ rule: String, over: Double, under: Double, between: Double, calm: Double,
    firesWithin: Int, endsWithin: Int, companions: Set<String> = [], isEvent: Bool = false,
    history: Int = 300, write: @escaping @Sendable (inout Shaper, Double) -> Void
  ) {
    self.rule = rule
    (self.over, self.under, self.between, self.calm) = (over, under, between, calm)
    self.firesWithin = .seconds(firesWithin)
    self.endsWithin = .seconds(endsWithin)
    self.companions = companions
    self.isEvent = isEvent
    self.history = .seconds(history)
    self.write = write
  }

  var testDescription: String { rule }
}

/// Writes one column after the other.
struct Shaper {
  private(set) var replay: Replay
  private(set) var elapsed: Duration = .zero
  private var column: [Labels: Double] = [:]
  private var counters: [Labels: Double] = [:]

  /// - Parameter only: the rules to evaluate; all of the pack unless it is given.
  init(only: Set<String>? = nil) throws {
    replay = try Replay(only: only)
  }

  /// The wall clock of the next column, in seconds.
  var now: Double { 1_700_000_000 + elapsed.seconds }

  mutating func gauge(_ name: String, _ labels: Labels = [:], _ value: Double) {
    column[full(name, labels)] = value
  }

  /// A counter that grows by `perSecond` until the next column.
  mutating func counter(_ name: String, _ labels: Labels = [:], _ perSecond: Double) {
    let key = full(name, labels)
    counters[key, default: 1000] += perSecond * Replay.step.seconds
    column[key] = counters[key]
  }

  /// The value of a counter-like gauge that this shape keeps for itself.
  mutating func kept(_ name: String, from start: Double, perSecond: Double) -> Double {
    let key = full(name, ["kept": "yes"])
    counters[key, default: start] += perSecond * Replay.step.seconds
    return counters[key] ?? start
  }

  private func full(_ name: String, _ labels: Labels) -> Labels {
    var all: Labels = ["instance": "recorded", "job": "node"]
    for label in labels { all[label.name] = label.value }
    all[Labels.metricName] = name
    return all
  }

  /// Columns at the levels, each in turn, for as long as `duration`.
  mutating func run(_ shape: Shape, _ levels: [Double], for duration: Duration) throws {
    let end = elapsed + duration
    var number = 0
    while elapsed < end {
      column = [:]
      shape.write(&self, levels[number % levels.count])
      try replay.take(column, at: elapsed)
      try replay.checkClear(at: elapsed, of: shape.rule)
      elapsed += Replay.step
      number += 1
    }
  }

  func firings(of rule: String) -> [Replay.Firing] { replay.firings.filter { $0.rule == rule } }
}
