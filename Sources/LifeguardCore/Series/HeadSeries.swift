/// One series of the head: sealed chunks, oldest first, and the samples not yet sealed.
struct HeadSeries: Sendable {
  var labels: Labels
  var epoch: UInt32
  /// Whether its samples come from elsewhere, or are calculated here from such samples.
  var isForeign = false
  var isTainted = false
  var sealed: [Chunk] = []
  var open: [Sample] = []
  /// The newest sample; kept apart because right after sealing `open` is empty.
  private(set) var lastTime = Timestamp(milliseconds: .min)
  private(set) var lastValue = 0.0
  /// How many samples `open` takes before it is sealed.
  var capacity: Int

  static let samplesPerChunk = 120

  /// The first chunk's length depends on the slot, so that series that began together are not all
  /// sealed in the same second.
  init(labels: Labels, slot: Int, epoch: UInt32) {
    self.labels = labels
    self.epoch = epoch
    capacity = Self.samplesPerChunk / 2 + slot * 37 % Self.samplesPerChunk
  }

  mutating func append(_ sample: Sample) {
    open.append(sample)
    lastTime = sample.timestamp
    lastValue = sample.value
    if open.count >= capacity { seal() }
  }

  private mutating func seal() {
    sealed.append(Chunk(open))
    open.removeAll(keepingCapacity: true)
    capacity = Self.samplesPerChunk
  }

  var isRemote: Bool { isForeign || isTainted }
  var hasSamples: Bool { lastTime.milliseconds != .min }

  func lastSample(after: Timestamp, through: Timestamp) -> Sample? {
    guard hasSamples, lastTime > after else { return nil }
    if lastTime <= through { return Sample(timestamp: lastTime, value: lastValue) }
    if let first = open.first, first.timestamp <= through {
      let sample = open[Self.count(of: open, through: through) - 1]
      return sample.timestamp > after ? sample : nil
    }
    for chunk in sealed.reversed() where chunk.start <= through {
      guard chunk.end > after else { return nil }
      var samples: [Sample] = []
      chunk.decode(after: after, through: through, into: &samples)
      return samples.last
    }
    return nil
  }

  func collect(after: Timestamp, through: Timestamp, into samples: inout [Sample]) {
    var first = sealed.count
    while first > 0, sealed[first - 1].end > after { first -= 1 }
    for chunk in sealed[first...] {
      if chunk.start > through { return }
      chunk.decode(after: after, through: through, into: &samples)
    }
    guard let newest = open.last, newest.timestamp > after else { return }
    let start = Self.count(of: open, through: after)
    let end = newest.timestamp <= through ? open.count : Self.count(of: open, through: through)
    if start < end { samples.append(contentsOf: open[start..<end]) }
  }

  /// Forgets what is later than `time`; a series that had ended stays ended.
  mutating func removeSamples(after time: Timestamp) {
    guard lastTime > time else { return }
    let hasEnded = lastValue.isStaleMarker
    open.removeLast(open.count - Self.count(of: open, through: time))
    while let last = sealed.last, last.end > time {
      sealed.removeLast()
      var kept: [Sample] = []
      last.decode(after: Timestamp(milliseconds: .min), through: time, into: &kept)
      if !kept.isEmpty { sealed.append(Chunk(kept)) }
    }
    var newest = open.last
    if newest == nil, let last = sealed.last {
      var samples: [Sample] = []
      last.decode(after: Timestamp(milliseconds: .min), through: time, into: &samples)
      newest = samples.last
    }
    lastTime = newest?.timestamp ?? Timestamp(milliseconds: .min)
    lastValue = newest?.value ?? 0
    if hasEnded, lastTime < time { append(Sample(timestamp: time, value: .staleMarker)) }
  }

  /// How many of the samples are not later than `time`.
  private static func count(of samples: [Sample], through time: Timestamp) -> Int {
    var low = 0
    var high = samples.count
    while low < high {
      let middle = (low + high) / 2
      if samples[middle].timestamp <= time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
