/// One rule that changes, keeps or drops a label set: an entry of `relabel_configs`.
///
/// Meaning and defaults are Prometheus' (`model/relabel/relabel.go`, v3).
public struct RelabelRule: Hashable, Sendable {
  public enum Action: String, Hashable, Sendable, CaseIterable {
    case replace
    case keep
    case drop
    case keepequal
    case dropequal
    case hashmod
    case labelmap
    case labeldrop
    case labelkeep
    case lowercase
    case uppercase
  }

  /// The values of these, joined, are what the rule looks at; an absent label counts as empty.
  public var sourceLabels: [String]
  public var separator: String
  /// Anchored at both ends; the first group is `$1`.
  public var expression: RegularExpression
  /// For `hashmod`.
  public var modulus: UInt64
  public var targetLabel: String
  public var replacement: String
  public var action: Action

  public init(
    action: Action = .replace, sourceLabels: [String] = [], separator: String = ";",
    expression: RegularExpression, modulus: UInt64 = 0, targetLabel: String = "",
    replacement: String = "$1"
  ) {
    self.action = action
    self.sourceLabels = sourceLabels
    self.separator = separator
    self.expression = expression
    self.modulus = modulus
    self.targetLabel = targetLabel
    self.replacement = replacement
  }

  /// The regular expression of a rule that names none.
  public static let anything = "(.*)"

  /// Changes the labels, and says whether the series or target stays.
  public func apply(to labels: inout Labels) -> Bool {
    let value = sourceLabels.map { labels[$0] ?? "" }.joined(separator: separator)
    switch action {
    case .keep: return expression.matches(value)
    case .drop: return !expression.matches(value)
    case .keepequal: return Self.sameBytes(labels[targetLabel] ?? "", value)
    case .dropequal: return !Self.sameBytes(labels[targetLabel] ?? "", value)
    case .replace: replace(value, in: &labels)
    case .lowercase: labels[targetLabel] = value.lowercased()
    case .uppercase: labels[targetLabel] = value.uppercased()
    case .hashmod:
      let hash = MessageDigest5.digest(of: value)[8...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      labels[targetLabel] = String(hash % max(modulus, 1))
    case .labelmap:
      for label in Array(labels) {
        guard let name = expression.expand(replacement, matching: label.name), !name.isEmpty else {
          continue
        }
        labels[name] = label.value
      }
    case .labeldrop:
      for label in Array(labels) where expression.matches(label.name) { labels[label.name] = nil }
    case .labelkeep:
      for label in Array(labels) where !expression.matches(label.name) { labels[label.name] = nil }
    }
    return true
  }

  public static func == (left: RelabelRule, right: RelabelRule) -> Bool { left.key == right.key }

  public func hash(into hasher: inout Hasher) { hasher.combine(key) }

  /// Everything that makes a rule, in a form that can be compared.
  private var key: [String] {
    [
      action.rawValue, separator, expression.pattern, String(modulus), targetLabel, replacement,
    ] + sourceLabels
  }

  private func replace(_ value: String, in labels: inout Labels) {
    guard let target = expression.expand(targetLabel, matching: value),
      let result = expression.expand(replacement, matching: value), !target.isEmpty
    else { return }
    labels[target] = result
  }

  private static func sameBytes(_ left: String, _ right: String) -> Bool {
    left.utf8.elementsEqual(right.utf8)
  }
}

extension [RelabelRule] {
  /// Applies the rules in order; false as soon as one of them drops the label set.
  public func apply(to labels: inout Labels) -> Bool {
    for rule in self where !rule.apply(to: &labels) { return false }
    return true
  }
}
