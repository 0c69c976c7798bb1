/// What one record of a remote write queue holds: samples, and the labels of series that are new.
///
/// ```
/// varint  count of new series, each: number, length, labels as protobuf fields of a TimeSeries
/// varint  count of samples, each: number and time as differences from the last one, 8 value bytes
/// ```
/// Compressed with Snappy as a whole. About ten bytes a sample.
public struct SpoolContent: Hashable, Sendable {
  /// A series that has not been named since the queue's file began.
  public struct Introduction: Hashable, Sendable {
    public var number: Int
    /// As `WriteRequestWriter.encode` writes them.
    public var labels: [UInt8]

    public init(number: Int, labels: [UInt8]) {
      self.number = number
      self.labels = labels
    }
  }

  /// A sample of a series that was introduced.
  public struct Entry: Hashable, Sendable {
    public var number: Int
    public var sample: Sample

    public init(number: Int, sample: Sample) {
      self.number = number
      self.sample = sample
    }

    /// Compares bits, because a staleness marker is a NaN.
    public static func == (left: Entry, right: Entry) -> Bool {
      left.number == right.number && left.sample.timestamp == right.sample.timestamp
        && left.sample.value.bitPattern == right.sample.value.bitPattern
    }
  }

  public var introduced: [Introduction] = []
  public var entries: [Entry] = []

  public init() {}

  /// What `encoded` wrote; nil when it is damaged.
  public init?(decoding bytes: [UInt8]) {
    // A record that cannot be read is one: there is nothing more to say about it.
    guard let plain = try? Snappy.decompress(bytes, limit: 64 << 20) else { return nil }
    do throws(ProtobufReader.Failure) {
      try plain.withUnsafeBufferPointer { raw throws(ProtobufReader.Failure) in
        guard let base = raw.baseAddress else { return }
        var reader = ProtobufReader(UnsafeRawPointer(base), 0..<raw.count)
        try decode(&reader, plain)
      }
    } catch {
      return nil
    }
  }

  private mutating func decode(
    _ reader: inout ProtobufReader, _ plain: [UInt8]
  ) throws(ProtobufReader.Failure) {
    for _ in 0..<(try count(&reader, plain)) {
      let number = Int(truncatingIfNeeded: try reader.varint())
      introduced.append(Introduction(number: number, labels: Array(plain[try reader.range()])))
    }
    let samples = try count(&reader, plain)
    entries.reserveCapacity(samples)
    var number: Int64 = 0
    var time: Int64 = 0
    for _ in 0..<samples {
      number &+= Int64(zigZag: try reader.varint())
      time &+= Int64(zigZag: try reader.varint())
      let value = Double(bitPattern: try reader.fixed64())
      entries.append(
        Entry(
          number: Int(number),
          sample: Sample(timestamp: Timestamp(milliseconds: time), value: value)))
    }
  }

  /// A count of things that take two bytes each at least.
  private func count(
    _ reader: inout ProtobufReader, _ plain: [UInt8]
  ) throws(ProtobufReader.Failure) -> Int {
    let count = try reader.varint()
    guard count <= UInt64(plain.count / 2) else { throw reader.failure("a count is too large") }
    return Int(count)
  }

  /// For `Spool.append`.
  public func encoded() -> [UInt8] {
    var writer = ProtobufWriter()
    writer.reserve(entries.count * 11 + 64)
    writer.varint(UInt64(introduced.count))
    for one in introduced {
      writer.varint(UInt64(one.number))
      writer.varint(UInt64(one.labels.count))
      writer.append(one.labels)
    }
    writer.varint(UInt64(entries.count))
    var number: Int64 = 0
    var time: Int64 = 0
    for entry in entries {
      let next = Int64(entry.number)
      writer.varint((next &- number).zigZag)
      writer.varint((entry.sample.timestamp.milliseconds &- time).zigZag)
      writer.fixed64(entry.sample.value.bitPattern)
      number = next
      time = entry.sample.timestamp.milliseconds
    }
    return Snappy.compress(writer.bytes)
  }
}
