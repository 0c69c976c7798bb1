/// What one rule said at one time, per label set.
public struct Evaluation: Sendable {
  /// The rule's identity (`AlertRule.id`).
  public var rule: String
  /// Label sets for which the rule said something; a label set that it does not name is healthy
  /// when `hasData`, and unknown otherwise.
  public var elements: [Element]
  /// Whether any selector of the rule outside `absent()` had a sample that was fresh enough.
  public var hasData: Bool
  /// The newest sample that any selector read.
  public var newestInput: Timestamp?
  /// How old the newest sample may be before it no longer justifies an action (G1).
  public var freshness: Duration
  /// Why the rule could not be evaluated, in one sentence.
  public var problem: String?
  /// More alerts than the group's `limit`: all of the rule's alerts end, as in Prometheus.
  public var exceedsLimit = false

  public init(
    rule: String, elements: [Element] = [], hasData: Bool = true,
    newestInput: Timestamp? = nil, freshness: Duration = .seconds(5), problem: String? = nil
  ) {
    self.rule = rule
    self.elements = elements
    self.hasData = hasData
    self.newestInput = newestInput
    self.freshness = freshness
    self.problem = problem
  }

  /// One label set and what the rule said about it.
  public struct Element: Hashable, Sendable {
    public var labels: Labels
    public var value: Double
    public var verdict: Verdict
    /// The newest sample that fed this element.
    public var newestInput: Timestamp?
    /// Whether any sample that fed it was not collected on this host.
    public var origin: SeriesOrigin

    public init(
      labels: Labels, value: Double, verdict: Verdict, newestInput: Timestamp? = nil,
      origin: SeriesOrigin = .local
    ) {
      self.labels = labels
      self.value = value
      self.verdict = verdict
      self.newestInput = newestInput
      self.origin = origin
    }
  }

  /// DESIGN: breached, healthy, or no data; `uncleared` is the band between `expr` and `clear`.
  public enum Verdict: String, Hashable, Sendable, Codable {
    case breached
    case healthy
    /// Neither breached nor cleared: a firing alert goes on, an inactive one stays inactive.
    case uncleared
    case noData
  }
}
