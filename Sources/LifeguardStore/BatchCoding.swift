import LifeguardCore

/// Writes batches to the log: differences of numbers and times, values as they are.
///
/// They stay for minutes only, so speed counts and size does not.
enum BatchCoding {
  static func encode(_ ids: [Int], _ samples: [Sample], id: Int64) -> [UInt8] {
    precondition(ids.count == samples.count)
    // No number takes more than ten bytes.
    let most = Sealed.overhead + 10 + ids.count * 28
    var bytes = [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
      var position = Sealed.overhead
      for index in 0..<position { buffer[index] = 0 }
      func write(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
          buffer[position] = UInt8(truncatingIfNeeded: rest) | 0x80
          rest >>= 7
          position += 1
        }
        buffer[position] = UInt8(rest)
        position += 1
      }
      write(UInt64(ids.count))
      var series: Int64 = 0
      var time: Int64 = 0
      for index in ids.indices {
        let nextSeries = Int64(ids[index])
        let nextTime = samples[index].timestamp.milliseconds
        write(zigZag(nextSeries &- series))
        write(zigZag(nextTime &- time))
        (series, time) = (nextSeries, nextTime)
        UnsafeMutableRawBufferPointer(buffer).storeBytes(
          of: samples[index].value.bitPattern.littleEndian, toByteOffset: position,
          as: UInt64.self)
        position += 8
      }
      count = position
    }
    Sealed.seal(&bytes, (id, 0))
    return bytes
  }

  static func decode(
    _ bytes: [UInt8], id: Int64, each: (Int, Sample) -> Void
  ) throws(RowDamage) {
    guard Sealed.isSound(bytes, (id, 0)) else { throw RowDamage() }
    var reader = ByteReader(bytes: bytes)
    try reader.skip(Sealed.overhead)
    let count = try reader.varint()
    var series: Int64 = 0
    var time: Int64 = 0
    for _ in 0..<count {
      series &+= try reader.zigzag()
      time &+= try reader.zigzag()
      guard (0..<SampleSchema.seriesMax).contains(series) else { throw RowDamage() }
      let bits = try reader.word()
      each(
        Int(series),
        Sample(timestamp: Timestamp(milliseconds: time), value: Double(bitPattern: bits)))
    }
    guard reader.isAtEnd else { throw RowDamage() }
  }

  private static func zigZag(_ value: Int64) -> UInt64 {
    UInt64(bitPattern: value << 1 ^ value >> 63)
  }
}
