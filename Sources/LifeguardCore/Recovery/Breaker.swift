/// Stops a ladder that does not help (G7).
///
/// ```
///          3 passes failed              open time over
///  closed ────────────────▶ open ──────────────────────▶ half-open
///     ▲                      ▲  └── failed: twice as long ──┘ │
///     └──────────────────────┴─────── recovered ──────────────┘
/// ```
public struct Breaker: Hashable, Sendable, Codable {
  public enum State: Hashable, Sendable, Codable {
    case closed
    case open(since: Moment, for: Duration)
    /// One try is allowed.
    case halfOpen(lastOpen: Duration)
  }

  public private(set) var state: State = .closed
  /// Completed passes without recovery.
  public private(set) var passes = 0
  /// Since when its target is well without its help.
  public var healthySince: Moment?

  public init() {}

  /// How long it stays open; nil when an attempt may be made.
  public func wait(at moment: Moment) -> Duration? {
    guard case .open(let since, let length) = state else { return nil }
    let passed = moment.elapsed(since: since)
    return passed < length ? length - passed : nil
  }

  public var isOpen: Bool { if case .open = state { true } else { false } }

  /// Moves from open to half-open when its time is over; true when it moved.
  public mutating func refresh(at moment: Moment) -> Bool {
    guard case .open(_, let length) = state, wait(at: moment) == nil else { return false }
    state = .halfOpen(lastOpen: length)
    return true
  }

  /// A pass ended without recovery; true when that opened the breaker.
  public mutating func passFailed(_ settings: GuardRailSettings, at moment: Moment) -> Bool {
    passes += 1
    switch state {
    case .closed:
      guard passes >= settings.breakerPasses else { return false }
      state = .open(since: moment, for: settings.breakerOpen)
    case .halfOpen(let last):
      state = .open(since: moment, for: min(last * 2, settings.breakerOpenCap))
    case .open:
      return false
    }
    return true
  }

  /// A pass of the ladder helped: closes, and forgets the passes that did not.
  public mutating func recovered() {
    state = .closed
    passes = 0
  }
}
