/// Reads the Prometheus text format 0.0.4 and OpenMetrics 1.0, sample by sample.
///
/// Sources: Prometheus, "Exposition formats" (with the quoted UTF-8 names of v3, proposal "UTF-8
/// allowed in metric and label names"); OpenMetrics 1.0.0. A sample is given with the place of its
/// name and labels in the text, so that whoever has seen the same bytes before need not read them
/// again; `labels(of:)` reads them.
public struct ExpositionParser: Sendable {
  /// One sample line.
  public struct Line: Hashable, Sendable {
    /// The name and labels as they are written.
    public var series: Range<Int>
    public var value: Double
    public var timestamp: Timestamp?
  }

  public let format: ExpositionFormat
  /// What was said about families so far, by name.
  public private(set) var families: [String: MetricFamily] = [:]
  let bytes: [UInt8]
  private let limits: ExpositionLimits
  private var position = 0
  private var lineStart = 0
  private var line = 0
  private var samples = 0
  private var hasEnded = false
  /// Of the family described last; decides whether `le` and `quantile` are numbers.
  private var type = MetricType.untyped

  public init(
    _ bytes: [UInt8], format: ExpositionFormat, limits: ExpositionLimits = .standard
  ) {
    self.bytes = bytes
    self.format = format
    self.limits = limits
  }

  /// All of a text at once.
  ///
  /// - Throws: `ExpositionError` with the line and column of the first fault.
  public static func parse(
    _ bytes: [UInt8], format: ExpositionFormat, limits: ExpositionLimits = .standard
  ) throws(ExpositionError) -> Exposition {
    var parser = ExpositionParser(bytes, format: format, limits: limits)
    var samples: [ParsedSample] = []
    while let line = try parser.next() {
      samples.append(
        ParsedSample(
          labels: try parser.labels(of: line), value: line.value, timestamp: line.timestamp))
    }
    return Exposition(
      families: parser.families.values.sorted { $0.name < $1.name }, samples: samples)
  }

  /// The next sample; nil at the end.
  ///
  /// - Throws: `ExpositionError`; what follows in the text is then unknown.
  public mutating func next() throws(ExpositionError) -> Line? {
    while position < bytes.count {
      line += 1
      lineStart = position
      guard !hasEnded else { throw fault(position, "unexpected data after # EOF") }
      let end = try lineEnd()
      defer { position = min(end + 1, bytes.count) }
      var cursor = ExpositionCursor(bytes, position, end)
      if format == .prometheusText { cursor.skipBlanks() }
      if cursor.isAtEnd {
        if format == .openMetrics { throw fault(position, "expected a metric, got an empty line") }
        continue
      }
      if cursor.peek == UInt8(ascii: "#") {
        try describe(&cursor)
        continue
      }
      samples += 1
      guard samples <= limits.samplesMax else {
        throw fault(position, "more than \(limits.samplesMax) samples")
      }
      return try sample(&cursor)
    }
    guard format == .prometheusText || hasEnded else {
      throw ExpositionError(line: line + 1, column: 1, message: "data does not end with # EOF")
    }
    return nil
  }

  private func lineEnd() throws(ExpositionError) -> Int {
    var end = position
    while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
    guard end - position <= limits.lineBytesMax else {
      throw fault(position, "the line is longer than \(limits.lineBytesMax) bytes")
    }
    if end == bytes.count, format == .openMetrics,
      !bytes[position..<end].elementsEqual("# EOF".utf8)
    {
      throw fault(end, "the line does not end with a newline")
    }
    return end
  }

  func fault(_ position: Int, _ message: String) -> ExpositionError {
    ExpositionError(line: max(line, 1), column: position - lineStart + 1, message: message)
  }

  // MARK: Descriptions

  private mutating func describe(_ cursor: inout ExpositionCursor) throws(ExpositionError) {
    let start = cursor.position
    cursor.skip(1)
    let isStrict = format == .openMetrics
    cursor.skipBlanks()
    let keyword = cursor.word()
    switch keyword {
    case "EOF" where isStrict:
      guard cursor.isAtEnd else { throw fault(cursor.position, "unexpected data after # EOF") }
      hasEnded = true
    case "TYPE":
      let name = try familyName(&cursor)
      let text = cursor.rest
      guard let found = Self.type(text, format) else {
        throw fault(cursor.position, "invalid metric type \"\(text)\"")
      }
      type = found
      note(name) { $0.type = found }
    case "HELP":
      let name = try familyName(&cursor)
      let text = ExpositionCursor.unescaped(cursor.rest, quote: isStrict)
      note(name) { $0.help = text }
    case "UNIT" where isStrict:
      let name = try familyName(&cursor)
      let unit = cursor.rest
      guard unit.isEmpty || name.hasSuffix("_" + unit) else {
        throw fault(start, "unit \"\(unit)\" is not a suffix of metric \"\(name)\"")
      }
      if !unit.isEmpty { note(name) { $0.unit = unit } }
    default:
      // A comment, which only the Prometheus text format knows.
      if isStrict { throw fault(start, "expected # TYPE, # HELP, # UNIT or # EOF") }
    }
  }

  private func familyName(_ cursor: inout ExpositionCursor) throws(ExpositionError) -> String {
    cursor.skipBlanks()
    let start = cursor.position
    let name: String?
    if cursor.peek == UInt8(ascii: "\"") {
      name = cursor.quoted()
    } else {
      name = cursor.metricName()
    }
    guard let name, !name.isEmpty else { throw fault(start, "expected a metric name") }
    guard cursor.isAtEnd || cursor.isAtBlank else {
      throw fault(cursor.position, "expected a space after the metric name")
    }
    cursor.skipBlanks()
    return name
  }

  private mutating func note(_ name: String, _ change: (inout MetricFamily) -> Void) {
    guard families[name] != nil || families.count < limits.familiesMax else { return }
    var family = families[name] ?? MetricFamily(name: name, help: "", type: .untyped)
    change(&family)
    // A counter is queried by the name of its samples, which OpenMetrics does not say here.
    if format == .openMetrics, family.type == .counter, !family.name.hasSuffix("_total") {
      family.name += "_total"
    }
    families[name] = family
  }

  private static func type(_ text: String, _ format: ExpositionFormat) -> MetricType? {
    switch text {
    case "counter", "gauge", "histogram", "summary", "info": MetricType(rawValue: text)
    case "untyped" where format == .prometheusText: .untyped
    // What is stored of them has no type of its own here.
    case "unknown", "gaugehistogram", "stateset": .untyped
    default: nil
    }
  }

  // MARK: Samples

  private func sample(_ cursor: inout ExpositionCursor) throws(ExpositionError) -> Line {
    let start = cursor.position
    guard cursor.skipSeries() else {
      throw fault(cursor.position, "expected a metric name or labels in braces")
    }
    let series = start..<cursor.position
    guard cursor.isAtBlank || cursor.peekBefore == UInt8(ascii: "}") else {
      throw fault(cursor.position, "expected a value after the metric")
    }
    cursor.skipBlanks()
    let valueAt = cursor.position
    guard let value = cursor.number() else { throw fault(valueAt, "expected a value") }
    var timestamp: Timestamp?
    cursor.skipBlanks()
    if !cursor.isAtEnd, cursor.peek != UInt8(ascii: "#") {
      let timeAt = cursor.position
      timestamp = format == .openMetrics ? cursor.seconds() : cursor.milliseconds()
      guard timestamp != nil else { throw fault(timeAt, "expected a timestamp") }
      cursor.skipBlanks()
    }
    if !cursor.isAtEnd {
      guard format == .openMetrics, cursor.peek == UInt8(ascii: "#") else {
        throw fault(cursor.position, "unexpected text after the sample")
      }
      // An exemplar: not stored, but it must be one.
      cursor.skip(1)
      cursor.skipBlanks()
      guard cursor.peek == UInt8(ascii: "{"), cursor.skipSeries() else {
        throw fault(cursor.position, "expected the exemplar's labels")
      }
    }
    return Line(series: series, value: value, timestamp: timestamp)
  }

  /// The labels of the sample that `next` has just given, the metric's name among them.
  ///
  /// `le` of histograms and `quantile` of summaries are written as Prometheus v3 stores them: `1`
  /// becomes `1.0`, so that one bucket is one series whatever the exporter writes.
  ///
  /// - Throws: `ExpositionError` for a bad name, an unfinished text, or a label twice.
  public func labels(of line: Line) throws(ExpositionError) -> Labels {
    var cursor = ExpositionCursor(bytes, line.series.lowerBound, line.series.upperBound)
    var labels: [Label] = []
    if cursor.peek != UInt8(ascii: "{") {
      guard let name = cursor.metricName() else {
        throw fault(cursor.position, "expected a metric name")
      }
      labels.append(Label(name: Labels.metricName, value: name))
      cursor.skipBlanks()
    }
    if !cursor.isAtEnd { try readLabels(&cursor, &labels) }
    labels.sort()
    for (one, next) in zip(labels, labels.dropFirst()) where one.name == next.name {
      throw fault(line.series.lowerBound, "label name \"\(one.name)\" is not unique")
    }
    labels.removeAll { $0.value.isEmpty }
    let result = Labels(sortedUnique: labels)
    guard !result.metric.isEmpty else {
      throw fault(line.series.lowerBound, "the metric has no name")
    }
    return result
  }

  private func readLabels(
    _ cursor: inout ExpositionCursor, _ labels: inout [Label]
  ) throws(ExpositionError) {
    cursor.skip(1)
    while true {
      cursor.skipBlanks()
      if cursor.peek == UInt8(ascii: "}") { return }
      let start = cursor.position
      let isQuoted = cursor.peek == UInt8(ascii: "\"")
      guard let name = isQuoted ? cursor.quoted() : cursor.labelName(), !name.isEmpty else {
        throw fault(start, "expected a label name")
      }
      cursor.skipBlanks()
      if cursor.peek == UInt8(ascii: "=") {
        cursor.skip(1)
        cursor.skipBlanks()
        let valueAt = cursor.position
        guard let value = cursor.quoted() else {
          throw fault(valueAt, "expected a label value in quotes, in valid UTF-8")
        }
        labels.append(Label(name: name, value: normalised(name, value)))
      } else if isQuoted {
        labels.append(Label(name: Labels.metricName, value: name))
      } else {
        throw fault(cursor.position, "expected = after the label name")
      }
      guard labels.count <= limits.labelsMax + 1 else {
        throw fault(start, "more than \(limits.labelsMax) labels")
      }
      cursor.skipBlanks()
      switch cursor.peek {
      case UInt8(ascii: ","): cursor.skip(1)
      case UInt8(ascii: "}"): return
      default: throw fault(cursor.position, "expected , or } after the label")
      }
    }
  }

  /// Source: Prometheus, `model/textparse`, `normalizeFloatsInLabelValues`.
  private func normalised(_ name: String, _ value: String) -> String {
    guard (type == .histogram && name == "le") || (type == .summary && name == "quantile"),
      let number = ExpositionCursor.number(Array(value.utf8)[...])
    else { return value }
    let text = NumberText.general(number)
    let isWhole = number.isFinite && !text.contains(".") && !text.contains("e")
    return isWhole ? text + ".0" : text
  }
}

/// A whole exposition.
public struct Exposition: Hashable, Sendable {
  /// What was said about families, sorted by name.
  public var families: [MetricFamily]
  public var samples: [ParsedSample]
}

/// One sample of an exposition.
public struct ParsedSample: Hashable, Sendable {
  /// With the metric's name.
  public var labels: Labels
  public var value: Double
  public var timestamp: Timestamp?

  public init(labels: Labels, value: Double, timestamp: Timestamp? = nil) {
    self.labels = labels
    self.value = value
    self.timestamp = timestamp
  }
}

extension ExpositionParser {
  /// The name and labels of a sample as they are written.
  public func text(of line: Line) -> String { String(decoding: bytes[line.series], as: UTF8.self) }
}
