/// What an action acts on: `kind:name`.
public struct Target: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
  /// What sort of thing the name belongs to.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case service
    case unit
    case process
    case mount
    case host
    case instance
    case asg
  }

  public var kind: Kind
  /// Empty for `host`, which there is only one of.
  public var name: String

  public init(_ kind: Kind, _ name: String = "") {
    self.kind = kind
    self.name = name
  }

  /// Reads `kind:name` or `host`; nil when the kind is unknown or a name is missing.
  ///
  /// A unit's name is completed: `unit:nginx` is `unit:nginx.service`. What is no unit's name, such
  /// as a pattern, stays as it is and is refused with a reason before anything is done (G14).
  public init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let kind = Kind(rawValue: String(parts[0])) else { return nil }
    var name = parts.count == 2 ? String(parts[1]) : ""
    guard kind == .host || !name.isEmpty else { return nil }
    if kind == .unit { name = UnitName.canonical(name) ?? name }
    self.init(kind, kind == .host ? "" : name)
  }

  public static let host = Target(.host)

  public var description: String { name.isEmpty ? kind.rawValue : "\(kind.rawValue):\(name)" }

  public static func < (left: Target, right: Target) -> Bool {
    left.description < right.description
  }
}
