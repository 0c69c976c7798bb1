import LifeguardCore

/// Stored samples as comma-separated values (RFC 4180), and back.
///
/// ```
/// series,timestamp,value
/// "node_load1{instance=""web"",job=""node""}",2026-01-31T12:00:00.000Z,0.25
/// ```
///
/// Read are also columns for labels instead of `series`, and times in seconds or, from 100 billion
/// on, milliseconds since 1970, or as `2026-01-31 12:00:00` (UTC).
public struct SampleCSV {
  /// One line with a sample.
  public struct Entry: Equatable, Sendable {
    public var series: Labels
    public var sample: Sample
  }

  /// What is wrong with a line.
  public struct Fault: Error, Equatable, CustomStringConvertible {
    public var line: Int
    /// In bytes, from 1.
    public var column: Int
    public var message: String

    public var description: String { "\(line):\(column): \(message)" }
  }

  /// A line longer than this (bytes) is refused.
  public static let lineMax = 65_536
  /// The longest of the header's columns.
  public static let columnsMax = 256

  private enum Column: Equatable {
    case series
    case timestamp
    case value
    case label(String)
  }

  private var columns: [Column] = []
  private var line = 0
  private let named: Labels?
  private var known: [String: Labels] = [:]

  /// - Parameter named: the series of every line, for files that have times and values only.
  public init(named: Labels? = nil) { self.named = named }

  /// The first line of what is written.
  public static let header = "series,timestamp,value\n"

  /// A sample as a line; a staleness marker's value is `stale`.
  public static func line(_ series: String, _ sample: Sample) -> String {
    "\(quoted(series)),\(sample.timestamp.text),\(text(sample.value))\n"
  }

  static func text(_ value: Double) -> String {
    value.isStaleMarker ? "stale" : SampleText.value(value)
  }

  /// The next line, without its end; nil for the header and for empty lines.
  public mutating func read(_ text: [UInt8]) throws(Fault) -> Entry? {
    line += 1
    var bytes = text[...]
    if bytes.last == UInt8(ascii: "\r") { bytes = bytes.dropLast() }
    if line == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    if bytes.isEmpty { return nil }
    guard bytes.count <= Self.lineMax else {
      throw Fault(line: line, column: 1, message: "the line is longer than \(Self.lineMax) bytes")
    }
    let fields = try split(bytes)
    if columns.isEmpty {
      try readHeader(fields)
      return nil
    }
    guard fields.count == columns.count else {
      throw Fault(
        line: line, column: 1,
        message: "\(fields.count) fields where the header has \(columns.count)")
    }
    return try entry(fields)
  }

  private typealias Field = (text: String, column: Int)

  private func split(_ bytes: ArraySlice<UInt8>) throws(Fault) -> [Field] {
    var fields: [Field] = []
    var index = bytes.startIndex
    let quote = UInt8(ascii: "\"")
    while true {
      let start = index
      var field: [UInt8] = []
      if index < bytes.endIndex, bytes[index] == quote {
        index += 1
        while true {
          guard index < bytes.endIndex else {
            throw Fault(line: line, column: start + 1, message: "the quote is never closed")
          }
          if bytes[index] != quote {
            field.append(bytes[index])
            index += 1
          } else if index + 1 < bytes.endIndex, bytes[index + 1] == quote {
            field.append(quote)
            index += 2
          } else {
            index += 1
            break
          }
        }
        guard index == bytes.endIndex || bytes[index] == UInt8(ascii: ",") else {
          throw Fault(line: line, column: index + 1, message: "text after a closed quote")
        }
      } else {
        while index < bytes.endIndex, bytes[index] != UInt8(ascii: ",") {
          field.append(bytes[index])
          index += 1
        }
      }
      guard let text = String(validating: field, as: UTF8.self) else {
        throw Fault(line: line, column: start + 1, message: "the text is not UTF-8")
      }
      fields.append((text, start + 1))
      guard fields.count <= Self.columnsMax else {
        throw Fault(
          line: line, column: start + 1, message: "more than \(Self.columnsMax) columns")
      }
      if index == bytes.endIndex { return fields }
      index += 1
    }
  }

  private mutating func readHeader(_ fields: [Field]) throws(Fault) {
    for field in fields {
      let column: Column =
        switch field.text {
        case "series": .series
        case "timestamp", "time": .timestamp
        case "value": .value
        case let name: .label(name == "name" ? Labels.metricName : name)
        }
      if columns.contains(column) {
        throw fault(field, "the column \"\(field.text)\" is there twice")
      }
      columns.append(column)
    }
    for (needed, name) in [(Column.timestamp, "timestamp"), (.value, "value")]
    where !columns.contains(needed) {
      columns = []
      throw Fault(line: line, column: 1, message: "the header has no column \"\(name)\"")
    }
    let names = columns.contains { $0 != .timestamp && $0 != .value }
    if !names, named == nil {
      columns = []
      throw Fault(
        line: line, column: 1,
        message: "no column says which series it is: add one named \"series\", or use --series")
    }
  }

  private mutating func entry(_ fields: [Field]) throws(Fault) -> Entry {
    var series = named ?? Labels()
    var sample = Sample(timestamp: Timestamp(milliseconds: 0), value: 0)
    for (column, field) in zip(columns, fields) {
      switch column {
      case .series: series = try labels(field)
      case .timestamp:
        guard let time = Self.timestamp(field.text) else {
          throw fault(
            field,
            "\"\(field.text)\" is no time: write 2026-01-31T12:00:00Z or seconds since 1970")
        }
        sample.timestamp = time
      case .value:
        guard let value = Self.value(field.text) else {
          throw fault(field, "\"\(field.text)\" is no number")
        }
        sample.value = value
      case .label(let name): series[name] = field.text
      }
    }
    guard !series.isEmpty else {
      throw Fault(line: line, column: 1, message: "the series has no labels")
    }
    return Entry(series: series, sample: sample)
  }

  private mutating func labels(_ field: Field) throws(Fault) -> Labels {
    if let found = known[field.text] { return found }
    guard let labels = Labels(seriesText: field.text) else {
      throw fault(field, "\"\(field.text)\" is no series: write name{label=\"value\"}")
    }
    // A file of nothing but new series must not fill the memory with their texts.
    if known.count > 100_000 { known = [:] }
    known[field.text] = labels
    return labels
  }

  private func fault(_ field: Field, _ message: String) -> Fault {
    Fault(line: line, column: field.column, message: message)
  }

  /// A time as people and exporters write it; nil when it is none.
  public static func timestamp(_ text: String) -> Timestamp? {
    if let number = Double(text), number.isFinite, number.magnitude < 9e15 {
      return number.magnitude >= 1e11
        ? Timestamp(milliseconds: Int64(number.rounded())) : Timestamp(seconds: number)
    }
    if let time = Timestamp(text) { return time }
    var parts = text.split(separator: " ", omittingEmptySubsequences: false)
    if parts.count == 1 { parts = text.split(separator: "T", omittingEmptySubsequences: false) }
    guard parts.count == 2 else { return nil }
    return Timestamp("\(parts[0])T\(parts[1])Z")
  }

  static func value(_ text: String) -> Double? {
    switch text {
    case "stale": .staleMarker
    case "NaN", "nan": .nan
    case "+Inf", "Inf", "inf": .infinity
    case "-Inf", "-inf": -.infinity
    default: Double(text).flatMap { $0.isFinite ? $0 : nil }
    }
  }

  private static func quoted(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C }) else { return text }
    var result = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" { result += "\"\"" } else { result.unicodeScalars.append(scalar) }
    }
    return result + "\""
  }
}

extension Labels {
  /// As an exposition writes them: `name{a="b",c="d"}`, without blanks. Names that are no words
  /// stand in quotes: `{"http.requests","my label"="b"}`.
  public var seriesText: String {
    let isPlain = NameEscaping.isPlain(metric, allowsColon: true)
    var parts = isPlain || metric.isEmpty ? [] : [metricText]
    for label in self where label.name != Labels.metricName {
      let name =
        NameEscaping.isPlain(label.name, allowsColon: false)
        ? label.name : NameEscaping.quoted(label.name)
      parts.append("\(name)=\(NameEscaping.quoted(label.value))")
    }
    let text = parts.joined(separator: ",")
    if !isPlain { return "{\(text)}" }
    return text.isEmpty ? metric : "\(metric){\(text)}"
  }

  /// The metric's name, in quotes where it needs them.
  public var metricText: String {
    NameEscaping.isPlain(metric, allowsColon: true) ? metric : NameEscaping.quoted(metric)
  }

  /// Reads `name{a="b"}`; nil when it is something else.
  public init?(seriesText text: String) {
    // why try?: whatever is wrong, it is no series.
    guard let query = try? Query(parsing: text),
      case .vectorSelector(let selector) = query.expression.unwrapped,
      selector.offset == nil, selector.fixedTime == nil,
      selector.matchers.allSatisfy({ $0.kind == .equal && !$0.value.isEmpty })
    else { return nil }
    self.init(selector.matchers.map { Label(name: $0.name, value: $0.value) })
  }
}
