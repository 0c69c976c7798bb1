import LifeguardCore

/// One node of a YAML document, with the place where it was written.
struct Node {
  /// Scalars, lists and mappings; anchors and merge keys are already resolved.
  indirect enum Value {
    case scalar(Scalar)
    case sequence([Node])
    case mapping([Entry])
  }

  /// One key of a mapping, in file order.
  struct Entry {
    var key: String
    var keyLocation: SourceLocation
    var value: Node
  }

  var value: Value
  var location: SourceLocation

  /// The scalar, nil for a list or a mapping.
  var scalar: Scalar? {
    if case .scalar(let scalar) = value { scalar } else { nil }
  }

  var entries: [Entry]? {
    if case .mapping(let entries) = value { entries } else { nil }
  }

  var items: [Node]? {
    if case .sequence(let items) = value { items } else { nil }
  }

  /// Nothing written, `~` or `null`.
  var isNull: Bool { scalar?.isNull ?? false }

  /// How a message names what was found: `a list`, `a mapping`, `"text"`.
  var description: String {
    switch value {
    case .scalar(let scalar): scalar.isNull ? "nothing" : quoted(scalar.text)
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }

  subscript(key: String) -> Node? {
    entries?.first { $0.key == key }?.value
  }
}

/// A text, how it was written, and where it begins and ends.
struct Scalar {
  enum Style {
    case plain
    case singleQuoted
    case doubleQuoted
    case literal
    case folded
  }

  /// A place in the source, counted from 0, in Unicode scalars (as libyaml counts).
  struct Mark {
    var line: Int
    var column: Int
  }

  var text: String
  var style: Style
  var start: Mark
  var end: Mark
  var file: String
  /// The whole file; only looked at when an error inside the text is reported.
  var source: SourceText

  /// The core schema's null (YAML 1.2, 10.2.1.1): only a plain text can be one.
  var isNull: Bool {
    style == .plain && ["", "~", "null", "Null", "NULL"].contains(text)
  }
}
