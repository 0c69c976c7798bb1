import LifeguardCore

/// What operators write: matchers and durations.
enum OperatorText {
  struct Problem: Error {
    var message: String
  }

  /// Reads `service="web"`, with `=`, `!=`, `=~` or `!~`; the quotes may be left out.
  static func matcher(_ text: String) throws(Problem) -> Matcher {
    let name = text.prefix { !"=!~ {}\"',".contains($0) }
    var rest = text.dropFirst(name.count).drop { $0 == " " }
    let kinds: [Matcher.Kind] = [.regexMatch, .regexNoMatch, .notEqual, .equal]
    guard !name.isEmpty, let kind = kinds.first(where: { rest.hasPrefix($0.rawValue) }) else {
      throw Problem(
        message: "invalid matcher \"\(text)\": write a label, one of = != =~ !~, and a value, "
          + "such as 'service=\"web\"'")
    }
    rest = rest.dropFirst(kind.rawValue.count).drop { $0 == " " }
    var value = String(rest)
    if rest.first == "\"" {
      guard rest.count >= 2, rest.last == "\"" else {
        throw Problem(message: "invalid matcher \"\(text)\": the quotes of its value do not match")
      }
      value = String(rest.dropFirst().dropLast())
    }
    do {
      return try Matcher(name: String(name), kind: kind, value: value)
    } catch {
      throw Problem(message: "invalid matcher \"\(text)\": \(error.message)")
    }
  }

  /// Reads `90s`, `15m`, `2h`, `1d`, and several of them in a row.
  static func duration(_ text: String) throws(Problem) -> Duration {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
    var total: Int64 = 0
    var rest = Substring(text)
    let problem = Problem(message: "\"\(text)\" is not a duration: write 30m, 2h or 1d")
    guard !rest.isEmpty else { throw problem }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      guard digits.count <= 8, let count = Int64(digits), let unit = rest.popFirst(),
        let seconds = units[unit]
      else { throw problem }
      total += count * seconds
    }
    return .seconds(total)
  }
}
