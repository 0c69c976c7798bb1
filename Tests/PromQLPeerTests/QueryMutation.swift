/// Changes to the text of a query that leave most of it as it was.
enum QueryMutation {
  /// Words and numbers as a whole, everything else character by character.
  private static func tokens(_ query: String) -> [String] {
    var tokens: [String] = []
    for character in query {
      let isWord = character.isLetter || character.isNumber || character == "_"
      if isWord, let last = tokens.last?.last, last.isLetter || last.isNumber || last == "_" {
        tokens[tokens.count - 1].append(character)
      } else {
        tokens.append(String(character))
      }
    }
    return tokens
  }

  /// A token left out, doubled, moved or replaced.
  static func broken(_ query: String, _ random: inout RandomSource) -> String {
    var tokens = tokens(query)
    for _ in 0..<random.integer(1...2) where tokens.count > 1 {
      let place = random.integer(0...tokens.count - 1)
      switch random.integer(0...3) {
      case 0: tokens.remove(at: place)
      case 1: tokens.insert(tokens[place], at: place)
      case 2: tokens.swapAt(place, random.integer(0...tokens.count - 1))
      default:
        tokens[place] = random.pick([
          "(", ")", "{", "}", "[", "]", ",", "by", "sum", "rate", "5m", "\"", "1", "x", "=", "and",
          "bool", "on", "@", "offset", "-", ":",
        ])
      }
    }
    return tokens.joined()
  }

  /// Numbers and durations replaced by others at the edge of what can be written.
  static func extreme(_ query: String, _ random: inout RandomSource) -> String {
    var tokens = tokens(query)
    let places = tokens.indices.filter { tokens[$0].first?.isNumber == true }
    for place in places where random.chance(40) {
      let isDuration = tokens[place].contains { $0.isLetter }
      tokens[place] =
        isDuration
        ? random.pick(["1ms", "1s", "292y", "100y", "1y", "step()", "range()", "0.001", "1e9"])
        : random.pick([
          "0", "1e308", "5e-324", "NaN", "Inf", "9223372036854775807", "9.3e18", "4294967296",
          "1e15", "0.1",
        ])
    }
    return tokens.joined()
  }
}
