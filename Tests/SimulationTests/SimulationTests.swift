import Glibc
import LifeguardCore
import Testing

/// Histories of a made-up host, by the thousand: no history may break a guard rail.
///
/// `LIFEGUARD_SEED=n` tells one history in full; `LIFEGUARD_SIM_SEEDS=n` runs more of them.
@Suite struct SimulationTests {
  static let defaultSeeds = 2000
  static let events = 210

  @Test func `no history breaks a guard rail`() async throws {
    if let only = variable("LIFEGUARD_SEED") {
      print(try Simulation.story(seed: UInt64(only), events: SimulationTests.events))
      return
    }
    let seeds = variable("LIFEGUARD_SIM_SEEDS") ?? SimulationTests.defaultSeeds
    let result = await Simulation.run(
      seeds: 1...UInt64(seeds), events: SimulationTests.events, mutant: nil)
    print(result.statistics.table)
    if let failure = result.failures.min(by: { $0.seed < $1.seed }) {
      print(result.failures.map { "\($0.seed): \($0.violation)" }.joined(separator: "\n"))
      let story = try Simulation.story(seed: failure.seed, events: SimulationTests.events)
      Issue.record("seed \(failure.seed) breaks \(failure.violation)\n\(story)")
    }
  }

  @Test func `the same seed gives the same history`() throws {
    for seed in [3, 8, 77] as [UInt64] {
      let one = try World(seed: seed)
      let other = try World(seed: seed)
      try? one.run(events: SimulationTests.events, healing: false)  // judged elsewhere
      try? other.run(events: SimulationTests.events, healing: false)  // judged elsewhere
      #expect(one.fingerprint == other.fingerprint)
      #expect(one.statistics.table == other.statistics.table)
    }
  }

  @Test(arguments: Mutant.planted) func `a planted fault is noticed`(_ mutant: Mutant) async {
    let result = await Simulation.run(seeds: 1...400, events: 210, mutant: mutant)
    let found = result.failures.map(\.invariant).sorted().joined(separator: ", ")
    print("mutant \(mutant.name): \(found.isEmpty ? "SURVIVES" : found)")
    #expect(!result.failures.isEmpty, "\(mutant.name) survives")
  }

  private func variable(_ name: String) -> Int? {
    guard let text = getenv(name) else { return nil }
    return Int(String(cString: text))
  }
}
