import LifeguardCore

/// The small parts of the script format.
enum ScriptText {
  static func trimmed(_ text: String) -> String {
    var view = text[...]
    while let first = view.first, first == " " || first == "\t" || first == "\r" {
      view.removeFirst()
    }
    while let last = view.last, last == " " || last == "\t" || last == "\r" { view.removeLast() }
    return String(view)
  }

  static func words(_ text: String) -> [String] {
    text.split { $0 == " " || $0 == "\t" }.map(String.init)
  }

  static func takeWord(_ text: inout Substring) -> String {
    text = text.drop { $0 == " " || $0 == "\t" }
    let word = text.prefix { $0 != " " && $0 != "\t" }
    text = text[word.endIndex...]
    return String(word)
  }

  /// Milliseconds.
  static func duration(_ text: String) -> Int64? {
    if let seconds = Int64(text) { return seconds * 1000 }
    var total: Int64 = 0
    var rest = text[...]
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isNumber }
      rest = rest[digits.endIndex...]
      let unit = rest.prefix { $0.isLetter }
      rest = rest[unit.endIndex...]
      let factors: [Substring: Int64] = [
        "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000,
      ]
      guard let count = Int64(digits), let factor = factors[unit] else { return nil }
      total += count * factor
    }
    return total
  }

  static func number(_ text: String) -> Double? {
    switch text.lowercased() {
    case "inf", "+inf": return .infinity
    case "-inf": return -.infinity
    case "nan": return .nan
    case "stale": return .staleMarker
    default: break
    }
    guard let first = text.first, first.isNumber || "+-.".contains(first) else { return nil }
    var plain = text
    if plain.hasPrefix(".") { plain = "0" + plain }
    if plain.hasPrefix("-.") { plain = "-0" + plain.dropFirst() }
    if plain.hasSuffix(".") { plain.removeLast() }
    return Double(plain)
  }
}

/// A line `name{label="value"} 1+2x3 _ stale`.
struct ScriptSeries {
  var labels = Labels()
  var points: [Double?] = []
  var hasHistogram = false

  init?(_ line: String) {
    var rest = Array(line.unicodeScalars)[...]
    guard readLabels(&rest) else { return nil }
    var text = String(String.UnicodeScalarView(rest))
    if text.contains("{{") {
      hasHistogram = true
      text = Self.withoutHistograms(text)
    }
    for word in ScriptText.words(text) where !readPoints(word) { return nil }
  }

  private static func withoutHistograms(_ text: String) -> String {
    // Histograms stand for gaps; how many does not matter, since cases that read them are left out.
    var result = ""
    var depth = 0
    for character in text {
      if character == "{" { depth += 1 }
      if depth == 0 { result.append(character) }
      if character == "}" {
        depth -= 1
        if depth == 0 { result += "h" }
      }
    }
    return ScriptText.words(result).map { $0.hasPrefix("h") ? "_" : $0 }.joined(separator: " ")
  }

  private mutating func readLabels(_ rest: inout ArraySlice<Unicode.Scalar>) -> Bool {
    var name = ""
    while let next = rest.first, next != "{", next != " ", next != "\t" {
      name.unicodeScalars.append(next)
      rest.removeFirst()
    }
    if !name.isEmpty { labels[Labels.metricName] = name }
    guard rest.first == "{" else { return !name.isEmpty }
    if rest.dropFirst().first == "{" { return !name.isEmpty }
    rest.removeFirst()
    while true {
      rest = rest.drop { $0 == " " || $0 == "," || $0 == "\t" }
      guard let next = rest.first else { return false }
      if next == "}" {
        rest.removeFirst()
        return true
      }
      guard readLabel(&rest) else { return false }
    }
  }

  private mutating func readLabel(_ rest: inout ArraySlice<Unicode.Scalar>) -> Bool {
    var label: String
    if let quote = rest.first, quote == "\"" || quote == "'" || quote == "`" {
      label = Self.quoted(&rest)
      rest = rest.drop { $0 == " " }
      guard rest.first == "=" else {
        labels[Labels.metricName] = label
        return true
      }
    } else {
      label = ""
      while let next = rest.first, next != "=", next != " " {
        label.unicodeScalars.append(next)
        rest.removeFirst()
      }
      rest = rest.drop { $0 == " " }
    }
    guard rest.first == "=" else { return false }
    rest.removeFirst()
    rest = rest.drop { $0 == " " }
    labels[label] = Self.quoted(&rest)
    return true
  }

  private static func quoted(_ rest: inout ArraySlice<Unicode.Scalar>) -> String {
    let quote = rest.removeFirst()
    var result = ""
    while let next = rest.popFirst(), next != quote {
      if next == "\\", quote != "`", let escaped = rest.popFirst() {
        result.unicodeScalars.append(escaped == "n" ? "\n" : escaped)
      } else {
        result.unicodeScalars.append(next)
      }
    }
    return result
  }

  private mutating func readPoints(_ word: String) -> Bool {
    var body = word[...]
    var count: Int?
    if let cross = word.lastIndex(of: "x") {
      count = Int(word[word.index(after: cross)...])
      body = word[..<cross]
    }
    if body == "_" {
      points += Array(repeating: nil, count: count ?? 1)
      return true
    }
    if body == "stale" {
      points += Array(repeating: .staleMarker, count: (count ?? 0) + 1)
      return true
    }
    guard let count else {
      guard let value = ScriptText.number(word) else { return false }
      points.append(value)
      return true
    }
    guard let (start, increment) = Self.progression(String(body)) else { return false }
    var value = start
    for _ in 0...count {
      points.append(value)
      value += increment
    }
    return true
  }

  /// `1+2`, `1-2` or `1`.
  private static func progression(_ text: String) -> (Double, Double)? {
    if let value = ScriptText.number(text) { return (value, 0) }
    let characters = Array(text)
    for index in characters.indices.dropFirst().reversed()
    where characters[index] == "+" || characters[index] == "-" {
      let increment = ScriptText.number(String(characters[index...]))
      if let start = ScriptText.number(String(characters[..<index])), let increment {
        return (start, increment)
      }
    }
    return nil
  }
}
