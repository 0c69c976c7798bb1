import LifeguardCore

/// Parses the Prometheus text format 0.0.4 as scripts write it.
struct TextfileParser {
  struct Series: Hashable {
    var family: MetricFamily
    var labels: Labels
    var value: Double
  }

  private var help: [String: String] = [:]
  private var types: [String: MetricType] = [:]
  private var series: [Series] = []

  /// All series of a text, or `nil` when a line is not one.
  static func parse(_ content: String) -> [Series]? {
    var parser = TextfileParser()
    for line in content.split(separator: "\n") {
      let line = line.drop { $0 == " " || $0 == "\t" }
      if line.isEmpty { continue }
      if line.first == "#" {
        parser.comment(line)
      } else if !parser.sample(line) {
        return nil
      }
    }
    return parser.series
  }

  private mutating func comment(_ line: Substring) {
    let parts = line.split(separator: " ", maxSplits: 3).map(String.init)
    guard parts.count >= 3 else { return }
    if parts[1] == "HELP" { help[parts[2]] = parts.count > 3 ? parts[3] : "" }
    if parts[1] == "TYPE", parts.count > 3 { types[parts[2]] = MetricType(rawValue: parts[3]) }
  }

  private mutating func sample(_ line: Substring) -> Bool {
    var rest = line
    let name = rest.prefix { Self.isNamePart($0) }
    guard let first = name.first, !first.isNumber else { return false }
    rest = rest.dropFirst(name.count)
    guard let labels = Self.labels(&rest) else { return false }
    let parts = rest.split { $0 == " " || $0 == "\t" }
    // A timestamp of its own is refused, as node_exporter does: it would lie about the time.
    guard parts.count == 1, let value = Self.number(parts[0]) else { return false }
    let metric = String(name)
    series.append(Series(family: family(metric), labels: labels, value: value))
    return true
  }

  /// The family of a sample: a histogram's buckets stand under the histogram's description.
  private func family(_ name: String) -> MetricFamily {
    var base = name
    for suffix in ["_bucket", "_sum", "_count"] where name.hasSuffix(suffix) {
      let stem = String(name.dropLast(suffix.count))
      if types[stem] == .histogram || types[stem] == .summary { base = stem }
    }
    let text = help[base] ?? "Metric read from a text file."
    // Stored as series of their own: what they belong to is in the name.
    let type = base == name ? types[name] ?? .untyped : .untyped
    return MetricFamily(name: name, help: text, type: type)
  }

  private static func labels(_ rest: inout Substring) -> Labels? {
    var labels = Labels()
    rest = rest.drop { $0 == " " || $0 == "\t" }
    guard rest.first == "{" else { return labels }
    rest.removeFirst()
    while true {
      rest = rest.drop { $0 == " " || $0 == "," }
      if rest.first == "}" {
        rest.removeFirst()
        return labels
      }
      let name = rest.prefix { isNamePart($0) }
      rest = rest.dropFirst(name.count)
      guard !name.isEmpty, rest.hasPrefix("=\"") else { return nil }
      rest = rest.dropFirst(2)
      guard let value = quoted(&rest) else { return nil }
      labels[String(name)] = value
    }
  }

  private static func quoted(_ rest: inout Substring) -> String? {
    var value = ""
    while let character = rest.popFirst() {
      if character == "\"" { return value }
      guard character == "\\" else {
        value.append(character)
        continue
      }
      guard let next = rest.popFirst() else { return nil }
      value.append(next == "n" ? "\n" : next)
    }
    return nil
  }

  private static func number(_ text: Substring) -> Double? {
    switch text {
    case "NaN": .nan
    case "+Inf", "Inf": .infinity
    case "-Inf": -.infinity
    default: Double(text)
    }
  }

  private static func isNamePart(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || "_:".contains(character))
  }
}
