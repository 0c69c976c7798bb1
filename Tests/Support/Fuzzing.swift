import Glibc

/// How long random tests run, and from which seed.
///
/// In a test run each of them takes a fixed number of rounds from a fixed seed, so that a fast
/// machine finds what a slow one does and a failure is nobody's bad luck. `make fuzz` sets
/// `LIFEGUARD_FUZZ_SECONDS` and `LIFEGUARD_FUZZ_SEED`: they then go on until the time is over, from
/// another seed, which is what a failure prints.
public enum Fuzzing {
  /// The numbers of the rounds, from 0.
  public struct Rounds: Sequence, IteratorProtocol {
    fileprivate var number = 0
    fileprivate var count: Int
    fileprivate var end: ContinuousClock.Instant

    public mutating func next() -> Int? {
      guard number < count, ContinuousClock.now < end else { return nil }
      defer { number += 1 }
      return number
    }
  }

  private static func variable(_ name: String) -> UInt64? {
    getenv(name).flatMap { UInt64(String(cString: $0)) }
  }

  public static var seed: UInt64 { variable("LIFEGUARD_FUZZ_SEED") ?? 42 }

  /// - Parameters:
  ///   - count: how many rounds a test run takes.
  ///   - limit: after how many seconds it ends all the same, which only a machine under load meets.
  public static func rounds(_ count: Int, within limit: Int64 = 120) -> Rounds {
    guard let seconds = variable("LIFEGUARD_FUZZ_SECONDS") else {
      return Rounds(count: count, end: .now + .seconds(limit))
    }
    return Rounds(count: .max, end: .now + .seconds(Int64(clamping: seconds)))
  }
}
