/// A remote write request (1.0) as values: what tests and senders of few series work with.
public struct WriteRequest: Hashable, Sendable {
  public var series: [WrittenSeries]
  public var metadata: [MetricFamily]

  public init(series: [WrittenSeries] = [], metadata: [MetricFamily] = []) {
    self.series = series
    self.metadata = metadata
  }

  /// Decodes a `WriteRequest`; exemplars, native histograms and unknown fields are passed over.
  ///
  /// - Throws: `WriteError`, also when the labels of a series break a rule.
  public init(decoding bytes: [UInt8], limits: WriteLimits = .standard) throws(WriteError) {
    let decoded = try DecodedWrite(decoding: bytes, limits: limits)
    series = []
    metadata = decoded.metadata
    for one in decoded.series {
      let labels: Labels
      do {
        labels = try decoded.labels(of: one, limits: limits)
      } catch {
        throw .malformed(error.description)
      }
      series.append(WrittenSeries(labels: labels, samples: Array(decoded.samples[one.samples])))
    }
  }

  /// As protobuf, not compressed.
  public func encoded() -> [UInt8] {
    var writer = WriteRequestWriter()
    for one in series { writer.append(WriteRequestWriter.encode(one.labels), one.samples) }
    for family in metadata { writer.append(family) }
    return writer.bytes
  }
}

/// One series of a request.
public struct WrittenSeries: Hashable, Sendable {
  public var labels: Labels
  public var samples: [Sample]

  public init(labels: Labels, samples: [Sample]) {
    self.labels = labels
    self.samples = samples
  }
}

/// Writes a request series by series; labels are encoded once and used again.
public struct WriteRequestWriter: Sendable {
  private var writer = ProtobufWriter()

  public init() {}

  /// What was written so far, not compressed.
  public var bytes: [UInt8] { writer.bytes }

  /// A label set as protobuf fields of a `TimeSeries`.
  public static func encode(_ labels: Labels) -> [UInt8] {
    var writer = ProtobufWriter()
    var label = ProtobufWriter()
    for one in labels {
      label.removeAll()
      label.text(1, one.name)
      label.text(2, one.value)
      writer.message(1, label.bytes)
    }
    return writer.bytes
  }

  /// Adds a series whose labels `encode` has written.
  public mutating func append(_ labels: [UInt8], _ samples: some Sequence<Sample>) {
    var content = ProtobufWriter()
    for sample in samples {
      let time = UInt64(bitPattern: sample.timestamp.milliseconds)
      content.beginMessage(2, count: 10 + ProtobufWriter.size(time))
      content.double(1, sample.value)
      content.varint(2, sample.timestamp.milliseconds)
    }
    writer.beginMessage(1, count: labels.count + content.bytes.count)
    writer.append(labels)
    writer.append(content.bytes)
  }

  /// Adds the description of a family.
  public mutating func append(_ family: MetricFamily) {
    var content = ProtobufWriter()
    content.varint(1, Self.number(of: family.type))
    content.text(2, family.name)
    content.text(4, family.help)
    if let unit = family.unit { content.text(5, unit) }
    writer.message(3, content.bytes)
  }

  private static func number(of type: MetricType) -> Int64 {
    switch type {
    case .untyped: 0
    case .counter: 1
    case .gauge: 2
    case .histogram: 3
    case .summary: 5
    case .info: 6
    }
  }
}
