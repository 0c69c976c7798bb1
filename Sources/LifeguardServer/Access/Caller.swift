/// Who asks, and what they may.
struct Caller: Equatable, Sendable {
  enum Right: Int, Comparable, Sendable {
    /// Only what is open to everybody.
    case none
    case read
    /// And send samples.
    case write
    case act

    static func < (left: Right, right: Right) -> Bool { left.rawValue < right.rawValue }
  }

  /// As the audit names them.
  var name: String
  var right: Right

  static let nobody = Caller(name: "nobody", right: .none)
}
