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
    var (refused, worded, differences) = (0, 0, [String]())
    for _ in Fuzzing.rounds(2000, within: 60) {
      if differences.count == 10 { break }
      var generator = QueryGenerator(seed: random.next())
      let query = generator.query().text.replacing("$v", with: "v=\"1\"")
      let text = QueryMutation.broken(query, &random)
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
}
