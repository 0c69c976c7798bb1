import LifeguardCore

/// When the samples in the agent's head were really taken, whatever the clock says: each has a
/// value of its own, by which it is known.
struct TakenSamples {
  private var times: [UInt64: Int] = [:]
  private var count = 0

  /// The value of a sample that is taken now.
  mutating func value(near value: Double, at time: Int) -> Double {
    count += 1
    let unique = value + Double(count) * 1e-9
    times[unique.bitPattern] = time
    return unique
  }

  func time(of value: Double) -> Int? { times[value.bitPattern] }
}
