/// The pause after a rung was used; it doubles with every failure and halves with health (G3).
public struct Cooldown: Hashable, Sendable, Codable {
  private struct Use: Hashable, Sendable, Codable {
    var last: Moment
    /// Verified failures, less what health has forgiven.
    var failures: Int
    var healthySince: Moment?
  }

  private var uses: [String: Use] = [:]

  public init() {}

  /// How long the rung must still rest; nil when it may be used.
  ///
  /// A rung that harms nothing, and that has not failed, needs no rest: nothing is gained by
  /// leaving a dead service dead.
  public func wait(
    for key: String, base: Duration, cap: Duration, disruptive: Bool, at moment: Moment
  ) -> Duration? {
    guard let use = uses[key], disruptive || use.failures > 0 else { return nil }
    let pause = Cooldown.pause(use.failures, base, cap, disruptive)
    let passed = moment.elapsed(since: use.last)
    return passed < pause ? pause - passed : nil
  }

  private static func pause(
    _ failures: Int, _ base: Duration, _ cap: Duration, _ disruptive: Bool
  ) -> Duration {
    let doublings = min(failures - (disruptive ? 0 : 1), 20)
    return min(base * (1 << max(doublings, 0)), cap)
  }

  /// Begins the pause after a use.
  public mutating func used(_ key: String, at moment: Moment) {
    uses[key] = Use(last: moment, failures: uses[key]?.failures ?? 0, healthySince: nil)
  }

  /// A verification failed: the next pause is twice as long. What can make it no longer is not
  /// counted, so that health halves the pause that there really is.
  public mutating func failed(
    _ key: String, base: Duration, cap: Duration, disruptive: Bool
  ) {
    guard let use = uses[key] else { return }
    uses[key]?.healthySince = nil
    let pause = Cooldown.pause(use.failures, base, cap, disruptive)
    if pause > .zero, pause < cap { uses[key]?.failures += 1 }
  }

  /// Health began: from here on it halves the pause.
  public mutating func recovered(_ key: String, at moment: Moment) {
    uses[key]?.healthySince = moment
  }

  /// A target is well again, by whatever means.
  public mutating func healthy(_ target: Target, at moment: Moment) {
    for (key, use) in uses where use.healthySince == nil && key.contains("|\(target)|") {
      uses[key]?.healthySince = moment
    }
  }

  /// A target is in trouble: health starts anew.
  public mutating func troubled(_ target: Target) {
    for key in uses.keys where key.contains("|\(target)|") { uses[key]?.healthySince = nil }
  }

  /// Halves the pause of what has been healthy for `halving`, which is one doubling less, and
  /// forgets what has none left.
  public mutating func decay(halving: Duration, cap: Duration, at moment: Moment) {
    for (key, use) in uses {
      if let since = use.healthySince, moment.elapsed(since: since) >= halving {
        uses[key]?.failures = max(use.failures - 1, 0)
        uses[key]?.healthySince = moment
      }
      if let use = uses[key], use.failures == 0, moment.elapsed(since: use.last) >= cap {
        uses[key] = nil
      }
    }
  }
}
