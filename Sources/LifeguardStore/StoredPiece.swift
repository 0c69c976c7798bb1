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

  /// Whether it has samples in `(after, through]`, or the bucket before, which a counter needs.
  func matters(after: Int64, through: Int64) -> Bool {
    end + resolution.milliseconds > after && start <= through
  }
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
  /// Where a counter was reset, as positions in the samples, and what it lost there.
  private var resets: [(index: Int, lost: Double)] = []

  init(use: SampleUse, window: Int64, after: Timestamp, through: Timestamp) {
    self.use = use
    self.window = window
    self.after = after
    self.through = through
  }

  /// - Parameter tail: where single samples go on after the last piece.
  mutating func read(
    _ pieces: [StoredPiece], before tail: Timestamp? = nil, into samples: inout [Sample]
  ) {
    let first = samples.count
    let inside = pieces.filter {
      $0.matters(after: after.milliseconds, through: through.milliseconds)
    }
    var index = 0
    while index < inside.count {
      let piece = inside[index]
      if piece.resolution == .raw {
        // Whoever loaded the piece has seen that it is sound.
        _ = RawChunk.decode(
          piece.data, piece.clock, after: after, through: through, into: &samples)
        index += 1
        continue
      }
      var buckets: [Bucket] = []
      while index < inside.count, inside[index].resolution == piece.resolution {
        buckets += BucketChunk.decode(inside[index].data, inside[index].clock)?.buckets ?? []
        index += 1
      }
      let next = index < inside.count ? inside[index].start - 1 : tail.map { $0.milliseconds - 1 }
      emit(joined(buckets), piece.resolution, before: next, into: &samples)
    }
    correct(&samples, from: first)
  }

  /// The end of one roll-up and the start of the next may share a bucket.
  private func joined(_ buckets: [Bucket]) -> [Bucket] {
    var ordered = buckets
    if zip(buckets, buckets.dropFirst()).contains(where: { $0.end > $1.end }) {
      ordered = buckets.enumerated().sorted {
        ($0.element.end, $0.offset) < ($1.element.end, $1.offset)
      }.map(\.element)
    }
    var joined: [Bucket] = []
    joined.reserveCapacity(ordered.count)
    for bucket in ordered {
      if let last = joined.indices.last, joined[last].end == bucket.end {
        joined[last].add(bucket)
      } else {
        joined.append(bucket)
      }
    }
    return joined
  }

  /// - Parameter next: the last moment before finer samples go on, which may be within a bucket.
  private mutating func emit(
    _ buckets: [Bucket], _ resolution: Resolution, before next: Int64?,
    into samples: inout [Sample]
  ) {
    let length = resolution.milliseconds
    var previous: Bucket?
    for bucket in buckets {
      let start = bucket.end - length
      let end = max(start + 1, min(bucket.end, next ?? .max))
      let before = previous?.end == start ? previous?.last : nil
      previous = bucket
      let parts = parts(bucket, length)
      if use == .counter {
        if bucket.lost != 0 { resets.append((samples.count, bucket.lost)) }
        // Where the last bucket ended, so that the rise within this one is not lost to a window
        // that begins here.
        if let before { add(start + 1, before - bucket.lost, to: &samples) }
      }
      let rise = before.map { bucket.last + bucket.lost - $0 } ?? 0
      for part in 1...parts {
        let value: Double =
          switch use {
          case .counter: bucket.last - rise * Double(parts - part) / Double(parts)
          case .sum: bucket.sum / Double(parts)
          default: bucket.value(use)
          }
        add(start + (end - start) * Int64(part) / Int64(parts), value, to: &samples)
      }
    }
  }

  private func add(_ time: Int64, _ value: Double, to samples: inout [Sample]) {
    guard time > after.milliseconds, time <= through.milliseconds else { return }
    samples.append(Sample(timestamp: Timestamp(milliseconds: time), value: value))
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
