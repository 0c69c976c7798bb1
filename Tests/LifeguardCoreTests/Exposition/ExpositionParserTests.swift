import LifeguardCore
import TestSupport
import Testing

/// Both text formats as Prometheus reads them.
@Suite struct ExpositionParserTests {
  private func parse(
    _ text: String, _ format: ExpositionFormat = .prometheusText,
    limits: ExpositionLimits = .standard
  ) throws(ExpositionError) -> Exposition {
    try ExpositionParser.parse(Array(text.utf8), format: format, limits: limits)
  }

  private func fault(
    _ text: String, _ format: ExpositionFormat = .prometheusText,
    limits: ExpositionLimits = .standard
  ) -> String? {
    do throws(ExpositionError) {
      _ = try parse(text, format, limits: limits)
      return nil
    } catch {
      return error.description
    }
  }

  @Test func `the example of the format's description`() throws {
    let text = #"""
      # HELP http_requests_total The total number of HTTP requests.
      # TYPE http_requests_total counter
      http_requests_total{method="post",code="200"} 1027 1395066363000
      http_requests_total{method="post",code="400"}    3 1395066363000

      # Escaping in label values:
      msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9

      # Minimalistic line:
      metric_without_timestamp_and_labels 12.47

      # A weird metric from before the epoch:
      something_weird{problem="division by zero"} +Inf -3982045

      # TYPE rpc_duration_seconds summary
      rpc_duration_seconds{quantile="0.01"} 3102
      rpc_duration_seconds{quantile="1"} 76656
      rpc_duration_seconds_sum 1.7560473e+07
      # TYPE request_seconds histogram
      request_seconds_bucket{le="1"} 144320
      request_seconds_bucket{le="+Inf"} 144320
      request_seconds_bucket{le="1e6"} 2
      """#
    let found = try parse(text)
    #expect(found.samples.count == 11)
    #expect(
      found.samples[0]
        == ParsedSample(
          labels: ["__name__": "http_requests_total", "code": "200", "method": "post"],
          value: 1027, timestamp: Timestamp(milliseconds: 1_395_066_363_000)))
    #expect(found.samples[2].labels["path"] == #"C:\DIR\FILE.TXT"#)
    #expect(found.samples[2].labels["error"] == "Cannot find file:\n\"FILE.TXT\"")
    #expect(found.samples[2].value == 1.458255915e9)
    #expect(found.samples[4].value == .infinity)
    #expect(found.samples[4].timestamp == Timestamp(milliseconds: -3_982_045))
    // As Prometheus v3 stores them.
    #expect(found.samples[6].labels["quantile"] == "1.0")
    #expect(found.samples[8].labels["le"] == "1.0")
    #expect(found.samples[9].labels["le"] == "+Inf")
    #expect(found.samples[10].labels["le"] == "1e+06")
    #expect(found.families.map(\.name).contains("http_requests_total"))
    #expect(
      found.families.first { $0.name == "http_requests_total" }?.help
        == "The total number of HTTP requests.")
  }

  @Test func `OpenMetrics with units, exemplars, seconds and the end mark`() throws {
    let text = """
      # TYPE foo_seconds counter
      # UNIT foo_seconds seconds
      # HELP foo_seconds Help with a \\"quote\\" and a \\n line.
      foo_seconds_total{a="b"} 17.0 1520879607.789 # {trace_id="x} y"} 0.5 1520879607.1
      foo_seconds_created{a="b"} 1520430000.123
      # TYPE bar unknown
      bar 1
      # EOF

      """
    let found = try parse(text, .openMetrics)
    #expect(found.samples.count == 3)
    #expect(found.samples[0].timestamp == Timestamp(milliseconds: 1_520_879_607_789))
    let family = try #require(found.families.first { $0.type == .counter })
    #expect(family.name == "foo_seconds_total" && family.unit == "seconds")
    #expect(family.help == "Help with a \"quote\" and a \n line.")
  }

  @Test func `names in quotes may hold anything`() throws {
    let text = """
      # TYPE "my.metric" gauge
      {"my.metric","label.one"="ä",two="b"} 1
      {"my.metric"} 2
      plain{"quoted \\"name\\""="x",} 3

      """
    let found = try parse(text)
    #expect(found.samples[0].labels == ["__name__": "my.metric", "label.one": "ä", "two": "b"])
    #expect(found.samples[1].labels == ["__name__": "my.metric"])
    #expect(found.samples[2].labels == ["__name__": "plain", "quoted \"name\"": "x"])
    #expect(found.families.map(\.name) == ["my.metric"])
  }

  @Test func `numbers as Go reads them`() throws {
    let cases: [(String, Double)] = [
      ("0", 0), ("-0", -0.0), ("1.5", 1.5), ("0.1", 0.1), ("123456789012345", 123_456_789_012_345),
      ("1234567890123456789", 1.2345678901234568e18), ("1e-300", 1e-300), (".5", 0.5),
      ("5.", 5), ("+1", 1), ("Inf", .infinity), ("-inf", -.infinity), ("1E3", 1000),
      ("0.000000000000001", 1e-15), ("9007199254740993", 9_007_199_254_740_992),
    ]
    for (text, value) in cases {
      let found = try parse("m \(text)\n").samples[0].value
      #expect(found.bitPattern == value.bitPattern, "\(text) gave \(found)")
    }
    #expect(try parse("m NaN\n").samples[0].value.isNaN)
    for text in ["1_000", "0x10p2", "x", "1.2.3", "--1", "", "-", ".", "1e", "nope"] {
      #expect(fault("m \(text)\n") != nil, "\(text)")
    }
  }

  @Test func `faults have a line and a column`() {
    #expect(fault("a 1\nb{x=\"1} 2\n")?.hasPrefix("2:") == true)
    #expect(fault("a 1\n  b x\n") == "2:5: expected a value")
    #expect(fault("a{x=1} 2\n") == "1:5: expected a label value in quotes, in valid UTF-8")
    #expect(fault("a{x=\"1\" y=\"2\"} 2\n") == "1:9: expected , or } after the label")
    #expect(fault("a{x=\"1\",x=\"2\"} 2\n") == "1:1: label name \"x\" is not unique")
    #expect(fault("a 1 2 3\n") == "1:7: unexpected text after the sample")
    #expect(fault("a 1 1.5\n") == "1:5: expected a timestamp")
    #expect(fault("# TYPE a thing\n") == "1:10: invalid metric type \"thing\"")
    #expect(fault("{x=\"1\"} 2\n") == "1:1: the metric has no name")
    #expect(fault("a\n") != nil && fault("a-b 1\n") != nil && fault("1a 1\n") != nil)
  }

  @Test func `OpenMetrics is strict`() {
    #expect(fault("a 1\n", .openMetrics) == "2:1: data does not end with # EOF")
    #expect(fault("a 1\n# EOF\nb 1\n", .openMetrics) == "3:1: unexpected data after # EOF")
    #expect(fault("\na 1\n# EOF\n", .openMetrics)?.hasPrefix("1:1") == true)
    #expect(fault("# comment\n# EOF\n", .openMetrics)?.hasPrefix("1:1") == true)
    #expect(fault("# UNIT a seconds\n# EOF\n", .openMetrics)?.contains("not a suffix") == true)
    #expect(fault("a 1\n# EOF", .openMetrics) == nil)
  }

  @Test func `bombs end at the limits`() {
    let labels = (0..<300).map { "l\($0)=\"x\"" }.joined(separator: ",")
    #expect(fault("a{\(labels)} 1\n")?.contains("labels") == true)
    let lines = String(repeating: "a 1\n", count: 50)
    #expect(fault(lines, limits: ExpositionLimits(samplesMax: 10)) == "11:1: more than 10 samples")
    let long = "a{x=\"\(String(repeating: "y", count: 70_000))\"} 1\n"
    #expect(fault(long)?.contains("longer than") == true)
  }

  @Test func `what is written is read again`() throws {
    let families = [
      ExposedFamily(
        family: MetricFamily(
          name: "a_seconds_total", help: "Two\nlines \\ and \"quotes\".", type: .counter,
          unit: "seconds"),
        series: [
          ExposedSeries(
            labels: ["x": "a\"b\\c\nd"], value: 0.1, timestamp: Timestamp(milliseconds: 1_234_567))
        ]),
      ExposedFamily(
        family: MetricFamily(name: "b", help: "", type: .gauge),
        series: [ExposedSeries(labels: [:], value: -.infinity)]),
    ]
    for format in ExpositionFormat.allCases {
      let bytes = ExpositionWriter.write(families, format: format)
      let found = try ExpositionParser.parse(bytes, format: format)
      #expect(found.samples.map(\.value) == [0.1, -.infinity])
      #expect(found.samples[0].labels == ["__name__": "a_seconds_total", "x": "a\"b\\c\nd"])
      #expect(found.samples[0].timestamp == Timestamp(milliseconds: 1_234_567))
      #expect(found.families[0].help == families[0].family.help)
      #expect(found.families.map(\.type) == [.counter, .gauge])
    }
  }

  @Test(arguments: ExpositionFormat.allCases)
  func `any bytes end in an answer`(_ format: ExpositionFormat) {
    var random = SeededGenerator(seed: Fuzzing.seed)
    let good = Array(
      """
      # TYPE foo counter
      # HELP foo Some \\n help.
      foo_total{a="b",c="d\\"e"} 17.0 1520879607 # {id="x"} 1
      {"utf.8", "b"="c"} 1e5
      # EOF

      """.utf8)
    let spice = Array("{}\"\\\n\t =,#+-eE.0\u{0}".utf8) + [0xFF, 0xC3]
    for _ in Fuzzing.rounds(20_000) {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = spice.randomElement(using: &random) ?? 0
        case 1: bytes.insert(spice.randomElement(using: &random) ?? 0, at: place)
        default: bytes.remove(at: place)
        }
      }
      _ = Result { try ExpositionParser.parse(bytes, format: format) }
    }
  }
}
