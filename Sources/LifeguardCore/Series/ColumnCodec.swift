/// Packs columns of values and of times for the disk, with the encodings that `Chunk` uses in
/// memory.
///
/// On disk many series share their times (a host's are all collected at once), so times and values
/// are packed apart. Bytes are little-endian words without the zeros at the end of the last one.
///
/// Unpacking trusts its bytes: whoever stores them keeps a checksum beside them.
public enum ColumnCodec {
  /// Appends the values, in the smallest of the encodings.
  ///
  /// - Returns: which encoding that is; unpacking wants it back.
  /// - Precondition: there is at least one sample.
  public static func packValues(_ samples: [Sample], into bytes: inout [UInt8]) -> UInt8 {
    precondition(!samples.isEmpty)
    var writer = BitWriter()
    let encoding = ValueEncoding.write(samples, to: &writer)
    append(writer.words, to: &bytes)
    return encoding.rawValue
  }

  /// Fills in the values of as many samples as were packed.
  ///
  /// - Returns: false for an encoding that does not exist.
  public static func unpackValues(
    _ bytes: UnsafeRawBufferPointer, encoding: UInt8,
    into samples: UnsafeMutableBufferPointer<Sample>
  ) -> Bool {
    guard let encoding = Chunk.Encoding(rawValue: encoding), !samples.isEmpty else { return false }
    withWords(bytes) { words in
      var reader = BitReader(words)
      ValueEncoding.read(encoding, from: &reader, into: samples)
    }
    return true
  }

  /// Appends the differences between the samples' times: packed around their commonest value, so
  /// that only the difference of differences costs anything.
  ///
  /// - Precondition: there is at least one sample.
  public static func packTimes(_ samples: [Sample], into bytes: inout [UInt8]) {
    precondition(!samples.isEmpty)
    var differences: [Int64] = []
    differences.reserveCapacity(samples.count)
    for index in samples.indices.dropFirst() {
      differences.append(
        samples[index].timestamp.milliseconds &- samples[index - 1].timestamp.milliseconds)
    }
    var writer = BitWriter()
    IntegerPacking.write(differences, to: &writer)
    append(writer.words, to: &bytes)
  }

  /// The times of `count` samples, the first one given.
  public static func unpackTimes(
    _ bytes: UnsafeRawBufferPointer, count: Int, from start: Timestamp
  ) -> [Timestamp] {
    var times = [start]
    times.reserveCapacity(count)
    withWords(bytes) { words in
      var reader = BitReader(words)
      var time = start.milliseconds
      IntegerPacking.read(count: count - 1, from: &reader) { difference in
        time &+= difference
        times.append(Timestamp(milliseconds: time))
      }
    }
    return times
  }

  private static func append(_ words: [UInt64], to bytes: inout [UInt8]) {
    guard let last = words.last else { return }
    for word in words.dropLast() {
      withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
    }
    // At least one byte of the last word stays, so that the number of words can be told.
    let used = max(1, 8 - last.leadingZeroBitCount / 8)
    withUnsafeBytes(of: last.littleEndian) { bytes.append(contentsOf: $0.prefix(used)) }
  }

  private static func withWords(
    _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeBufferPointer<UInt64>) -> Void
  ) {
    // One word more than there are: a reader may look a word ahead.
    let count = (bytes.count + 7) / 8 + 1
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: count) { words in
      words.initialize(repeating: 0)
      UnsafeMutableRawBufferPointer(words).copyMemory(from: bytes)
      for index in words.indices { words[index] = UInt64(littleEndian: words[index]) }
      body(UnsafeBufferPointer(words))
    }
  }
}
