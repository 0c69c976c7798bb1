/// An invariant that did not hold.
struct Violation: Error, CustomStringConvertible {
  /// Short and stable, such as `G4 budget`.
  var invariant: String
  var detail: String

  var description: String { "\(invariant): \(detail)" }
}
