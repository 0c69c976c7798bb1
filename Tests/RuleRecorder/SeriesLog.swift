import LifeguardCore
import LifeguardHost
import Synchronization

/// The last values of the recorded series, and a column of them for each quarter of a minute.
final class SeriesLog: Sendable {
  private struct Last {
    var value: Double
    var takenAt: Timestamp
    var interval: Duration
  }

  private struct State {
    /// By collector, then slot.
    var keys: [String: [Int: String]] = [:]
    var last: [String: Last] = [:]
    var columns: [[String: Double]] = []
    var start: Timestamp?
  }

  static let interval = Duration.seconds(15)
  private let state = Mutex(State())
  private let isWanted: @Sendable (_ metric: String) -> Bool

  init(isWanted: @escaping @Sendable (_ metric: String) -> Bool) {
    self.isWanted = isWanted
  }

  func take(_ batch: CollectedBatch) {
    state.withLock { state in
      var keys = state.keys[batch.collector] ?? [:]
      for started in batch.started where isWanted(started.family.name) {
        keys[started.slot] = started.family.name + "\(started.labels)"
      }
      let ended = Set(batch.ended)
      // What ends first: a series that is over in one slot may begin again in another.
      for slot in batch.ended {
        if let key = keys.removeValue(forKey: slot) { state.last[key] = nil }
      }
      for (slot, key) in keys where slot < batch.values.count && !ended.contains(slot) {
        let value = batch.values[slot]
        state.last[key] =
          value.isStaleMarker
          ? nil : Last(value: value, takenAt: batch.takenAt, interval: batch.interval)
      }
      state.keys[batch.collector] = keys
    }
  }

  /// Takes a column; a value counts for twice its collector's interval.
  func takeColumn(at now: Timestamp) {
    state.withLock { state in
      if state.start == nil { state.start = now }
      state.columns.append(
        state.last.compactMapValues { last in
          now - last.takenAt <= last.interval * 2 + .seconds(2) ? last.value : nil
        })
    }
  }

  /// One line a series: its name, then its values.
  func lines() -> (start: Timestamp, columns: Int, lines: [String]) {
    state.withLock { state in
      let keys = Set(state.columns.flatMap(\.keys)).sorted()
      let lines = keys.map { key in
        key + " " + SeriesLog.encoded(state.columns.map { $0[key] })
      }
      return (state.start ?? Timestamp(milliseconds: 0), state.columns.count, lines)
    }
  }

  /// `*1 5 0x3 -2 _`: whole numbers, each the difference from the one before, `x3` for three times
  /// the same, `_` for none. `*1000` are thousandths; `*0` the values themselves.
  static func encoded(_ values: [Double?]) -> String {
    let present = values.compactMap(\.self)
    let exact = 9e15  // below 2^53
    let isWhole = present.allSatisfy { $0 == $0.rounded() && $0.magnitude < exact }
    let isThousandths = present.allSatisfy { $0.isFinite && $0.magnitude < exact / 1000 }
    let scale = isWhole ? 1 : isThousandths ? 1000 : 0
    var before: Int64 = 0
    var tokens: [(text: String, count: Int)] = []
    for value in values {
      var text = "_"
      if let value, scale > 0 {
        let number = Int64((value * Double(scale)).rounded())
        text = "\(number - before)"
        before = number
      } else if let value {
        text = "\(value)"
      }
      if tokens.last?.text == text {
        tokens[tokens.count - 1].count += 1
      } else {
        tokens.append((text, 1))
      }
    }
    let words = tokens.map { $0.count == 1 ? $0.text : "\($0.text)x\($0.count)" }
    return (["*\(scale)"] + words).joined(separator: " ")
  }
}
