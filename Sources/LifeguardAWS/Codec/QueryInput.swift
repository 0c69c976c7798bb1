import LifeguardCore

/// The parameters of a call in the query protocols: names with dots, values as text.
///
/// ```swift
/// var input = QueryInput()
/// input["AutoScalingGroupName"] = "web"
/// input.list("InstanceIds.member", ["i-1", "i-2"])     // InstanceIds.member.1=i-1&…
/// ```
public struct QueryInput: Hashable, Sendable {
  private(set) var parameters: [Parameter] = []

  struct Parameter: Hashable, Sendable {
    var name: String
    var value: String
  }

  /// No parameters yet.
  public init() {}

  /// A text; setting nil leaves the parameter out.
  public subscript(name: String) -> String? {
    get { parameters.first { $0.name == name }?.value }
    set {
      parameters.removeAll { $0.name == name }
      if let newValue { parameters.append(Parameter(name: name, value: newValue)) }
    }
  }

  /// A whole number.
  public mutating func set(_ name: String, _ value: Int?) { self[name] = value.map { "\($0)" } }

  /// A truth value.
  public mutating func set(_ name: String, _ value: Bool?) {
    self[name] = value.map { $0 ? "true" : "false" }
  }

  /// The elements of a list, numbered from 1; an empty one is left out.
  public mutating func list(_ name: String, _ values: [String]) {
    for (index, value) in values.enumerated() {
      parameters.append(Parameter(name: "\(name).\(index + 1)", value: value))
    }
  }

  /// The body of the request (application/x-www-form-urlencoded).
  func body(action: String, version: String) -> [UInt8] {
    let head = [
      Parameter(name: "Action", value: action), Parameter(name: "Version", value: version),
    ]
    return Array(
      (head + parameters).map { "\(Self.encode($0.name))=\(Self.encode($0.value))" }
        .joined(separator: "&").utf8)
  }

  /// A space is `+`, as in all forms.
  private static func encode(_ text: String) -> String {
    text.split(separator: " ", omittingEmptySubsequences: false)
      .map { PercentEncoding.encode($0) }.joined(separator: "+")
  }
}
