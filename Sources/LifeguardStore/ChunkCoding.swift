import LifeguardCore

/// The times that the chunks of a block share.
struct Clock: Sendable, Equatable {
  var times: [Timestamp]

  var start: Timestamp { times[0] }
  var end: Timestamp { times[times.count - 1] }

  /// A limit against damage that the checksum misses.
  static let timesMax = 16_777_216

  static func encode(_ samples: [Sample], block: Int64, id: Int) -> [UInt8] {
    var writer = ByteWriter()
    writer.zeros(Sealed.overhead)
    writer.varint(UInt64(samples.count))
    writer.zigzag(samples[0].timestamp.milliseconds)
    ColumnCodec.packTimes(samples, into: &writer.bytes)
    Sealed.seal(&writer.bytes, (block, Int64(id)))
    return writer.bytes
  }

  /// nil when the bytes are damaged.
  static func decode(_ bytes: [UInt8], block: Int64, id: Int) -> Clock? {
    guard Sealed.isSound(bytes, (block, Int64(id))) else { return nil }
    var reader = ByteReader(bytes: bytes)
    do throws(RowDamage) {
      try reader.skip(Sealed.overhead)
      let count = Int(clamping: try reader.varint())
      let start = try reader.zigzag()
      guard count > 0, count <= timesMax else { return nil }
      let position = reader.position
      let times = bytes.withUnsafeBytes {
        ColumnCodec.unpackTimes(
          UnsafeRawBufferPointer(rebasing: $0[position...]), count: count,
          from: Timestamp(milliseconds: start))
      }
      return Clock(times: times)
    } catch {
      return nil
    }
  }
}

/// A chunk of single samples: an encoding and the packed values.
enum RawChunk {
  static func encode(_ samples: [Sample], key: Int64, clock: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Sealed.overhead + 1)
    bytes[Sealed.overhead] = ColumnCodec.packValues(samples, into: &bytes)
    Sealed.seal(&bytes, (key, Int64(clock)))
    return bytes
  }

  /// Appends the samples in `(after, through]`; the bytes must be sound.
  ///
  /// - Returns: false when they are not what an encoder writes.
  static func decode(
    _ bytes: [UInt8], _ clock: Clock, after: Timestamp, through: Timestamp,
    into samples: inout [Sample]
  ) -> Bool {
    guard bytes.count > Sealed.overhead + 1 else { return false }
    let first = samples.count
    samples.reserveCapacity(first + clock.times.count)
    for time in clock.times { samples.append(Sample(timestamp: time, value: 0)) }
    let isSound = bytes.withUnsafeBytes { bytes in
      samples.withUnsafeMutableBufferPointer { samples in
        ColumnCodec.unpackValues(
          UnsafeRawBufferPointer(rebasing: bytes[(Sealed.overhead + 1)...]),
          encoding: bytes[Sealed.overhead],
          into: UnsafeMutableBufferPointer(rebasing: samples[first...]))
      }
    }
    guard isSound else {
      samples.removeSubrange(first...)
      return false
    }
    if clock.end > through {
      while samples.count > first, samples[samples.count - 1].timestamp > through {
        samples.removeLast()
      }
    }
    if clock.start <= after {
      var kept = first
      while kept < samples.count, samples[kept].timestamp <= after { kept += 1 }
      samples.removeSubrange(first..<kept)
    }
    return true
  }
}

/// A chunk of buckets: the figures of each, column by column.
enum BucketChunk {
  /// The order on disk.
  private static let columns = 6
  /// Stands for a column that was left out.
  private static let absent: UInt8 = 0xFF

  static func encode(
    _ buckets: [Bucket], isCounter: Bool, key: Int64, clock: Int
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.zeros(Sealed.overhead)
    func add(_ value: (Bucket) -> Double) {
      let samples = buckets.map {
        Sample(timestamp: Timestamp(milliseconds: $0.end), value: value($0))
      }
      var packed: [UInt8] = []
      let encoding = ColumnCodec.packValues(samples, into: &packed)
      writer.byte(encoding)
      writer.varint(UInt64(packed.count))
      writer.bytes += packed
    }
    add { $0.minimum }
    add { $0.maximum }
    add { $0.sum }
    add { Double($0.count) }
    add { $0.last }
    if isCounter { add { $0.lost } } else { writer.byte(absent) }
    Sealed.seal(&writer.bytes, (key, Int64(clock)))
    return writer.bytes
  }

  /// The buckets, and whether the series looked like a counter; nil when the bytes are not what an
  /// encoder writes.
  static func decode(_ bytes: [UInt8], _ clock: Clock) -> (buckets: [Bucket], isCounter: Bool)? {
    var columns: [[Sample]] = []
    var reader = ByteReader(bytes: bytes)
    do throws(RowDamage) {
      try reader.skip(Sealed.overhead)
      for _ in 0..<Self.columns {
        guard let column = try column(&reader, clock) else { continue }
        columns.append(column)
      }
    } catch {
      return nil
    }
    guard columns.count >= Self.columns - 1 else { return nil }
    var buckets: [Bucket] = []
    buckets.reserveCapacity(clock.times.count)
    for (index, time) in clock.times.enumerated() {
      let lost = columns.count == Self.columns ? columns[5][index].value : 0
      buckets.append(
        Bucket(
          end: time.milliseconds, minimum: columns[0][index].value,
          maximum: columns[1][index].value, sum: columns[2][index].value,
          count: Int(exactly: columns[3][index].value) ?? 0, last: columns[4][index].value,
          lost: lost))
    }
    return (buckets, columns.count == Self.columns)
  }

  /// nil for a column that was left out.
  private static func column(
    _ reader: inout ByteReader, _ clock: Clock
  ) throws(RowDamage) -> [Sample]? {
    let encoding = try reader.byte()
    if encoding == absent { return nil }
    let count = Int(clamping: try reader.varint())
    let start = reader.position
    try reader.skip(count)
    var samples = clock.times.map { Sample(timestamp: $0, value: 0) }
    let isSound = reader.bytes.withUnsafeBytes { bytes in
      samples.withUnsafeMutableBufferPointer {
        ColumnCodec.unpackValues(
          UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]), encoding: encoding,
          into: $0)
      }
    }
    guard isSound else { throw RowDamage() }
    return samples
  }
}
