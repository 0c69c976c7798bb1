import LifeguardCore

/// A test script in Prometheus' format: `load` series, then `eval` queries against them.
struct Script {
  enum Kind: Equatable {
    case instant(Int64)
    case range(from: Int64, to: Int64, step: Int64)
  }

  /// What the answer should carry besides its values.
  struct Note {
    var kind: String
    var message: String?
    var pattern: String?
  }

  struct Case {
    var line: Int
    var kind: Kind
    var query: String
    var notes: [Note] = []
    var isOrdered = false
    var fails = false
    var failure: Note?
    var string: String?
    var scalar: Double?
    var window: (from: Int64, to: Int64, step: Int64)?
    var expected: [(labels: Labels, points: [Double?])] = []
    /// Whether an expected line is a native histogram.
    var hasHistogram = false
    var series: ArraySource
    /// Label sets that hold native histograms, which queries here cannot read.
    var histograms: [Labels]
  }

  struct Malformed: Error {
    var line: Int
    var message: String
  }

  private(set) var cases: [Case] = []
  private var samples: [Labels: [Int64: Double]] = [:]
  private var order: [Labels] = []
  private var histograms: [Labels] = []
  private let lines: [String]
  private var position = 0

  init(_ text: String) throws {
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
      let line = ScriptText.trimmed(String($0))
      return line.hasPrefix("#") ? "" : line
    }
    while position < lines.count {
      let line = lines[position]
      let word = line.prefix { $0 != " " && $0 != "\t" && $0 != "_" }.lowercased()
      switch word {
      case "": position += 1
      case "clear":
        samples = [:]
        order = []
        histograms = []
        position += 1
      case "load": try load(line)
      case "eval": try evaluate(line)
      default: throw Malformed(line: position + 1, message: "unknown command \(line)")
      }
    }
  }

  /// The lines of the block that begins here.
  private mutating func block() -> [(number: Int, text: String)] {
    var result: [(Int, String)] = []
    position += 1
    while position < lines.count, !lines[position].isEmpty {
      result.append((position + 1, lines[position]))
      position += 1
    }
    return result
  }

  // MARK: load

  private mutating func load(_ line: String) throws {
    let number = position + 1
    let words = ScriptText.words(line)
    let convertsToNative = words[0].lowercased() == "load_with_nhcb"
    guard words.count == 2, let step = ScriptText.duration(words[1]) else {
      throw Malformed(line: number, message: "load needs a duration")
    }
    var loaded: [Labels: [Double?]] = [:]
    for (number, text) in block() {
      guard let series = ScriptSeries(text) else {
        throw Malformed(line: number, message: text)
      }
      if series.hasHistogram { histograms.append(series.labels) }
      if convertsToNative { histograms.append(Self.nativeLabels(series.labels)) }
      if loaded[series.labels] == nil, samples[series.labels] == nil {
        order.append(series.labels)
        samples[series.labels] = [:]
      }
      loaded[series.labels] = series.points
    }
    for (labels, points) in loaded {
      for (index, point) in points.enumerated() {
        if let point { samples[labels]?[Int64(index) * step] = point }
      }
    }
  }

  /// The series that Prometheus makes of a classic histogram in these tests.
  private static func nativeLabels(_ labels: Labels) -> Labels {
    var result = labels
    for suffix in ["_bucket", "_sum", "_count"] where labels.metric.hasSuffix(suffix) {
      result[Labels.metricName] = String(labels.metric.dropLast(suffix.count))
    }
    result["le"] = nil
    return result
  }

  private var source: ArraySource {
    ArraySource(
      series: order.map { labels in
        let points = (samples[labels] ?? [:]).sorted { $0.key < $1.key }
        return (
          labels,
          points.map {
            Sample(timestamp: Timestamp(milliseconds: $0.key), value: $0.value)
          }
        )
      })
  }

  // MARK: eval

  private mutating func evaluate(_ line: String) throws {
    let number = position + 1
    var rest = line[...]
    let command = ScriptText.takeWord(&rest)
    let kind: Kind
    switch ScriptText.takeWord(&rest) {
    case "instant":
      _ = ScriptText.takeWord(&rest)
      guard let time = ScriptText.duration(ScriptText.takeWord(&rest)) else {
        throw Malformed(line: number, message: line)
      }
      kind = .instant(time)
    case "range":
      _ = ScriptText.takeWord(&rest)
      let from = ScriptText.duration(ScriptText.takeWord(&rest))
      _ = ScriptText.takeWord(&rest)
      let to = ScriptText.duration(ScriptText.takeWord(&rest))
      _ = ScriptText.takeWord(&rest)
      let step = ScriptText.duration(ScriptText.takeWord(&rest))
      guard let from, let to, let step else { throw Malformed(line: number, message: line) }
      kind = .range(from: from, to: to, step: step)
    default: throw Malformed(line: number, message: line)
    }
    var one = Case(
      line: number, kind: kind, query: ScriptText.trimmed(String(rest)), series: source,
      histograms: histograms)
    switch command {
    case "eval_fail": one.fails = true
    case "eval_ordered": one.isOrdered = true
    case "eval_warn": one.notes.append(Note(kind: "warn"))
    case "eval_info": one.notes.append(Note(kind: "info"))
    default: break
    }
    for (number, text) in block() { try one.read(text, number) }
    cases.append(one)
  }
}

extension Script.Case {
  mutating func read(_ line: String, _ number: Int) throws {
    if line.hasPrefix("expect ") {
      try readExpectation(String(line.dropFirst(7)), number)
    } else if line.hasPrefix("expected_fail_message") {
      fails = true
      failure = Script.Note(
        kind: "fail", message: ScriptText.trimmed(String(line.dropFirst(21))))
    } else if let value = ScriptText.number(line) {
      scalar = value
    } else if let series = ScriptSeries(line) {
      if series.hasHistogram { hasHistogram = true }
      expected.append((series.labels, series.points))
    } else {
      throw Script.Malformed(line: number, message: line)
    }
  }

  private mutating func readExpectation(_ line: String, _ number: Int) throws {
    var rest = line[...]
    let word = ScriptText.takeWord(&rest)
    let tail = ScriptText.trimmed(String(rest))
    var note = Script.Note(kind: word)
    if tail.hasPrefix("msg:") {
      note.message = ScriptText.trimmed(String(tail.dropFirst(4)))
    } else if tail.hasPrefix("regex:") {
      note.pattern = ScriptText.trimmed(String(tail.dropFirst(6)))
    }
    switch word {
    case "fail":
      fails = true
      failure = note
    case "ordered": isOrdered = true
    case "string": string = String(tail.dropFirst().dropLast())
    case "range":
      let words = ScriptText.words(tail)
      guard words.count == 7, let from = ScriptText.duration(words[2]),
        let to = ScriptText.duration(words[4]), let step = ScriptText.duration(words[6])
      else { throw Script.Malformed(line: number, message: line) }
      window = (from, to, step)
    case "warn", "info", "no_warn", "no_info": notes.append(note)
    default: throw Script.Malformed(line: number, message: line)
    }
  }
}
