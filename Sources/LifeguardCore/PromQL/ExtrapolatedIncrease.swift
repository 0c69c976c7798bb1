/// Prometheus' rate: the increase from the first to the last sample of a window, stretched to the
/// window's ends when they are near, otherwise by half the average distance between samples; a
/// counter is not stretched below zero.
struct ExtrapolatedIncrease {
  private let samples: UnsafeBufferPointer<Sample>
  private let isCounter: Bool
  private let isRate: Bool
  private let hasResets: Bool
  /// For each sample, how many resets there were up to it; empty when nobody needs it.
  private let resets: [Int32]

  /// - Parameters:
  ///   - samples: those of all windows; they must outlive this value.
  ///   - isRepeated: whether there are many windows, so that it pays to find resets once.
  init(_ function: Function, _ samples: UnsafeBufferPointer<Sample>, isRepeated: Bool) {
    self.samples = samples
    isCounter = function != .delta
    isRate = function == .rate
    var found = false
    if isCounter {
      // Without an early end, so that it takes several samples at once.
      for index in 1..<max(samples.count, 1) {
        found = found || samples[index].value < samples[index - 1].value
      }
    }
    hasResets = found
    resets = found && isRepeated ? Self.resets(samples) : []
  }

  private static func resets(_ samples: UnsafeBufferPointer<Sample>) -> [Int32] {
    var result: [Int32] = []
    result.reserveCapacity(samples.count)
    var count: Int32 = 0
    var previous = -Double.infinity
    for sample in samples {
      if sample.value < previous { count += 1 }
      previous = sample.value
      result.append(count)
    }
    return result
  }

  /// The value of the window `low..<high`, which has at least two samples; times in milliseconds.
  @inline(__always)
  func value(_ low: Int, _ high: Int, start: Int64, end: Int64) -> Double {
    let first = samples[low]
    let last = samples[high - 1]
    var result = last.value - first.value
    if hasResets, resets.isEmpty || resets[low] != resets[high - 1] {
      var previous = first.value
      for index in low + 1..<high {
        let value = samples[index].value
        if value < previous { result += previous }
        previous = value
      }
    }
    let firstTime = first.timestamp.milliseconds
    let lastTime = last.timestamp.milliseconds
    var toStart = Double(firstTime - start) / 1000
    var toEnd = Double(end - lastTime) / 1000
    let sampled = Double(lastTime - firstTime) / 1000
    let average = sampled / Double(high - low - 1)
    let threshold = average * 1.1
    if toStart >= threshold { toStart = average / 2 }
    if isCounter {
      var toZero = toStart
      if result > 0, first.value >= 0 { toZero = sampled * (first.value / result) }
      if toZero < toStart { toStart = toZero }
    }
    if toEnd >= threshold { toEnd = average / 2 }
    var factor = (sampled + toStart + toEnd) / sampled
    if isRate { factor /= Double(end - start) / 1000 }
    return result * factor
  }
}
