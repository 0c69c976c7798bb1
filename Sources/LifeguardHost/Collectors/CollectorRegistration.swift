/// A collector as the schedule knows it.
public struct CollectorRegistration: Sendable {
  /// How a collector is kept from delaying others.
  public enum Isolation: Hashable, Sendable {
    /// On the schedule's thread: for what only reads memory of the kernel.
    case none
    /// In a thread of its own, given up when it takes longer than `deadline`.
    case thread(deadline: Duration)
  }

  public var name: String
  /// How often it collects; rounded up to whole ticks.
  public var interval: Duration
  public var isolation: Isolation
  /// Whether it runs unless the configuration says otherwise.
  public var isDefault: Bool
  /// Asked at each tick: collect now although the interval is not over.
  public var isUrgent: (@Sendable () -> Bool)?
  /// Makes the collector, on the thread on which it will run.
  public var make: @Sendable (CollectorContext) -> any Collector

  public init(
    _ name: String, every interval: Duration, isolation: Isolation = .none,
    isDefault: Bool = true, isUrgent: (@Sendable () -> Bool)? = nil,
    make: @escaping @Sendable (CollectorContext) -> any Collector
  ) {
    self.name = name
    self.interval = interval
    self.isolation = isolation
    self.isDefault = isDefault
    self.isUrgent = isUrgent
    self.make = make
  }
}
