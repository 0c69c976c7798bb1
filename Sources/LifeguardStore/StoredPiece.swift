import LifeguardCore

/// A chunk in memory: still packed, found to be sound, and with the times that it shares.
struct StoredPiece: Sendable {
  let block: Int64
  let resolution: Resolution
  let clock: Clock
  let data: [UInt8]

  /// Milliseconds before the first sample that the piece stands for.
  var start: Int64 { clock.start.milliseconds - max(resolution.milliseconds - 1, 0) }
  var end: Int64 { clock.end.milliseconds }
}

/// Gives a series' samples out of its pieces, for one use.
///
/// A bucket stands for its whole time. Where windows are shorter than two buckets, it therefore
/// gives several samples, evenly spread, so that every window finds at least two: the same figure
/// again; for a counter, values on the line between its neighbours; for a sum, equal parts of it.
struct PieceReader {
  let use: SampleUse
  /// The length of a window (ms).
  let window: Int64
  let after: Timestamp
  let through: Timestamp
  private var previous: Bucket?
  /// Where a counter was reset, as positions in the samples, and what it lost there.
  private var resets: [(index: Int, lost: Double)] = []

  init(use: SampleUse, window: Int64, after: Timestamp, through: Timestamp) {
    self.use = use
    self.window = window
    self.after = after
    self.through = through
  }

  mutating func read(_ pieces: [StoredPiece], into samples: inout [Sample]) {
    let first = samples.count
    var pending: Bucket?
    var pendingResolution = Resolution.raw
    for piece in pieces {
      guard piece.end > after.milliseconds, piece.start <= through.milliseconds else { continue }
      if piece.resolution == .raw {
        if let bucket = pending { emit(bucket, pendingResolution, into: &samples) }
        pending = nil
        // Whoever loaded the piece has seen that it is sound.
        _ = RawChunk.decode(
          piece.data, piece.clock, after: after, through: through, into: &samples)
        continue
      }
      for bucket in BucketChunk.decode(piece.data, piece.clock)?.buckets ?? [] {
        // The end of one roll-up and the start of the next may share a bucket.
        if var joined = pending, joined.end == bucket.end {
          joined.add(bucket)
          pending = joined
          continue
        }
        if let bucket = pending { emit(bucket, pendingResolution, into: &samples) }
        pending = bucket
        pendingResolution = piece.resolution
      }
    }
    if let bucket = pending { emit(bucket, pendingResolution, into: &samples) }
    correct(&samples, from: first)
  }

  private mutating func emit(
    _ bucket: Bucket, _ resolution: Resolution, into samples: inout [Sample]
  ) {
    let length = resolution.milliseconds
    let follows = previous?.end == bucket.end - length
    let before = follows ? previous?.last : nil
    previous = bucket
    let parts = parts(bucket, length)
    if use == .counter, bucket.lost != 0 { resets.append((samples.count, bucket.lost)) }
    let rise = before.map { bucket.last + bucket.lost - $0 } ?? 0
    for part in 1...parts {
      let time = Timestamp(
        milliseconds: bucket.end - length + length * Int64(part) / Int64(parts))
      guard time > after, time <= through else { continue }
      let value: Double =
        switch use {
        case .counter: bucket.last - rise * Double(parts - part) / Double(parts)
        case .sum: bucket.sum / Double(parts)
        default: bucket.value(use)
        }
      samples.append(Sample(timestamp: time, value: value))
    }
  }

  private func parts(_ bucket: Bucket, _ length: Int64) -> Int {
    // `count_over_time` counts samples, so there have to be as many.
    if use == .count { return max(1, min(bucket.count, Int(length))) }
    guard window > 0, window < 2 * length else { return 1 }
    // No closer than a second.
    return max(1, min(Int((2 * length + window - 1) / window), Int(length / 1000)))
  }

  /// Lowers everything before a reset by what was lost there, so that the newest values are true.
  private func correct(_ samples: inout [Sample], from first: Int) {
    guard !resets.isEmpty else { return }
    var index = samples.count - 1
    var shift = 0.0
    for reset in resets.reversed() {
      while index >= max(reset.index, first) {
        samples[index].value -= shift
        index -= 1
      }
      shift += reset.lost
    }
    while index >= first {
      samples[index].value -= shift
      index -= 1
    }
  }
}
