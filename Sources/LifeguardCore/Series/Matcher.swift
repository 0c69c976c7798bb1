/// A condition on one label, compiled; a label that is absent counts as the empty string.
public struct Matcher: Sendable, Hashable, CustomStringConvertible {
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    case equal = "="
    case notEqual = "!="
    case regexMatch = "=~"
    case regexNoMatch = "!~"
  }

  public let name: String
  public let kind: Kind
  public let value: String
  /// Set for the two kinds that need one.
  let expression: RegularExpression?

  /// - Throws: when `value` is not a regular expression in RE2 syntax and the kind needs one.
  public init(
    name: String, kind: Kind, value: String
  ) throws(RegularExpressionError) {
    self.name = name
    self.kind = kind
    self.value = value
    switch kind {
    case .equal, .notEqual: expression = nil
    case .regexMatch, .regexNoMatch: expression = try RegularExpression(value)
    }
  }

  /// An equality, which cannot fail.
  public init(name: String, equals value: String) {
    self.name = name
    self.kind = .equal
    self.value = value
    expression = nil
  }

  /// Whether a label with this value matches.
  public func matches(_ candidate: String) -> Bool {
    switch kind {
    case .equal: return Self.sameBytes(candidate, value)
    case .notEqual: return !Self.sameBytes(candidate, value)
    case .regexMatch: return expression?.matches(candidate) ?? false
    case .regexNoMatch: return !(expression?.matches(candidate) ?? false)
    }
  }

  /// Whether a series with these labels matches.
  public func matches(_ labels: Labels) -> Bool {
    matches(labels[name] ?? "")
  }

  /// Whether series without the label match.
  public var matchesEmpty: Bool { matches("") }

  /// The few values that match, when they can be listed: an index looks them up.
  public var alternatives: [String]? {
    switch kind {
    case .equal: [value]
    case .regexMatch: expression?.literals.map { $0.sorted() }
    case .notEqual, .regexNoMatch: nil
    }
  }

  public var description: String {
    "\(name)\(kind.rawValue)\(QuotedText.quoted(value))"
  }

  public static func == (left: Matcher, right: Matcher) -> Bool {
    left.name == right.name && left.kind == right.kind && left.value == right.value
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(kind)
    hasher.combine(value)
  }

  /// Prometheus compares bytes; Swift's `==` alone would take composed and decomposed letters for
  /// the same.
  private static func sameBytes(_ left: String, _ right: String) -> Bool {
    left == right && left.utf8.count == right.utf8.count
  }
}
