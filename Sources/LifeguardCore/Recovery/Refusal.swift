/// The guard rails that this core holds, by their number in the guard rails' reference.
public enum GuardRail: String, Hashable, Sendable, Codable, CaseIterable {
  case freshEvidence = "G1"
  case oneInFlight = "G2"
  case cooldown = "G3"
  case budget = "G4"
  case storm = "G5"
  case minimumHealthy = "G6"
  case breaker = "G7"
  case verification = "G8"
  case ladder = "G9"
  case precondition = "G10"
  /// The peace of a maintenance lease, which the end of the machine gives: it is emptied, and not
  /// repaired.
  case draining = "G11"
  case intent = "G12"
  case mode = "G13"
  case targets = "G14"
  case neverList = "G15"
  case executor = "G18"
  case unknownIsNotBad = "G19"
  case slowIsNotDead = "G20"
  case approval = "G25"
  case killSwitch = "G26"
  case startUp = "G27"
}

/// Why something was not done: a code for programs, a sentence for people.
public struct Refusal: Error, Hashable, Sendable, Codable {
  public var guardRail: GuardRail
  /// Stable, lower case, such as `budget_target`.
  public var code: String
  public var sentence: String
  /// The earliest time at which it may be tried again, where that is known.
  public var until: Moment?

  public init(_ guardRail: GuardRail, code: String, _ sentence: String, until: Moment? = nil) {
    self.guardRail = guardRail
    self.code = code
    self.sentence = sentence
    self.until = until
  }
}
