/// The samples of one series in one window, in order of time; at least one.
struct RangeWindow {
  /// A part of the series' samples for all steps, valid while those are: a pointer, because an
  /// array would be retained and checked for each of hundreds of thousands of windows.
  let samples: UnsafeBufferPointer<Sample>
  let evaluationTime: Int64

  private var count: Int { samples.count }

  @inline(__always)
  private subscript(index: Int) -> Sample { samples[index] }

  private var last: Sample { self[count - 1] }

  /// `nil` when the function gives nothing for this window.
  func apply(_ function: Function, _ first: Double, _ second: Double) -> Double? {
    switch function {
    case .irate: return difference(isRate: true)
    case .idelta: return difference(isRate: false)
    case .changes: return changes()
    case .resets: return resets()
    case .deriv:
      return count < 2
        ? nil : regression(at: self[0].timestamp.milliseconds).slope
    case .predictLinear:
      guard count >= 2 else { return nil }
      let line = regression(at: evaluationTime)
      return line.slope * first + line.intercept
    case .doubleExponentialSmoothing: return smoothed(first, second)
    case .quantileOverTime: return Quantile.of(values(), first)
    case .madOverTime:
      let median = Quantile.of(values(), 0.5)
      return Quantile.of(values().map { ($0 - median).magnitude }, 0.5)
    default: return simple(function)
    }
  }

  private func simple(_ function: Function) -> Double? {
    switch function {
    case .sumOverTime:
      var sum = CompensatedSum()
      for index in 0..<count { sum.add(self[index].value) }
      return sum.result
    case .avgOverTime:
      var mean = CompensatedMean()
      for index in 0..<count { mean.add(self[index].value) }
      return mean.result
    case .countOverTime: return Double(count)
    case .minOverTime: return extreme { $0 < $1 }.value
    case .maxOverTime: return extreme { $0 > $1 }.value
    case .tsOfMinOverTime: return extreme { $0 <= $1 }.timestamp.seconds
    case .tsOfMaxOverTime: return extreme { $0 >= $1 }.timestamp.seconds
    case .firstOverTime: return self[0].value
    case .lastOverTime: return last.value
    case .tsOfFirstOverTime: return self[0].timestamp.seconds
    case .tsOfLastOverTime: return last.timestamp.seconds
    case .presentOverTime, .absentOverTime: return 1
    case .stdvarOverTime: return variance()
    case .stddevOverTime: return variance().squareRoot()
    default: return nil
    }
  }

  private func values() -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(count)
    for index in 0..<count { result.append(self[index].value) }
    return result
  }

  /// The sample that is better than all others; NaN is worse than any number.
  private func extreme(_ isBetter: (Double, Double) -> Bool) -> Sample {
    var best = self[0]
    for index in 0..<count
    where isBetter(self[index].value, best.value) || best.value.isNaN {
      best = self[index]
    }
    return best
  }

  private func variance() -> Double {
    var seen = 0.0
    var mean = CompensatedSum()
    var squares = CompensatedSum()
    for index in 0..<count {
      let value = self[index].value
      seen += 1
      let difference = value - (mean.sum + mean.compensation)
      mean.add(difference / seen)
      squares.add(difference * (value - (mean.sum + mean.compensation)))
    }
    return (squares.sum + squares.compensation) / seen
  }

  // MARK: Rates

  /// From the last two samples only.
  private func difference(isRate: Bool) -> Double? {
    guard count > 1 else { return nil }
    let previous = self[count - 2]
    let interval = last.timestamp.milliseconds - previous.timestamp.milliseconds
    guard interval != 0 else { return nil }
    // After a reset the counter has counted from zero.
    var result = last.value
    if !isRate || !(last.value < previous.value) { result = last.value - previous.value }
    return isRate ? result / (Double(interval) / 1000) : result
  }

  private func resets() -> Double {
    var found = 0
    for index in 1..<count where self[index].value < self[index - 1].value { found += 1 }
    return Double(found)
  }

  private func changes() -> Double {
    var found = 0
    for index in 1..<count {
      let (before, after) = (self[index - 1].value, self[index].value)
      if before != after, !(before.isNaN && after.isNaN) { found += 1 }
    }
    return Double(found)
  }

  // MARK: Trends

  /// The straight line through the samples by least squares, `intercept` being its value at `time`.
  private func regression(at time: Int64) -> (slope: Double, intercept: Double) {
    let initial = self[0].value
    var isConstant = true
    var sumX = CompensatedSum()
    var sumY = CompensatedSum()
    var sumXY = CompensatedSum()
    var sumX2 = CompensatedSum()
    for index in 0..<count {
      let sample = self[index]
      if index > 0, sample.value != initial { isConstant = false }
      let x = Double(sample.timestamp.milliseconds - time) / 1000
      sumX.add(x)
      sumY.add(sample.value)
      sumXY.add(x * sample.value)
      sumX2.add(x * x)
    }
    if isConstant { return initial.isInfinite ? (.nan, .nan) : (0, initial) }
    let number = Double(count)
    let x = sumX.sum + sumX.compensation
    let y = sumY.sum + sumY.compensation
    let covariance = sumXY.sum + sumXY.compensation - x * y / number
    let variance = sumX2.sum + sumX2.compensation - x * x / number
    let slope = covariance / variance
    return (slope, y / number - slope * x / number)
  }

  /// Holt's linear method.
  private func smoothed(_ smoothing: Double, _ trend: Double) -> Double? {
    guard count >= 2 else { return nil }
    var before = 0.0
    var current = self[0].value
    var slope = self[1].value - self[0].value
    for index in 1..<count {
      if index > 1 { slope = trend * (current - before) + (1 - trend) * slope }
      let next = smoothing * self[index].value + (1 - smoothing) * (current + slope)
      (before, current) = (current, next)
    }
    return current
  }
}
