/// How far Lifeguard may go by itself: the operator's ceiling.
public enum Mode: Int, Hashable, Comparable, Sendable, Codable, CaseIterable {
  /// Watches and tells; says what it would do.
  case observe
  /// Decides as if it acted, with every guard rail, and records what it would have done.
  case shadow
  /// Asks a person before every action (`lifeguard approve`).
  case approve
  /// Acts.
  case auto

  public init?(name: String) {
    guard let mode = Mode.allCases.first(where: { $0.name == name }) else { return nil }
    self = mode
  }

  public var name: String {
    switch self {
    case .observe: "observe"
    case .shadow: "shadow"
    case .approve: "approve"
    case .auto: "auto"
    }
  }

  public static func < (left: Mode, right: Mode) -> Bool { left.rawValue < right.rawValue }
}
