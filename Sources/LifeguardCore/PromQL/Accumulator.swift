/// Adds numbers without losing the small ones to rounding (Kahan's sum in Neumaier's variant).
struct CompensatedSum {
  var sum = 0.0
  var compensation = 0.0

  @inline(__always)
  mutating func add(_ value: Double) {
    let total = sum + value
    if total.isInfinite {
      compensation = 0
    } else if sum.magnitude >= value.magnitude {
      compensation += (sum - total) + value
    } else {
      compensation += (value - total) + sum
    }
    sum = total
  }

  /// Once the sum is infinite the compensation means nothing.
  var result: Double { sum.isInfinite ? sum : sum + compensation }
}

/// The mean: the sum divided by the count while the sum is finite, an incremental mean after that.
struct CompensatedMean {
  private var total = CompensatedSum()
  private var count = 0.0
  private var isIncremental = false

  @inline(__always)
  mutating func add(_ value: Double) {
    count += 1
    if count == 1 {
      total.sum = value
      return
    }
    if !isIncremental {
      var next = total
      next.add(value)
      if !next.sum.isInfinite {
        total = next
        return
      }
      isIncremental = true
      total.sum /= count - 1
      total.compensation /= count - 1
    }
    let weight = (count - 1) / count
    total.sum *= weight
    total.compensation *= weight
    total.add(value / count)
  }

  var result: Double {
    isIncremental
      ? total.sum + total.compensation : total.sum / count + total.compensation / count
  }
}

/// What an aggregation has seen of one group at one step.
struct Accumulator {
  private let aggregator: Aggregator
  private var sum = CompensatedSum()
  private var mean = CompensatedMean()
  private var count = 0.0
  /// The extreme, or the sum of squared differences from `center`.
  private var value = 0.0
  private var center = 0.0

  init(_ aggregator: Aggregator) {
    self.aggregator = aggregator
  }

  @inline(__always)
  mutating func add(_ sample: Double) {
    count += 1
    switch aggregator {
    case .sum:
      // The first value is taken as it is, so that the sum of one -0 is -0.
      if count == 1 { sum.sum = sample } else { sum.add(sample) }
    case .avg: mean.add(sample)
    case .min: if count == 1 || sample < value || value.isNaN { value = sample }
    case .max: if count == 1 || sample > value || value.isNaN { value = sample }
    case .stddev, .stdvar: addSquare(sample)
    default: break
    }
  }

  private mutating func addSquare(_ sample: Double) {
    if count == 1 {
      center = sample
      value = sample.isFinite ? 0 : .nan
      return
    }
    let difference = sample - center
    center += difference / count
    value += difference * (sample - center)
  }

  /// `nil` when nothing was added.
  var result: Double? {
    guard count > 0 else { return nil }
    switch aggregator {
    case .sum: return sum.sum + sum.compensation
    case .avg: return mean.result
    case .min, .max: return value
    case .count: return count
    case .group: return 1
    case .stdvar: return value / count
    case .stddev: return (value / count).squareRoot()
    default: return nil
    }
  }
}

/// Quantiles of plain numbers.
enum Quantile {
  /// Between two values the weighted mean; NaN counts as the smallest.
  static func of(_ values: [Double], _ quantile: Double) -> Double {
    if values.isEmpty || quantile.isNaN { return .nan }
    if quantile < 0 { return -.infinity }
    if quantile > 1 { return .infinity }
    let sorted = values.sorted { left, right in
      if left.isNaN || right.isNaN { return left.isNaN && !right.isNaN }
      return left < right
    }
    let rank = quantile * Double(sorted.count - 1)
    let lower = max(0, rank.rounded(.down))
    let upper = min(Double(sorted.count - 1), lower + 1)
    let weight = rank - rank.rounded(.down)
    return sorted[Int(lower)] * (1 - weight) + sorted[Int(upper)] * weight
  }
}
