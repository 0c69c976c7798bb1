import LifeguardCore

/// A rule as resolved, with what it sees now: `lifeguard explain RULE`.
public struct Explanation: Sendable, Codable {
  public struct Element: Sendable, Codable {
    public var labels: Labels
    public var value: Double
  }

  public var rule: String
  public var expression: String
  public var clear: String?
  public var forText: String
  public var samples: String?
  public var origin: String
  public var location: String?
  public var labels: [String: String]
  public var annotations: [String: String]
  /// What the expression returns now.
  public var matches: [Element]
  public var problem: String?
  public var mode: String
  public var plan: String?
  public var target: String?
  public var steps: [String]
  public var verify: String?
  /// The guard rails that would look at its actions, with their numbers.
  public var guardRails: [String]
  /// What they would say now, for the alerts that are firing.
  public var refusals: [String]
}

/// The answer to an operator's command.
public struct CommandAnswer: Sendable, Codable {
  public var accepted: Bool
  public var message: String

  public init(accepted: Bool, message: String) {
    self.accepted = accepted
    self.message = message
  }
}
