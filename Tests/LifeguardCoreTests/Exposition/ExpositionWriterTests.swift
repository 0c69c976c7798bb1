import Testing

@testable import LifeguardCore

/// The two text formats, compared with what client_golang writes.
@Suite struct ExpositionWriterTests {
  private func write(_ families: [ExposedFamily], _ format: ExpositionFormat) -> String {
    String(decoding: ExpositionWriter.write(families, format: format), as: UTF8.self)
  }

  @Test func `a counter and a gauge in the Prometheus text format`() {
    let text = write(
      [
        ExposedFamily(
          family: MetricFamily(
            name: "node_cpu_seconds_total", help: "Seconds the CPUs spent in each mode.",
            type: .counter, unit: "seconds"),
          series: [
            ExposedSeries(labels: ["cpu": "0", "mode": "idle"], value: 654.05),
            ExposedSeries(labels: ["cpu": "0", "mode": "irq"], value: 0),
          ]),
        ExposedFamily(
          family: MetricFamily(name: "node_load1", help: "1m load average.", type: .gauge),
          series: [ExposedSeries(labels: [:], value: 0.06)]),
      ], .prometheusText)
    #expect(
      text == """
        # HELP node_cpu_seconds_total Seconds the CPUs spent in each mode.
        # TYPE node_cpu_seconds_total counter
        node_cpu_seconds_total{cpu="0",mode="idle"} 654.05
        node_cpu_seconds_total{cpu="0",mode="irq"} 0
        # HELP node_load1 1m load average.
        # TYPE node_load1 gauge
        node_load1 0.06

        """)
  }

  @Test func `the same in OpenMetrics, with units, whole numbers and the end mark`() {
    let text = write(
      [
        ExposedFamily(
          family: MetricFamily(
            name: "node_cpu_seconds_total", help: "Seconds \"spent\".", type: .counter,
            unit: "seconds"),
          series: [
            ExposedSeries(
              labels: ["cpu": "0"], value: 3, timestamp: Timestamp(milliseconds: 1_500_000_000_070))
          ]),
        ExposedFamily(
          family: MetricFamily(name: "node_vmstat_pgpgin", help: "", type: .untyped),
          series: [ExposedSeries(labels: [:], value: 1.5e9)]),
      ], .openMetrics)
    #expect(
      text == """
        # TYPE node_cpu_seconds counter
        # UNIT node_cpu_seconds seconds
        # HELP node_cpu_seconds Seconds \\"spent\\".
        node_cpu_seconds_total{cpu="0"} 3.0 1500000000.070
        # TYPE node_vmstat_pgpgin unknown
        node_vmstat_pgpgin 1.5e+09
        # EOF

        """)
  }

  @Test func `label values and help texts are escaped`() {
    let family = MetricFamily(name: "x", help: "back\\slash and\nfeed", type: .gauge)
    let text = write(
      [
        ExposedFamily(
          family: family, series: [ExposedSeries(labels: ["a": "q\"b\\c\nd"], value: 1)])
      ], .prometheusText)
    #expect(
      text == """
        # HELP x back\\\\slash and\\nfeed
        # TYPE x gauge
        x{a="q\\"b\\\\c\\nd"} 1

        """)
  }

  /// What Go's strconv.FormatFloat(value, 'g', -1, 64) gives, taken from node_exporter's output.
  @Test(arguments: [
    (0.0, "0"), (-0.0, "-0"), (1, "1"), (-1, "-1"), (177_619, "177619"),
    (2_466_186, "2.466186e+06"), (1.795405394e9, "1.795405394e+09"),
    (2.54707081216e11, "2.54707081216e+11"), (0.11900000000000001, "0.11900000000000001"),
    (1.8446744073709552e19, "1.8446744073709552e+19"), (3.7e-07, "3.7e-07"),
    (0.0001, "0.0001"), (0.00001, "1e-05"), (999_999.5, "999999.5"), (1_000_000, "1e+06"),
    (123_456.789, "123456.789"), (.leastNonzeroMagnitude, "5e-324"), (1e100, "1e+100"),
    (-125_000, "-125000"),
    (100.5, "100.5"), (0.5, "0.5"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
  ])
  func `numbers are written as Go writes them`(value: Double, expected: String) {
    let family = MetricFamily(name: "x", help: "", type: .gauge)
    let text = write(
      [ExposedFamily(family: family, series: [ExposedSeries(labels: [:], value: value)])],
      .prometheusText)
    #expect(text == "# TYPE x gauge\nx \(expected)\n")
  }

  @Test func `every finite number reads back as itself`() {
    var bits: UInt64 = 0x9e37_79b9_7f4a_7c15
    let family = MetricFamily(name: "x", help: "", type: .gauge)
    for _ in 0..<2000 {
      bits = bits &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let value = Double(bitPattern: bits)
      guard value.isFinite else { continue }
      let text = write(
        [ExposedFamily(family: family, series: [ExposedSeries(labels: [:], value: value)])],
        .prometheusText)
      let number = text.split(separator: "\n").last?.dropFirst(2) ?? ""
      #expect(Double(number) == value)
    }
  }

  @Test(arguments: [
    (nil, ExpositionFormat.prometheusText), ("*/*", .prometheusText),
    ("text/plain", .prometheusText),
    (
      "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      .openMetrics
    ),
    ("application/openmetrics-text;q=0.2, text/plain;q=0.9", .prometheusText),
    ("application/openmetrics-text;q=0", .prometheusText),
  ])
  func `a scraper gets the format it prefers`(accept: String?, format: ExpositionFormat) {
    #expect(ExpositionFormat(accept: accept) == format)
  }

  private static let wide: Labels = [
    "__name__": "http.server\"requests", "my label": "a", "job": "b",
  ]

  private func federated(_ format: ExpositionFormat, _ accept: String?) -> String {
    var writer = ExpositionWriter(format: format, escaping: NameEscaping(accept: accept))
    let family = MetricFamily(name: Self.wide.metric, help: "", type: .untyped)
    writer.begin(family)
    writer.append(1, labels: Self.wide, of: family, emptyLabel: "instance")
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test(arguments: ExpositionFormat.allCases)
  func `names beyond words are quoted for those who take them, and read back`(
    format: ExpositionFormat
  ) throws {
    let accept = "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4, */*;q=0.1"
    let text = federated(format, accept)
    #expect(text.hasPrefix(#"# TYPE "http.server\"requests" un"#))
    #expect(text.contains(#"{"http.server\"requests",instance="",job="b","my label"="a"} 1"#))
    let end = format == .openMetrics ? "# EOF\n" : ""
    let read = try ExpositionParser.parse(Array((text + end).utf8), format: format)
    #expect(read.samples.map(\.labels) == [Self.wide])
  }

  @Test(arguments: [nil, "text/plain;version=0.0.4", "text/plain;escaping=underscores"])
  func `everybody else gets underscores`(accept: String?) throws {
    let text = federated(.prometheusText, accept)
    #expect(
      text == """
        # TYPE http_server_requests untyped
        http_server_requests{instance="",job="b",my_label="a"} 1

        """)
    #expect(NameEscaping.underscored("1a:é-", allowsColon: true) == "_a:__")
  }
}
