import LifeguardCore
import TestSupport
import Testing

/// What is a query and what is none, and in which words: beside a real Prometheus.
struct ParserPeerTests {
  private static let requirement = PrometheusServer.requirement

  @Test(.enabled(if: requirement.isMet, "\(requirement.reason)"))
  func `what is refused is refused with Prometheus' words`() async throws {
    let server = try await PrometheusServer()
    var random = RandomSource(seed: Fuzzing.seed)
    let deadline = Fuzzing.deadline(seconds: 8)
    var (refused, worded, differences) = (0, 0, [String]())
    while !deadline.hasPassed, differences.count < 10 {
      var generator = QueryGenerator(seed: random.next())
      let query = generator.query().text.replacing("$v", with: "v=\"1\"")
      let text = Self.mutated(query, &random)
      let answer = try server.ask("/api/v1/query", [("query", text), ("time", "1700000000.5")])
      let isBad = answer["errorType"]?.string == "bad_data"
      let theirs = isBad ? answer["error"]?.string ?? "" : nil
      let ours = Self.error(text)
      if (theirs == nil) != (ours == nil) {
        guard !Self.isNewSyntax(text, theirs) else { continue }
        differences.append("\(text.debugDescription): \(ours ?? "fine"), not \(theirs ?? "fine")")
      } else if let ours, let theirs {
        refused += 1
        if theirs == "invalid parameter \"query\": " + ours { worded += 1 }
      }
    }
    await server.end()
    #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
    #expect(refused > 50)
    // Version 3 words some things anew: what it expects where, and durations.
    #expect(Double(worded) > Double(refused) * 0.8, "\(worded) of \(refused)")
  }

  private static func error(_ text: String) -> String? {
    do {
      _ = try Query(parsing: text.replacing("holt_winters", with: "rate"))
      return nil
    } catch {
      return "\(error)"
    }
  }

  /// What version 3 takes and 2.42 does not: durations that are calculated or written as numbers of
  /// seconds, and names in quotes.
  private static func isNewSyntax(_ text: String, _ theirs: String?) -> Bool {
    guard let theirs else { return text.contains("holt_winters") }
    return theirs.contains("duration") || theirs.contains("offset") || theirs.contains("range")
      || theirs.contains("subquery") || theirs.contains("label matching")
      || theirs.contains("grouping")
  }

  /// A token left out, doubled, moved or replaced.
  private static func mutated(_ query: String, _ random: inout RandomSource) -> String {
    var tokens: [String] = []
    for character in query {
      let isWord = character.isLetter || character.isNumber || character == "_"
      if isWord, let last = tokens.last?.last, last.isLetter || last.isNumber || last == "_" {
        tokens[tokens.count - 1].append(character)
      } else {
        tokens.append(String(character))
      }
    }
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
}
