import Glibc
import LifeguardCore
import TestSupport
import Testing

/// Random queries over random data, asked of a real Prometheus and of ours.
///
/// `make fuzz` runs it for longer: `LIFEGUARD_FUZZ_SECONDS` is how long, `LIFEGUARD_FUZZ_SEED`
/// where it begins, which is what a failure prints.
@Suite(.serialized)
struct DifferentialTests {
  @Test(.enabled(if: PrometheusServer.requirement.isMet, "\(PrometheusServer.requirement.reason)"))
  func `every random query has the same answer as in Prometheus`() async throws {
    let server = try await PrometheusServer()
    var differential = Differential(server)
    let seed = Fuzzing.seed
    var random = RandomSource(seed: seed)
    let deadline = Fuzzing.deadline(seconds: 40)
    var failures = 0
    var loaded = try differential.load(RandomData(seed: random.next(), variant: 0))
    while !deadline.hasPassed, failures < 5 {
      let querySeed = random.next()
      var generator = QueryGenerator(seed: querySeed)
      let query = generator.query()
      let question = Differential.question(&generator.random, query)
      if try differential.difference(question, loaded) != nil {
        failures += 1
        let smallest = try differential.shrunk(question, loaded)
        Issue.record("LIFEGUARD_FUZZ_SEED=\(seed), query \(querySeed):\n\(smallest)")
      }
      if differential.asked % 1500 == 1499 {
        loaded = try differential.load(RandomData(seed: random.next(), variant: 0))
      }
    }
    #expect(differential.asked > 100)
    await server.end()
  }
}

/// How long the random tests run, and from which seed.
enum Fuzzing {
  struct Deadline {
    fileprivate var end: ContinuousClock.Instant

    var hasPassed: Bool { ContinuousClock.now >= end }
  }

  private static func variable(_ name: String) -> UInt64? {
    getenv(name).flatMap { UInt64(String(cString: $0)) }
  }

  /// The same in every test run, so that a failure is nobody's bad luck; `make fuzz` gives others.
  static var seed: UInt64 { variable("LIFEGUARD_FUZZ_SEED") ?? 42 }

  static func deadline(seconds: UInt64) -> Deadline {
    let limit = variable("LIFEGUARD_FUZZ_SECONDS") ?? seconds
    return Deadline(end: ContinuousClock.now + .seconds(Int64(limit)))
  }
}
