import LifeguardCore

/// Writes a query's answer straight into bytes: a tree of JSON values for millions of points would
/// take ten times their room.
struct AnswerWriter {
  /// No larger answer is made: 2.7 million points, or 240 series of 11,000.
  static let bytesMax = 64 << 20

  private(set) var bytes: [UInt8] = []
  private let interruption: @Sendable () -> QueryInterruption?

  init(interruption: @escaping @Sendable () -> QueryInterruption? = { nil }) {
    self.interruption = interruption
    bytes.reserveCapacity(4096)
  }

  /// `{"status":"success","data":{"resultType":…,"result":…}, …}`.
  static func success(
    _ result: QueryResult, at time: Timestamp, limit: Int,
    interruption: @escaping @Sendable () -> QueryInterruption?
  ) throws(APIFailure) -> [UInt8] {
    var writer = AnswerWriter(interruption: interruption)
    writer.append("{\"status\":\"success\",\"data\":")
    let isCut = try writer.write(result.value, at: time, limit: limit)
    writer.append("}")
    var warnings = texts(result.warnings, "warning")
    if isCut { warnings.append("results truncated due to limit") }
    writer.write("warnings", warnings)
    writer.write("infos", texts(result.infos, "info"))
    writer.append("}")
    return writer.bytes
  }

  /// The first ten, and how many more there are (`util/annotations`, AsStrings).
  private static func texts(_ annotations: [Annotation], _ kind: String) -> [String] {
    var texts = annotations.prefix(10).map(\.description)
    let more = annotations.count - texts.count
    if more > 0 { texts.append("\(more) more \(kind) annotations omitted") }
    return texts
  }

  /// A member with texts, after others; nothing when there is no text.
  mutating func write(_ name: String, _ texts: [String]) {
    guard !texts.isEmpty else { return }
    append(",\"\(name)\":[")
    for (index, text) in texts.enumerated() {
      if index > 0 { append(",") }
      write(string: text)
    }
    append("]")
  }

  /// - Returns: whether `limit` cut series off; 0 is none.
  private mutating func write(
    _ value: QueryValue, at time: Timestamp, limit: Int
  ) throws(APIFailure) -> Bool {
    switch value {
    case .scalar(let number):
      append("{\"resultType\":\"scalar\",\"result\":[\(SampleText.scalarTimestamp(time)),\"")
      append(SampleText.scalar(number))
      append("\"]")
      return false
    case .string(let text):
      append("{\"resultType\":\"string\",\"result\":[\(SampleText.scalarTimestamp(time)),")
      write(string: text)
      append("]")
      return false
    case .vector(let elements):
      append("{\"resultType\":\"vector\",\"result\":[")
      let shown = limit > 0 ? elements.prefix(limit) : elements[...]
      for (index, element) in shown.enumerated() {
        append(index > 0 ? ",{\"metric\":" : "{\"metric\":")
        write(element.labels)
        append(",\"value\":")
        write(time, element.value)
        append("}")
        if index & 0xFF == 0xFF { try check() }
      }
      append("]")
      return shown.count < elements.count
    case .matrix(let series):
      append("{\"resultType\":\"matrix\",\"result\":[")
      let shown = limit > 0 ? series.prefix(limit) : series[...]
      for (index, one) in shown.enumerated() {
        append(index > 0 ? ",{\"metric\":" : "{\"metric\":")
        write(one.labels)
        append(",\"values\":[")
        for (number, sample) in one.samples.enumerated() {
          if number > 0 { append(",") }
          write(sample.timestamp, sample.value)
          if number & 0x3FF == 0x3FF { try check() }
        }
        append("]}")
        try check()
      }
      append("]")
      return shown.count < series.count
    }
  }

  /// Whether to go on: the answer is not too large yet, and somebody still waits for it.
  func check() throws(APIFailure) {
    guard bytes.count <= AnswerWriter.bytesMax else {
      throw APIFailure(
        .execution,
        "the answer would be larger than \(AnswerWriter.bytesMax >> 20) MiB: ask for fewer series,"
          + " a shorter range or a longer step")
    }
    if let interruption = interruption() { throw APIFailure(.interrupted(interruption)) }
  }

  mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// `{"__name__":"up","job":"node"}`.
  mutating func write(_ labels: Labels) {
    var separator = "{"
    for label in labels {
      append(separator)
      write(string: label.name)
      append(":")
      write(string: label.value)
      separator = ","
    }
    append(separator == "{" ? "{}" : "}")
  }

  private mutating func write(_ time: Timestamp, _ value: Double) {
    append("[")
    append(SampleText.timestamp(time))
    append(",\"")
    // Most numbers are whole; these need no search for the shortest digits.
    if value.magnitude < 1e15, value == value.rounded(.towardZero), value != 0 {
      append(String(Int64(value)))
    } else {
      append(SampleText.value(value))
    }
    append("\"]")
  }

  mutating func write(string: String) {
    var text = string
    append("\"")
    text.withUTF8 { source in
      for byte in source {
        switch byte {
        case UInt8(ascii: "\""): bytes += [0x5C, 0x22]
        case UInt8(ascii: "\\"): bytes += [0x5C, 0x5C]
        case UInt8(ascii: "\n"): bytes += [0x5C, 0x6E]
        case 0..<0x20:
          let digits = Array("0123456789abcdef".utf8)
          bytes += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        default: bytes.append(byte)
        }
      }
    }
    append("\"")
  }
}
