/// Quantiles and fractions from cumulative buckets, by linear interpolation.
enum ClassicBuckets {
  struct Bucket {
    var upperBound: Double
    /// Observations up to the bound.
    var count: Double
  }

  /// Differences smaller than this part of the counts are rounding, not observations.
  private static let tolerance = 1e-12

  /// The quantile, and what had to be changed to make the counts monotonic, more than rounding.
  ///
  /// - Parameter time: when, in milliseconds; what was changed carries it.
  static func quantile(
    _ buckets: [Bucket], _ quantile: Double, at time: Int64
  ) -> (Double, forced: ForcedMonotonicity?) {
    if quantile.isNaN { return (.nan, nil) }
    if quantile < 0 { return (-.infinity, nil) }
    if quantile > 1 { return (.infinity, nil) }
    guard var sorted = prepared(buckets) else { return (.nan, nil) }
    let forced = makeMonotonic(&sorted, at: time)
    guard sorted.count >= 2 else { return (.nan, nil) }
    let observations = sorted[sorted.count - 1].count
    if observations == 0 { return (.nan, nil) }
    var rank = quantile * observations
    let last = sorted.count - 1
    let index = sorted[..<last].firstIndex { $0.count >= rank } ?? last
    // Above the highest finite bound nothing is known; that bound is the answer.
    if index == last { return (sorted[last - 1].upperBound, forced) }
    if index == 0, sorted[0].upperBound <= 0 { return (sorted[0].upperBound, forced) }
    var lowerBound = 0.0
    var count = sorted[index].count
    if index > 0 {
      lowerBound = sorted[index - 1].upperBound
      count -= sorted[index - 1].count
      rank -= sorted[index - 1].count
    }
    let width = sorted[index].upperBound - lowerBound
    return (lowerBound + width * (rank / count), forced)
  }

  /// The part of the observations between two values.
  static func fraction(_ buckets: [Bucket], from lower: Double, to upper: Double) -> Double {
    guard let sorted = prepared(buckets) else { return .nan }
    let count = sorted[sorted.count - 1].count
    if count == 0 || lower.isNaN || upper.isNaN { return .nan }
    if lower >= upper { return 0 }
    let from = min(rank(of: lower, sorted) ?? count, count)
    let to = min(rank(of: upper, sorted) ?? count, count)
    return (to - from) / count
  }

  /// How many observations lie below a value; `nil` when it is above every bound.
  private static func rank(of value: Double, _ buckets: [Bucket]) -> Double? {
    var before = 0.0
    for (index, bucket) in buckets.enumerated() {
      // The first bucket begins at zero unless it ends below.
      let lowerBound =
        index > 0 ? buckets[index - 1].upperBound : bucket.upperBound > 0 ? 0 : -.infinity
      if lowerBound >= value { return before }
      if bucket.upperBound > value {
        // A bucket without a lower end cannot be divided.
        if lowerBound.isInfinite { return bucket.count }
        let part = (value - lowerBound) / (bucket.upperBound - lowerBound)
        return before + (bucket.count - before) * part
      }
      before = bucket.count
    }
    return nil
  }

  /// Sorted, with equal bounds joined; `nil` without a bucket for `+Inf`.
  private static func prepared(_ buckets: [Bucket]) -> [Bucket]? {
    var result: [Bucket] = []
    for bucket in buckets.sorted(by: { $0.upperBound < $1.upperBound }) {
      if let last = result.last, last.upperBound == bucket.upperBound {
        result[result.count - 1].count += bucket.count
      } else {
        result.append(bucket)
      }
    }
    guard let last = result.last, last.upperBound == .infinity else { return nil }
    return result
  }

  private static func makeMonotonic(
    _ buckets: inout [Bucket], at time: Int64
  ) -> ForcedMonotonicity? {
    var forced: ForcedMonotonicity?
    var previous = buckets[0].count
    for index in buckets.indices.dropFirst() {
      let current = buckets[index].count
      if current == previous { continue }
      if isAlmostEqual(previous, current) {
        buckets[index].count = previous
      } else if current < previous {
        buckets[index].count = previous
        let (bound, difference) = (buckets[index].upperBound, previous - current)
        if forced == nil {
          forced = ForcedMonotonicity(bound: bound, difference: difference, at: time)
        } else {
          forced?.raise(bound: bound, difference: difference)
        }
      } else {
        previous = current
      }
    }
    return forced
  }

  private static func isAlmostEqual(_ left: Double, _ right: Double) -> Bool {
    if left.isNaN || right.isNaN { return left.isNaN && right.isNaN }
    let size = left.magnitude + right.magnitude
    let difference = (left - right).magnitude
    if left == 0 || right == 0 || size < .leastNormalMagnitude {
      return difference < tolerance * .leastNormalMagnitude
    }
    return difference / min(size, .greatestFiniteMagnitude) < tolerance
  }
}
