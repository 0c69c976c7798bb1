/// How a verb went. That it was carried out says nothing about recovery: verification does.
public struct ServiceOutcome: Hashable, Sendable {
  public enum Result: Hashable, Sendable {
    case done
    /// This kind of service has no such verb.
    case unsupported
    case refused(SignalRefusal)
    case failed
    /// The time was up; it may still happen.
    case timedOut
  }

  public var result: Result
  /// For people: what was done, or why not.
  public var message: String
  public var duration: Duration

  public init(_ result: Result, _ message: String, duration: Duration = .zero) {
    self.result = result
    self.message = message
    self.duration = duration
  }

  public var succeeded: Bool { result == .done }
}

/// One service, whatever it is made of.
public protocol ServiceControl: Sendable {
  /// What it is doing now.
  func state() async -> ServiceState
  /// Carries out a verb; returns at the latest when `limit` and a few seconds have passed.
  func perform(_ verb: ServiceVerb, within limit: Duration) async -> ServiceOutcome
}

extension ServiceControl {
  /// Carries out a verb and notes how long it took.
  public func performTimed(_ verb: ServiceVerb, within limit: Duration) async -> ServiceOutcome {
    let start = BootClock.now()
    var outcome = await perform(verb, within: limit)
    outcome.duration = BootClock.now() - start
    return outcome
  }
}
