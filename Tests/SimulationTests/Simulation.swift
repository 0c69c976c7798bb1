/// Runs many histories, spread over the processors.
enum Simulation {
  struct Failure: Sendable {
    var seed: UInt64
    var violation: String
    var invariant: String
  }

  struct Result: Sendable {
    var statistics = Statistics()
    var failures: [Failure] = []
  }

  static func run(seeds: ClosedRange<UInt64>, events: Int, mutant: Mutant?) async -> Result {
    let lanes: UInt64 = mutant == nil ? 4 : 1
    return await withTaskGroup(of: Result.self) { group in
      for lane in 0..<lanes {
        group.addTask {
          var result = Result()
          for seed in seeds where seed % lanes == lane {
            one(seed, events, mutant, into: &result)
            if mutant != nil, !result.failures.isEmpty { break }
          }
          return result
        }
      }
      var all = Result()
      for await part in group {
        all.statistics.add(part.statistics)
        all.failures += part.failures
      }
      return all
    }
  }

  private static func one(
    _ seed: UInt64, _ events: Int, _ mutant: Mutant?, into result: inout Result
  ) {
    do {
      let world = try World(seed: seed, mutant: mutant)
      defer { result.statistics.add(world.statistics) }
      do {
        try world.run(events: events, healing: mutant == nil && seed % 12 == 0)
      } catch let violation as Violation {
        result.failures.append(
          Failure(
            seed: seed, violation: violation.description, invariant: violation.invariant))
      }
    } catch {
      result.failures.append(
        Failure(seed: seed, violation: "\(error)", invariant: "no error"))
    }
  }

  /// One history in full, for a person.
  static func story(seed: UInt64, events: Int) throws -> String {
    let world = try World(seed: seed, tellsStory: true)
    var end = "no violation"
    do {
      try world.run(events: events, healing: seed % 12 == 0)
    } catch let violation as Violation {
      end = "VIOLATION \(violation)"
    }
    return (["LIFEGUARD_SEED=\(seed)"] + (world.story ?? []) + [end]).joined(separator: "\n")
  }
}
