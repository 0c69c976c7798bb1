/// A series written down for a test: `name{label="value"}` and `1 2+3x4 _ stale`.
///
/// Source: prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules, `<series>`.
public struct SeriesDescription: Sendable {
  public var labels: Labels
  /// One for each interval; nil where there is no sample.
  public var points: [Double?]

  /// No series has more points: `1x1000000000` would otherwise take all memory.
  static let pointsMax = 1_000_000

  /// - Throws: `SeriesDescriptionError`, in one sentence.
  public init(series: String, values: String) throws(SeriesDescriptionError) {
    labels = try Labels(notation: series)
    points = []
    if values.contains("{{") {
      throw SeriesDescriptionError("native histograms are not supported: \(values)")
    }
    for word in values.split(whereSeparator: \.isWhitespace) {
      try append(String(word))
      guard points.count <= Self.pointsMax else {
        throw SeriesDescriptionError("more than \(Self.pointsMax) values for \(series)")
      }
    }
  }

  private mutating func append(_ word: String) throws(SeriesDescriptionError) {
    let malformed = SeriesDescriptionError(
      "\(QuotedText.quoted(word)) is no value: write a number, 1+2x3, _ or stale")
    var body = word[...]
    var count: Int?
    if let cross = word.lastIndex(of: "x") {
      guard let number = Int(word[word.index(after: cross)...]), number >= 0,
        number <= Self.pointsMax
      else { throw malformed }
      count = number
      body = word[..<cross]
    }
    switch body {
    case "_": points += Array(repeating: nil, count: count ?? 1)
    case "stale": points += Array(repeating: .staleMarker, count: (count ?? 0) + 1)
    default:
      guard let count else {
        guard let value = NumberSyntax.decimal(String(body)) else { throw malformed }
        points.append(value)
        return
      }
      guard let (start, increment) = Self.progression(String(body)) else { throw malformed }
      var value = start
      for _ in 0...count {
        points.append(value)
        value += increment
      }
    }
  }

  /// `1+2`, `1-2` or `1`.
  private static func progression(_ text: String) -> (Double, Double)? {
    if let value = NumberSyntax.decimal(text) { return (value, 0) }
    for index in text.indices.dropFirst().reversed() where "+-".contains(text[index]) {
      if let start = NumberSyntax.decimal(String(text[..<index])),
        let increment = NumberSyntax.decimal(String(text[index...]))
      {
        return (start, increment)
      }
    }
    return nil
  }
}

/// Why a series is not written as it should be.
public struct SeriesDescriptionError: Error, Hashable, Sendable, CustomStringConvertible {
  public var message: String

  init(_ message: String) {
    self.message = message
  }

  public var description: String { message }
}

extension Labels {
  /// Reads `name{label="value", …}`; the name or the braces may be missing, a name may stand in
  /// quotes inside the braces.
  public init(notation text: String) throws(SeriesDescriptionError) {
    self.init()
    var scanner = Scanner(rest: Array(text.utf8)[...], whole: text)
    scanner.skipSpaces()
    let name = scanner.word()
    if !name.isEmpty { self[Labels.metricName] = name }
    scanner.skipSpaces()
    if scanner.take("{") {
      while !scanner.take("}") {
        let (name, value) = try scanner.label()
        guard self[name] == nil else {
          throw SeriesDescriptionError("label \(QuotedText.quoted(name)) twice in \(text)")
        }
        self[name] = value
        scanner.skipSpaces()
        guard scanner.take(",") || scanner.isBefore("}") else { throw scanner.malformed }
        scanner.skipSpaces()
      }
      scanner.skipSpaces()
    }
    guard scanner.rest.isEmpty else { throw scanner.malformed }
  }

  private struct Scanner {
    var rest: ArraySlice<UInt8>
    let whole: String

    var malformed: SeriesDescriptionError {
      let place = whole.utf8.count - rest.count + 1
      return SeriesDescriptionError(
        "\(QuotedText.quoted(whole)) is no series, from its byte \(place) on: write"
          + " name{label=\"value\"}")
    }

    mutating func skipSpaces() {
      rest = rest.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    }

    func isBefore(_ scalar: Unicode.Scalar) -> Bool { rest.first == UInt8(ascii: scalar) }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
      guard isBefore(scalar) else { return false }
      rest.removeFirst()
      return true
    }

    /// Letters, digits, underscores and colons.
    mutating func word() -> String {
      let word = rest.prefix {
        Lexer.isLetter($0) || Lexer.isDigit($0) || $0 == UInt8(ascii: "_")
          || $0 == UInt8(ascii: ":")
      }
      rest = rest[word.endIndex...]
      return String(decoding: word, as: UTF8.self)
    }

    mutating func label() throws(SeriesDescriptionError) -> (String, String) {
      skipSpaces()
      var name = word()
      if name.isEmpty {
        name = try quoted()
        skipSpaces()
        if isBefore(",") || isBefore("}") { return (Labels.metricName, name) }
      }
      skipSpaces()
      guard take("=") else { throw malformed }
      skipSpaces()
      return (name, try quoted())
    }

    mutating func quoted() throws(SeriesDescriptionError) -> String {
      guard let quote = rest.first, [0x22, 0x27, 0x60].contains(quote) else { throw malformed }
      var end = rest.index(after: rest.startIndex)
      while end < rest.endIndex, rest[end] != quote {
        end += rest[end] == UInt8(ascii: "\\") && quote != 0x60 ? 2 : 1
      }
      guard end < rest.endIndex else { throw malformed }
      let literal = String(decoding: rest[rest.startIndex...end], as: UTF8.self)
      rest = rest[(end + 1)...]
      return StringSyntax.unquoted(literal).value
    }
  }
}
