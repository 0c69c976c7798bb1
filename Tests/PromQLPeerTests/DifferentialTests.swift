import LifeguardCore
import TestSupport
import Testing

/// Random queries over random data, asked of a real Prometheus and of ours.
///
/// `make fuzz` runs it for longer.
@Suite(.serialized)
struct DifferentialTests {
  @Test(.enabled(if: PrometheusServer.requirement.isMet, "\(PrometheusServer.requirement.reason)"))
  func `every random query has the same answer as in Prometheus`() async throws {
    let server = try await PrometheusServer()
    var differential = Differential(server)
    let seed = Fuzzing.seed
    var random = RandomSource(seed: seed)
    var failures = 0
    var loaded = try differential.load(RandomData(seed: random.next(), variant: 0))
    for round in Fuzzing.rounds(2500, within: 90) {
      if failures == 5 { break }
      let querySeed = random.next()
      var generator = QueryGenerator(seed: querySeed)
      let query = generator.query()
      let question = Differential.question(&generator.random, query)
      if try differential.difference(question, loaded) != nil {
        failures += 1
        let smallest = try differential.shrunk(question, loaded)
        Issue.record("LIFEGUARD_FUZZ_SEED=\(seed), query \(querySeed):\n\(smallest)")
      }
      if round % 1500 == 1499 {
        loaded = try differential.load(RandomData(seed: random.next(), variant: 0))
      }
    }
    #expect(differential.asked > 100)
    await server.end()
  }
}
