/// Writes metric families in the Prometheus text format 0.0.4 or in OpenMetrics 1.0.
///
/// Sources: Prometheus, "Exposition formats"; OpenMetrics 1.0.0 (RFC draft), section "Text format".
/// Names beyond letters, digits and underscores are written as `NameEscaping` says.
///
/// The two differ in a counter's family name (OpenMetrics leaves `_total` to the samples), in the
/// unit, the escapes of a help text, whole numbers (`1.0`), timestamps (seconds) and the end mark.
public struct ExpositionWriter: Sendable {
  public let format: ExpositionFormat
  private let escaping: NameEscaping
  /// What has been written so far.
  public private(set) var bytes: [UInt8] = []

  public init(format: ExpositionFormat, escaping: NameEscaping = .underscores) {
    self.format = format
    self.escaping = escaping
    bytes.reserveCapacity(64 * 1024)
  }

  /// The whole exposition, in the order of `families`.
  public static func write(_ families: [ExposedFamily], format: ExpositionFormat) -> [UInt8] {
    var writer = ExpositionWriter(format: format)
    for family in families { writer.append(family) }
    writer.finish()
    return writer.bytes
  }

  /// Writes one family: its description, then its series. All series of a family must be together.
  public mutating func append(_ exposed: ExposedFamily) {
    begin(exposed.family)
    for series in exposed.series {
      append(
        series.value, labels: series.labels, of: exposed.family, suffix: series.suffix,
        timestamp: series.timestamp)
    }
  }

  /// Writes the description of a family; its series follow with `append(_:labels:of:)`.
  public mutating func begin(_ family: MetricFamily) {
    let name = written(familyName(family))
    switch format {
    case .prometheusText:
      if !family.help.isEmpty {
        append("# HELP ", name, " ")
        appendEscaped(family.help, quote: false)
        append("\n")
      }
      append("# TYPE ", name, " ", typeName(family.type), "\n")
    case .openMetrics:
      append("# TYPE ", name, " ", typeName(family.type), "\n")
      if let unit = family.unit, familyName(family).hasSuffix("_" + unit) {
        append("# UNIT ", name, " ", unit, "\n")
      }
      if !family.help.isEmpty {
        append("# HELP ", name, " ")
        appendEscaped(family.help, quote: true)
        append("\n")
      }
    }
  }

  /// Writes one series of the family that was begun last.
  ///
  /// - Parameter emptyLabel: a label that is to be there without a value, which `Labels` cannot
  ///   hold: a federation says so that the series has no instance.
  public mutating func append(
    _ value: Double, labels: Labels, of family: MetricFamily, suffix: String = "",
    timestamp: Timestamp? = nil, emptyLabel: String? = nil
  ) {
    appendSeries(sampleName(family) + suffix, labels, emptyLabel)
    append(" ")
    appendValue(value)
    if let timestamp { appendTime(timestamp) }
    append("\n")
  }

  /// Ends the exposition: OpenMetrics wants a mark, so that a scraper knows it has all of it.
  public mutating func finish() {
    if format == .openMetrics { append("# EOF\n") }
  }

  private func familyName(_ family: MetricFamily) -> String {
    switch (format, family.type) {
    case (.openMetrics, .counter) where family.name.hasSuffix("_total"):
      String(family.name.dropLast("_total".utf8.count))
    case (.openMetrics, .info) where family.name.hasSuffix("_info"):
      String(family.name.dropLast("_info".utf8.count))
    default: family.name
    }
  }

  private func sampleName(_ family: MetricFamily) -> String {
    switch (format, family.type) {
    case (.openMetrics, .counter) where !family.name.hasSuffix("_total"): family.name + "_total"
    case (.openMetrics, .info) where !family.name.hasSuffix("_info"): family.name + "_info"
    default: family.name
    }
  }

  private func typeName(_ type: MetricType) -> String {
    switch (format, type) {
    // The Prometheus text format knows no info; exporters call it a gauge.
    case (.prometheusText, .info): "gauge"
    case (.openMetrics, .untyped): "unknown"
    default: type.rawValue
    }
  }

  /// A family's name, in quotes where it needs them.
  private func written(_ name: String) -> String {
    if NameEscaping.isPlain(name, allowsColon: true) { return name }
    return escaping == .allowUTF8
      ? NameEscaping.quoted(name) : NameEscaping.underscored(name, allowsColon: true)
  }

  private func writtenLabel(_ name: String) -> String {
    if NameEscaping.isPlain(name, allowsColon: false) { return name }
    return escaping == .allowUTF8
      ? NameEscaping.quoted(name) : NameEscaping.underscored(name, allowsColon: false)
  }

  private mutating func appendSeries(_ name: String, _ labels: Labels, _ emptyLabel: String?) {
    var separator = "{"
    let written = written(name)
    if written.utf8.first == UInt8(ascii: "\"") {
      append("{", written)
      separator = ","
    } else {
      append(written)
    }
    if let emptyLabel {
      append(separator, emptyLabel, "=\"\"")
      separator = ","
    }
    for label in labels where label.name != Labels.metricName {
      append(separator, writtenLabel(label.name), "=\"")
      appendEscaped(label.value, quote: true)
      append("\"")
      separator = ","
    }
    if separator == "," { append("}") }
  }

  private mutating func appendValue(_ value: Double) {
    let start = bytes.count
    // The usual case, a small whole number, needs no search for the shortest digits.
    if value.magnitude < 1_000_000, value == value.rounded(.towardZero), value != 0 {
      append(String(Int64(value)))
    } else {
      append(NumberText.general(value))
    }
    guard format == .openMetrics, value.isFinite else { return }
    let isFraction = bytes[start...].contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") }
    if !isFraction { append(".0") }
  }

  private mutating func appendTime(_ time: Timestamp) {
    append(" ")
    switch format {
    case .prometheusText:
      append(String(time.milliseconds))
    case .openMetrics:
      let (seconds, rest) = time.milliseconds.quotientAndRemainder(dividingBy: 1000)
      if time.milliseconds < 0 && seconds == 0 { append("-") }
      append(String(seconds))
      append(".")
      let fraction = rest.magnitude
      bytes.append(UInt8(ascii: "0") + UInt8(fraction / 100))
      bytes.append(UInt8(ascii: "0") + UInt8(fraction / 10 % 10))
      bytes.append(UInt8(ascii: "0") + UInt8(fraction % 10))
    }
  }

  private mutating func append(_ parts: String...) {
    for part in parts { bytes.append(contentsOf: part.utf8) }
  }

  private mutating func appendEscaped(_ text: String, quote: Bool) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): append("\\\\")
      case UInt8(ascii: "\n"): append("\\n")
      case UInt8(ascii: "\"") where quote: append("\\\"")
      default: bytes.append(byte)
      }
    }
  }
}
