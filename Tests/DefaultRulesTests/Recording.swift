import LifeguardCore
import TestSupport

/// What a host's collectors said, a column each 15 s, as `rule-recorder` wrote it down.
struct Recording {
  struct Mark: Equatable {
    /// Since the first column.
    var at: Duration
    /// `begin` or `end` of a fault.
    var what: String
    var rule: String
  }

  struct Series {
    var labels: Labels
    var values: [Double?]
  }

  struct Malformed: Error {
    var line: String
  }

  var start: Timestamp
  var columns: Int
  var marks: [Mark] = []
  var series: [Series] = []
  var notes: [String] = []

  /// Reads `Fixtures/NAME.txt`.
  init(_ name: String) throws {
    try self.init(
      text: TextFile.read(SourceTree.path("Tests/DefaultRulesTests/Fixtures/\(name).txt")))
  }

  init(text: String) throws {
    (start, columns) = (Timestamp(milliseconds: 0), 0)
    for line in text.split(separator: "\n") {
      guard line.hasPrefix("# ") else {
        series.append(try Recording.series(line))
        continue
      }
      let words = line.dropFirst(2).split(separator: " ")
      if words.count == 6, words[0] == "start", let milliseconds = Int64(words[1]),
        let count = Int(words[3])
      {
        start = Timestamp(milliseconds: milliseconds)
        columns = count
      } else if words.count == 4, words[0] == "mark", let seconds = Int(words[1].dropLast()) {
        marks.append(
          Mark(at: .seconds(seconds), what: String(words[2]), rule: String(words[3])))
      } else {
        notes.append(String(line.dropFirst(2)))
      }
    }
    guard columns > 0, series.allSatisfy({ $0.values.count == columns }) else {
      throw Malformed(line: "the series have other lengths than the heading says")
    }
  }

  var names: Set<String> { Set(series.compactMap { $0.labels[Labels.metricName] }) }

  private static func series(_ line: Substring) throws -> Series {
    guard let space = line.range(of: " *") else { throw Malformed(line: String(line)) }
    let words = line[space...].split(separator: " ")
    guard let scale = words.first.flatMap({ Int($0.dropFirst()) }) else {
      throw Malformed(line: String(line))
    }
    var values: [Double?] = []
    var number: Int64 = 0
    for word in words.dropFirst() {
      let parts = word.split(separator: "x")
      guard let text = parts.first, let count = parts.count == 2 ? Int(parts[1]) : 1 else {
        throw Malformed(line: String(line))
      }
      for _ in 0..<count {
        if text == "_" {
          values.append(nil)
        } else if scale == 0 {
          values.append(Double(text))
        } else {
          guard let difference = Int64(text) else { throw Malformed(line: String(line)) }
          number += difference
          values.append(Double(number) / Double(scale))
        }
      }
    }
    return Series(labels: try labels(line[..<space]), values: values)
  }

  /// `name{a="b", c="d"}`, with the escapes of the text format.
  private static func labels(_ text: Substring) throws -> Labels {
    let query = try Query(parsing: String(text))
    guard case .vectorSelector(let selector) = query.expression else {
      throw Malformed(line: String(text))
    }
    var labels: Labels = ["instance": "recorded", "job": "node"]
    for matcher in selector.matchers { labels[matcher.name] = matcher.value }
    return labels
  }
}

extension Substring {
  /// The index of the first occurrence of a short text.
  fileprivate func range(of text: String) -> String.Index? {
    var index = startIndex
    while index < endIndex {
      if self[index...].hasPrefix(text) { return index }
      index = self.index(after: index)
    }
    return nil
  }
}
