import TestSupport
import Testing

@testable import LifeguardCore

/// Random queries with odd numbers, durations and times in them, without a peer.
struct EvaluationFuzzTests {
  private static let samplesMax = 100_000

  /// Up to what the API takes for a time, and in between.
  private static let times: [Int64] = [
    RandomData.start + 1_500_500, RandomData.start + 900_000, 0, -1, 9_000_000_000_000_000,
    -9_000_000_000_000_000,
  ]

  @Test
  func `whatever parses ends in an answer or an error within the limits`() throws {
    var random = RandomSource(seed: Fuzzing.seed)
    let head = try RandomData(seed: random.next(), variant: 1).head()
    var outcomes = (answers: 0, errors: 0)
    for _ in Fuzzing.rounds(1500) {
      var generator = QueryGenerator(seed: random.next())
      var text = generator.query().text.replacing("$v", with: "v=\"1\"")
      if random.chance(70) { text = QueryMutation.extreme(text, &random) }
      if random.chance(30) { text = QueryMutation.broken(text, &random) }
      // why try?: what does not parse is the parser's own test.
      guard let query = try? Query(parsing: text, allowsExperimental: true) else { continue }
      do {
        let size = Self.size(try Self.evaluate(query, head, &random))
        #expect(size <= Self.samplesMax, "\(text)")
        outcomes.answers += 1
      } catch {
        outcomes.errors += 1
      }
    }
    #expect(outcomes.answers > 100 && outcomes.errors > 20, "\(outcomes)")
  }

  private static func evaluate(
    _ query: Query, _ head: Head, _ random: inout RandomSource
  ) throws(QueryError) -> QueryResult {
    let options = QueryOptions(samplesMax: samplesMax, pointsMax: 500)
    let start = Timestamp(milliseconds: random.pick(times))
    guard random.chance(50) else {
      return try query.instant(over: head, at: start, options: options)
    }
    let other = Timestamp(milliseconds: random.pick(times))
    let end = random.chance(80) ? start + .seconds(600) : other
    return try query.range(
      over: head, from: start, to: end,
      step: .milliseconds(random.pick([1, 7_000, 60_000, 9_000_000_000_000])), options: options)
  }

  private static func size(_ result: QueryResult) -> Int {
    switch result.value {
    case .scalar, .string: 1
    case .vector(let elements): elements.count
    case .matrix(let series): series.reduce(0) { $0 + $1.samples.count }
    }
  }
}
