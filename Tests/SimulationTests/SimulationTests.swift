import Glibc
import LifeguardCore
import Testing

/// Histories of a made-up host, by the thousand: no history may break a guard rail.
///
/// `LIFEGUARD_SEED=n` tells one history in full; `LIFEGUARD_SIM_SEEDS=n` runs more of them.
@Suite struct SimulationTests {
  static let defaultSeeds = 2000
  static let events = 260

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

  private func variable(_ name: String) -> Int? {
    guard let text = getenv(name) else { return nil }
    return Int(String(cString: text))
  }
}
