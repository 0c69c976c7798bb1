import LifeguardCore
import TestSupport
import Testing

/// The protobuf of remote write 1.0, both ways, and what it refuses.
@Suite struct WriteRequestTests {
  private func sample(_ seconds: Double, _ value: Double) -> Sample {
    Sample(timestamp: Timestamp(seconds: seconds), value: value)
  }

  /// A field of wire type 2.
  private func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    [number << 3 | 2, UInt8(content.count)] + content
  }

  private func label(_ name: String, _ value: String) -> [UInt8] {
    field(1, field(1, Array(name.utf8)) + field(2, Array(value.utf8)))
  }

  /// 1.5 at 1000 ms.
  private var point: [UInt8] {
    field(2, [0x09, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0x10, 0xE8, 0x07])
  }

  @Test func `a request comes back as it was, staleness markers and negative times included`()
    throws
  {
    let request = WriteRequest(
      series: [
        WrittenSeries(
          labels: ["__name__": "up", "job": "node"],
          samples: [sample(-1, 0), sample(0, 1), sample(1_790_000_000.123, .infinity)]),
        WrittenSeries(labels: ["__name__": "äöü", "ключ": "日本"], samples: []),
      ],
      metadata: [
        MetricFamily(name: "up", help: "Whether.", type: .gauge),
        MetricFamily(name: "x_seconds_total", help: "", type: .counter, unit: "seconds"),
      ])
    #expect(try WriteRequest(decoding: request.encoded()) == request)
    let stale = WriteRequest(
      series: [WrittenSeries(labels: ["__name__": "x"], samples: [sample(1, .staleMarker)])])
    let back = try WriteRequest(decoding: stale.encoded())
    #expect(back.series[0].samples[0].isStaleMarker)
  }

  @Test func `the bytes are those of Prometheus`() {
    let request = WriteRequest(
      series: [WrittenSeries(labels: ["__name__": "up"], samples: [sample(1, 1.5)])])
    let series = label("__name__", "up") + point
    #expect(request.encoded() == field(1, series))
  }

  @Test func `what is not known, exemplars and histograms are passed over and counted`() throws {
    let unknown: [UInt8] = [0x7A, 1, 9, 0x78, 5, 0x7D, 1, 2, 3, 4, 0x79, 1, 2, 3, 4, 5, 6, 7, 8]
    let exemplar = field(3, [])
    let histogram = field(4, [1 << 3, 1])
    let series = label("__name__", "up") + unknown + exemplar + point + histogram
    let decoded = try DecodedWrite(decoding: unknown + field(1, series) + unknown)
    #expect(decoded.samples == [sample(1, 1.5)])
    #expect(decoded.exemplars == 1 && decoded.histograms == 1)
    #expect(try decoded.labels(of: decoded.series[0]) == ["__name__": "up"])
  }

  @Test func `labels that do not stand together are put together`() throws {
    let series = label("__name__", "up") + point + label("job", "node")
    let decoded = try DecodedWrite(decoding: field(1, series))
    #expect(try decoded.labels(of: decoded.series[0]) == ["__name__": "up", "job": "node"])
  }

  @Test func `labels are sorted and empty ones dropped`() throws {
    let series =
      label("job", "node") + label("__name__", "up") + label("empty", "") + point
    let decoded = try DecodedWrite(decoding: field(1, series))
    let labels = try decoded.labels(of: decoded.series[0])
    #expect(labels == ["__name__": "up", "job": "node"])
    #expect(labels.map(\.name) == ["__name__", "job"])
  }

  @Test func `bad labels are refused with their reason`() throws {
    let twice = label("__name__", "up") + label("a", "1") + label("a", "2")
    let nameless = label("job", "node")
    let noName = label("__name__", "up") + label("", "x")
    let notText = label("__name__", "up") + field(1, field(1, [97]) + field(2, [0xFF, 0xFE]))
    for (series, reason) in [
      (twice, "duplicated label a"), (nameless, "the metric has no name"),
      (noName, "a name is empty"), (notText, "not valid UTF-8"),
    ] {
      let decoded = try DecodedWrite(decoding: field(1, series))
      let fault = #expect(throws: LabelFault.self) {
        try decoded.labels(of: decoded.series[0])
      }
      #expect(fault?.description.contains(reason) == true, "\(String(describing: fault))")
    }
  }

  @Test func `label bombs are refused`() throws {
    var many = label("__name__", "up")
    for index in 0..<70 { many += label("l\(index)", "x") }
    var writer = WriteRequestWriter()
    writer.append(many, [])
    let decoded = try DecodedWrite(decoding: writer.bytes)
    #expect(throws: LabelFault.self) { try decoded.labels(of: decoded.series[0]) }
    let long = WriteRequest(
      series: [
        WrittenSeries(
          labels: ["__name__": "up", "x": String(repeating: "y", count: 10_000)], samples: [])
      ])
    #expect(throws: WriteError.self) { try WriteRequest(decoding: long.encoded()) }
  }

  @Test func `more series or samples than a request may hold are refused`() throws {
    let request = WriteRequest(
      series: (0..<20).map {
        WrittenSeries(labels: ["__name__": "m\($0)"], samples: [sample(1, 1), sample(2, 2)])
      })
    #expect(throws: WriteError.tooMany("series", limit: 10)) {
      try DecodedWrite(decoding: request.encoded(), limits: WriteLimits(seriesMax: 10))
    }
    #expect(throws: WriteError.tooMany("samples", limit: 30)) {
      try DecodedWrite(decoding: request.encoded(), limits: WriteLimits(samplesMax: 30))
    }
    #expect(throws: WriteError.tooMany("bytes", limit: 10)) {
      try DecodedWrite(
        body: Snappy.compress(request.encoded()), limits: WriteLimits(compressedBytesMax: 10))
    }
  }

  @Test func `damaged requests end in an error`() {
    for bytes: [UInt8] in [
      [0x0A], [0x0A, 5, 1], [0x0B], [0x00, 1], [0x08], [0x09, 1, 2],
      [0x08] + [UInt8](repeating: 0xFF, count: 10) + [1], [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
      field(1, [0x0A, 9]), field(1, field(2, [0x09, 1])),
    ] {
      #expect(throws: WriteError.self, "\(bytes)") { try DecodedWrite(decoding: bytes) }
    }
  }

  @Test func `any bytes end in an answer`() throws {
    var random = SeededGenerator(seed: Fuzzing.seed)
    let request = WriteRequest(
      series: (0..<5).map {
        WrittenSeries(
          labels: ["__name__": "metric", "instance": "host:\($0)"],
          samples: [sample(1, Double($0)), sample(2, 1)])
      }, metadata: [MetricFamily(name: "metric", help: "A metric.", type: .gauge)])
    let good = request.encoded()
    var head = Head()
    var ingest = WriteIngest()
    let window = TimeWindow(now: Timestamp(seconds: 10), retention: .seconds(3600))
    for round in Fuzzing.rounds(20_000) {
      if round % 20_000 == 0 { (head, ingest) = (Head(), WriteIngest()) }
      var bytes = good
      for _ in 0..<Int.random(in: 1...5, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
      }
      if Bool.random(using: &random) {
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
      }
      guard let decoded = try? DecodedWrite(decoding: bytes) else { continue }
      var outcome = WriteOutcome()
      let next = ingest.append(
        decoded, from: 0, budget: .max, window: window, into: &head, outcome: &outcome)
      #expect(next == decoded.series.count)
    }
    #expect(head.seriesCount < 40_000)
  }

  @Test func `one series with too many samples is refused at the first one too many`() {
    // What follows is no sample: only who stops in time does not read it.
    let damaged: [UInt8] = [0x12, 0x7F]
    let series = label("__name__", "up") + point + point + point + damaged
    var limits = WriteLimits.standard
    limits.samplesMax = 2
    #expect(throws: WriteError.tooMany("samples", limit: 2)) {
      try DecodedWrite(decoding: field(1, series), limits: limits)
    }
    // A bomb: 32 MiB of empty samples of one series, eight times as much in memory.
    var bomb = [UInt8](repeating: 0, count: 1 << 25)
    for index in stride(from: 0, to: bomb.count, by: 2) { bomb[index] = 0x12 }
    #expect(throws: WriteError.tooMany("samples", limit: 1_000_000)) {
      try DecodedWrite(decoding: [1 << 3 | 2] + [0x80, 0x80, 0x80, 0x10] + bomb)
    }
  }
}
