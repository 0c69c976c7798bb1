/// Keeps messages about matching alerts back until a time; detection and recovery go on.
public struct Silence: Hashable, Sendable, Codable {
  public struct Condition: Hashable, Sendable, Codable {
    public var name: String
    /// `=`, `!=`, `=~` or `!~`.
    public var kind: String
    public var value: String

    public init(name: String, kind: String, value: String) {
      self.name = name
      self.kind = kind
      self.value = value
    }
  }

  public var id: String
  public var conditions: [Condition]
  public var by: String
  public var comment: String
  public var from: Moment
  public var length: Duration

  public init(
    id: String, conditions: [Condition], by: String, comment: String, from: Moment,
    length: Duration
  ) {
    self.id = id
    self.conditions = conditions
    self.by = by
    self.comment = comment
    self.from = from
    self.length = length
  }

  /// Whether it covers this moment, which is on the clock that nobody can set.
  public func isActive(at moment: Moment) -> Bool { moment.elapsed(since: from) < length }

  /// Whether every condition matches; one that cannot be read matches nothing.
  public func matches(_ labels: Labels) -> Bool {
    conditions.allSatisfy { condition in
      guard let kind = Matcher.Kind(rawValue: condition.kind),
        // A pattern that does not compile was refused on its way in.
        let matcher = try? Matcher(name: condition.name, kind: kind, value: condition.value)
      else { return false }
      return matcher.matches(labels[condition.name] ?? "")
    }
  }
}
