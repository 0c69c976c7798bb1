/// A remote write request (1.0), taken apart without building a single label set.
///
/// A sender repeats its series in every request, byte for byte, so a series is known by the bytes
/// of its labels: only one that is new is looked at closely (`WriteIngest`). That is most of the
/// speed.
///
/// ```
/// WriteRequest  1: TimeSeries  1: Label   1: name   2: value
///                              2: Sample  1: double 2: int64, milliseconds
///                              3: Exemplar, 4: Histogram      counted and passed over
///               3: MetricMetadata  1: type  2: family  4: help  5: unit
/// ```
/// Source: Prometheus, `prompb/types.proto` and the remote write specification 1.0.
public struct DecodedWrite: Sendable {
  /// One series of the request.
  public struct Series: Sendable {
    /// Where its labels stand in `bytes`, as protobuf fields.
    public var labels: Range<Int>
    /// Of those bytes; differs from process to process.
    public var hash: Int
    /// Which of `samples` are its own.
    public var samples: Range<Int>
  }

  /// The request, decompressed.
  public private(set) var bytes: [UInt8]
  public private(set) var series: [Series] = []
  public private(set) var samples: [Sample] = []
  public private(set) var metadata: [MetricFamily] = []
  /// What is not stored.
  public private(set) var exemplars = 0
  public private(set) var histograms = 0

  /// Decompresses and decodes a body as it was sent.
  ///
  /// - Throws: `WriteError` when any part of it is damaged or there is too much of it.
  public init(
    body: [UInt8], limits: WriteLimits = .standard
  ) throws(WriteError) {
    guard body.count <= limits.compressedBytesMax else {
      throw .tooMany("bytes", limit: limits.compressedBytesMax)
    }
    let bytes: [UInt8]
    do {
      bytes = try Snappy.decompress(body, limit: limits.bytesMax)
    } catch {
      throw .snappy(error)
    }
    try self.init(decoding: bytes, limits: limits)
  }

  /// Decodes a `WriteRequest`.
  ///
  /// - Throws: `WriteError` when it is damaged or holds too much.
  public init(
    decoding bytes: [UInt8], limits: WriteLimits = .standard
  ) throws(WriteError) {
    self.bytes = bytes
    do {
      try bytes.withUnsafeBufferPointer { raw throws(Interruption) in
        guard let base = raw.baseAddress else { return }
        try decode(UnsafeRawPointer(base), raw.count, limits)
      }
    } catch {
      switch error {
      case .wire(let failure): throw .malformed(failure.description)
      case .refused(let error): throw error
      }
    }
  }

  /// What ends the decoding.
  private enum Interruption: Error {
    case wire(ProtobufReader.Failure)
    case refused(WriteError)
  }

  private mutating func decode(
    _ base: UnsafeRawPointer, _ count: Int, _ limits: WriteLimits
  ) throws(Interruption) {
    // A series with a name, one more label and a sample takes some 60 bytes at least.
    series.reserveCapacity(min(count / 64, limits.seriesMax))
    samples.reserveCapacity(min(count / 64, limits.samplesMax))
    var reader = ProtobufReader(base, 0..<count)
    do throws(ProtobufReader.Failure) {
      while !reader.isAtEnd {
        let (number, type) = try reader.field()
        switch (number, type) {
        case (1, .bytes): try decodeSeries(base, try reader.range(), samplesMax: limits.samplesMax)
        case (3, .bytes): try decodeMetadata(base, try reader.range(), limits)
        default: try reader.skip(type)
        }
        if series.count > limits.seriesMax || samples.count > limits.samplesMax { break }
      }
    } catch {
      throw .wire(error)
    }
    guard series.count <= limits.seriesMax else {
      throw .refused(.tooMany("series", limit: limits.seriesMax))
    }
    guard samples.count <= limits.samplesMax else {
      throw .refused(.tooMany("samples", limit: limits.samplesMax))
    }
  }

  /// Stops reading samples with the first one too many, for the caller to refuse: one series of
  /// empty samples would turn a body of 32 MiB into 256 MiB.
  private mutating func decodeSeries(
    _ base: UnsafeRawPointer, _ range: Range<Int>, samplesMax: Int
  ) throws(ProtobufReader.Failure) {
    var reader = ProtobufReader(base, range)
    let first = samples.count
    var labels = range.lowerBound..<range.lowerBound
    /// Labels that do not stand together, put together.
    var gathered: [UInt8]?
    while !reader.isAtEnd {
      let start = reader.position
      let (number, type) = try reader.field()
      switch (number, type) {
      case (1, .bytes):
        _ = try reader.range()
        if gathered == nil, labels.isEmpty || labels.upperBound == start {
          labels = (labels.isEmpty ? start : labels.lowerBound)..<reader.position
        } else {
          if gathered == nil { gathered = Array(Self.raw(base, labels)) }
          gathered? += Self.raw(base, start..<reader.position)
        }
      case (2, .bytes):
        samples.append(try Self.sample(base, try reader.range()))
        if samples.count > samplesMax { return }
      case (3, .bytes):
        _ = try reader.range()
        exemplars += 1
      case (4, .bytes):
        _ = try reader.range()
        histograms += 1
      default: try reader.skip(type)
      }
    }
    var hasher = Hasher()
    if let gathered {
      // Only legal, never seen: appended, so that every series has one range.
      labels = bytes.count..<(bytes.count + gathered.count)
      bytes += gathered
      gathered.withUnsafeBytes { hasher.combine(bytes: $0) }
    } else {
      hasher.combine(bytes: Self.raw(base, labels))
    }
    series.append(
      Series(labels: labels, hash: hasher.finalize(), samples: first..<samples.count))
  }

  @inline(__always)
  private static func raw(
    _ base: UnsafeRawPointer, _ range: Range<Int>
  ) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
  }

  @inline(__always)
  private static func sample(
    _ base: UnsafeRawPointer, _ range: Range<Int>
  ) throws(ProtobufReader.Failure) -> Sample {
    var reader = ProtobufReader(base, range)
    var sample = Sample(timestamp: Timestamp(milliseconds: 0), value: 0)
    while !reader.isAtEnd {
      let (number, type) = try reader.field()
      switch (number, type) {
      case (1, .fixed64): sample.value = Double(bitPattern: try reader.fixed64())
      case (2, .varint):
        sample.timestamp.milliseconds = Int64(bitPattern: try reader.varint())
      default: try reader.skip(type)
      }
    }
    return sample
  }

  private mutating func decodeMetadata(
    _ base: UnsafeRawPointer, _ range: Range<Int>, _ limits: WriteLimits
  ) throws(ProtobufReader.Failure) {
    var reader = ProtobufReader(base, range)
    var family = MetricFamily(name: "", help: "", type: .untyped)
    while !reader.isAtEnd {
      let (number, type) = try reader.field()
      switch (number, type) {
      case (1, .varint): family.type = Self.metricType(try reader.varint())
      case (2, .bytes): family.name = Self.text(base, try reader.range(), limits.nameBytesMax)
      case (4, .bytes): family.help = Self.text(base, try reader.range(), limits.valueBytesMax)
      case (5, .bytes):
        let unit = Self.text(base, try reader.range(), limits.nameBytesMax)
        family.unit = unit.isEmpty ? nil : unit
      default: try reader.skip(type)
      }
    }
    // A description informs people and no more: one too many is left out without a word.
    if !family.name.isEmpty, metadata.count < limits.metadataMax { metadata.append(family) }
  }

  /// Longer texts are left out: a name would be another one when it is cut.
  private static func text(
    _ base: UnsafeRawPointer, _ range: Range<Int>, _ limit: Int
  ) -> String {
    range.count > limit ? "" : String(decoding: raw(base, range), as: UTF8.self)
  }

  /// `MetricMetadata.MetricType`; gauge histograms and state sets have no counterpart.
  private static func metricType(_ number: UInt64) -> MetricType {
    switch number {
    case 1: .counter
    case 2: .gauge
    case 3: .histogram
    case 5: .summary
    case 6: .info
    default: .untyped
    }
  }
}
