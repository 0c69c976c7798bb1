import LifeguardCore

/// What is kept of the samples of one minute or hour.
struct Bucket: Equatable, Sendable {
  /// Milliseconds; see `Resolution.bucketEnd`.
  var end: Int64
  var minimum: Double
  var maximum: Double
  var sum: Double
  var count: Int
  var last: Double
  /// What a counter lost by resets since the sample before the bucket: adding up from the end gives
  /// its value as if it had never been reset, and it is zero, which costs nothing, nearly always.
  var lost: Double

  init(
    end: Int64, minimum: Double, maximum: Double, sum: Double, count: Int, last: Double,
    lost: Double
  ) {
    self.end = end
    self.minimum = minimum
    self.maximum = maximum
    self.sum = sum
    self.count = count
    self.last = last
    self.lost = lost
  }

  init(end: Int64, _ value: Double) {
    self.init(end: end, minimum: value, maximum: value, sum: value, count: 1, last: value, lost: 0)
  }

  /// Takes a later sample in; as in PromQL, NaN is smallest and largest only where it is alone.
  mutating func add(_ value: Double) {
    if value < minimum || minimum.isNaN { minimum = value }
    if value > maximum || maximum.isNaN { maximum = value }
    sum += value
    count += 1
    last = value
  }

  /// Takes in a bucket whose samples came later.
  mutating func add(_ other: Bucket) {
    if other.minimum < minimum || minimum.isNaN { minimum = other.minimum }
    if other.maximum > maximum || maximum.isNaN { maximum = other.maximum }
    sum += other.sum
    count += other.count
    last = other.last
    lost += other.lost
  }

  /// What a function that asks for `use` gets.
  func value(_ use: SampleUse) -> Double {
    switch use {
    case .minimum: minimum
    case .maximum: maximum
    case .sum: sum
    case .average: sum / Double(count)
    case .instant, .last, .count, .counter: last
    }
  }
}

/// Makes buckets of samples, or larger buckets of smaller ones, oldest first.
struct Downsampler {
  let resolution: Resolution
  private(set) var buckets: [Bucket] = []
  /// The newest sample's value so far, from before the first bucket if it is known.
  private var previous: Double?
  private var steps = 0
  private var decreases = 0
  private var hasCounters = false
  private var hasGauges = false

  /// - Parameter previous: the last value before, without which a reset right then goes unnoticed.
  init(_ resolution: Resolution, previous: Double?) {
    self.resolution = resolution
    self.previous = previous
  }

  /// A gauge falls all the time, a counter next to never: what falls in more than one of sixteen
  /// steps is no counter, and what its "resets" took away is not worth keeping.
  var isCounter: Bool {
    if hasCounters || hasGauges { return hasCounters && !hasGauges }
    return decreases * 16 <= steps
  }

  mutating func add(_ sample: Sample) {
    // That a series ends is not kept: a bucket says what was, and the next one is missing.
    if sample.isStaleMarker { return }
    let end = resolution.bucketEnd(sample.timestamp.milliseconds)
    if let last = buckets.indices.last, buckets[last].end == end {
      buckets[last].add(sample.value)
    } else {
      buckets.append(Bucket(end: end, sample.value))
    }
    if let previous {
      steps += 1
      if sample.value < previous {
        decreases += 1
        buckets[buckets.count - 1].lost += previous
      }
    }
    previous = sample.value
  }

  mutating func add(_ bucket: Bucket, isCounter: Bool) {
    if isCounter { hasCounters = true } else { hasGauges = true }
    var larger = bucket
    larger.end = resolution.bucketEnd(bucket.end)
    if let last = buckets.indices.last, buckets[last].end == larger.end {
      buckets[last].add(larger)
    } else {
      buckets.append(larger)
    }
  }
}
