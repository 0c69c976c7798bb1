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
    let missing = SimulationTests.kinds.filter { result.statistics[$0] == 0 }
    #expect(missing.isEmpty || seeds < 1000, "the generator never produced \(missing)")
    if let failure = result.failures.min(by: { $0.seed < $1.seed }) {
      print(result.failures.map { "\($0.seed): \($0.violation)" }.joined(separator: "\n"))
      let story = try Simulation.story(seed: failure.seed, events: SimulationTests.events)
      Issue.record("seed \(failure.seed) breaks \(failure.violation)\n\(story)")
    }
  }

  /// What every run must have produced, or its silence proves nothing.
  static let kinds = [
    "crash", "flap", "service hung", "service suspended", "service stoppedByOperator",
    "service changing", "service ill", "brought back by systemd", "healed by itself",
    "look failed", "late probe", "contradictory probe", "samples absent", "samples late",
    "samples notANumber", "samples broken", "metric high", "pressure", "kill switch", "disk full",
    "clock jump back", "clock jump forward", "reboot", "agent killed",
    "agent killed while a step runs", "unfinished intent found at a start", "state lost",
    "preparation lost", "step start", "step nudge", "step reload", "step restart",
    "step stop_clean_start", "step run", "step http", "step ec2", "step fails", "step hangs",
    "step reports nothing", "step result unknown", "step elsewhere unknown",
    "step says it worked and did not",
    "dies again after a step", "a step breaks a neighbour", "refused by the executor",
    "command freeze", "command thaw", "command approve", "command acknowledge", "command silence",
    "problem", "record outcome recovered", "record outcome not_recovered",
    "record outcome inconclusive", "record outcome worse", "record breaker breaker_opened",
    "record escalated page", "record approval approval_expired", "record closed recovered",
    "record closed closed", "record refused busy", "record refused cooldown",
    "record refused budget_target", "record refused budget_action", "record refused budget_reboot",
    "record refused breaker_open",
    "record refused starting_up", "record refused stopped_by_operator", "record refused changing",
    "record refused no_data", "record refused state_unknown", "record refused stale_evidence",
    "record refused not_settled", "record refused slow_not_dead", "record refused dependency_down",
    "record refused just_booted", "record refused no_room", "record refused no_target",
    "record refused config_test", "record refused mount_missing", "record refused frozen",
    "record refused kill_switch_file", "record refused state_lost", "record refused subsiding",
    "record refused clock_set_back", "record refused instance_ends", "termination notice",
    "healings", "whole turns", "samples refused",
  ]

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
    let result = await Simulation.run(seeds: 1...1500, events: 210, mutant: mutant)
    let found = result.failures.map(\.invariant).sorted().joined(separator: ", ")
    print("mutant \(mutant.name): \(found.isEmpty ? "SURVIVES" : found)")
    #expect(!result.failures.isEmpty, "\(mutant.name) survives")
  }

  private func variable(_ name: String) -> Int? {
    guard let text = getenv(name) else { return nil }
    return Int(String(cString: text))
  }
}
