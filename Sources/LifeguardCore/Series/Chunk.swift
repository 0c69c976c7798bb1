/// A run of samples of one series, compressed and never changed again, so readers share it.
///
/// Timestamps are packed differences. Values use whichever of three encodings is smallest: one
/// constant; whole numbers (after scaling by a power of ten, which is where counters of seconds and
/// percentages with two digits end up) as packed differences; or the bits that differ from the
/// value before ("Gorilla", VLDB 2015). Every bit of every value survives, NaN payloads included.
public struct Chunk: Sendable, Hashable {
  enum Encoding: UInt8, Sendable {
    case constant
    case scaledInteger
    case exclusiveOr
  }

  public let start: Timestamp
  public let end: Timestamp
  let words: [UInt64]
  // The small fields come last, so that a chunk is 32 bytes.
  private let samples: Int32
  let encoding: Encoding

  /// - Precondition: the samples are in order of time, and there is at least one.
  public init(_ samples: [Sample]) {
    precondition(!samples.isEmpty)
    start = samples[0].timestamp
    end = samples[samples.count - 1].timestamp
    self.samples = Int32(samples.count)
    var writer = BitWriter()
    var differences: [Int64] = []
    differences.reserveCapacity(samples.count)
    for index in samples.indices.dropFirst() {
      differences.append(
        samples[index].timestamp.milliseconds &- samples[index - 1].timestamp.milliseconds)
    }
    IntegerPacking.write(differences, to: &writer)
    encoding = ValueEncoding.write(samples, to: &writer)
    words = writer.words
  }

  public var count: Int { Int(samples) }

  /// Memory used, the object's own fields and the array's header included.
  public var byteCount: Int { MemoryLayout<Chunk>.stride + 32 + words.count * 8 }

  /// Appends the samples in `(after, through]`.
  public func decode(
    after: Timestamp, through: Timestamp, into samples: inout [Sample]
  ) {
    guard start <= through, end > after else { return }
    let first = samples.count
    samples.append(
      contentsOf: repeatElement(Sample(timestamp: start, value: 0), count: count))
    words.withUnsafeBufferPointer { words in
      samples.withUnsafeMutableBufferPointer { samples in
        decode(words, into: UnsafeMutableBufferPointer(rebasing: samples[first...]))
      }
    }
    trim(&samples, from: first, after: after, through: through)
  }

  private func decode(
    _ words: UnsafeBufferPointer<UInt64>, into samples: UnsafeMutableBufferPointer<Sample>
  ) {
    var reader = BitReader(words)
    var time = start.milliseconds
    var index = 1
    IntegerPacking.read(count: samples.count - 1, from: &reader) { difference in
      time &+= difference
      samples[index].timestamp.milliseconds = time
      index += 1
    }
    ValueEncoding.read(encoding, from: &reader, into: samples)
  }

  private func trim(
    _ samples: inout [Sample], from first: Int, after: Timestamp, through: Timestamp
  ) {
    if end > through {
      while let last = samples.last, last.timestamp > through { samples.removeLast() }
    }
    guard start <= after else { return }
    var kept = first
    while kept < samples.count, samples[kept].timestamp <= after { kept += 1 }
    samples.removeSubrange(first..<kept)
  }
}
