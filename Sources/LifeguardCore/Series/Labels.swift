/// One label: a name and its value.
public struct Label: Hashable, Comparable, Sendable {
  public var name: String
  public var value: String

  public init(name: String, value: String) {
    self.name = name
    self.value = value
  }

  /// By name, then by value, in the order of their UTF-8 bytes, as Prometheus sorts them.
  public static func < (left: Label, right: Label) -> Bool {
    left.name == right.name
      ? left.value.utf8.lexicographicallyPrecedes(right.value.utf8)
      : left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
  }
}

/// A set of labels, sorted by name, without duplicates and without empty values.
///
/// A label with an empty value is the same as no label (Prometheus data model), so it is dropped.
public struct Labels: Hashable, Comparable, Sendable, ExpressibleByDictionaryLiteral {
  /// The label that holds the metric's name.
  public static let metricName = "__name__"

  private var sorted: [Label]

  public init() {
    sorted = []
  }

  init(unchecked sorted: [Label]) {
    self.sorted = sorted
  }

  /// Of several labels with one name, the last one counts.
  public init(_ labels: some Sequence<Label>) {
    sorted = []
    for label in labels { self[label.name] = label.value }
  }

  public init(dictionaryLiteral elements: (String, String)...) {
    self.init(elements.map { Label(name: $0.0, value: $0.1) })
  }

  /// The value of a label, `nil` when it is absent; setting an empty value removes the label.
  public subscript(name: String) -> String? {
    get {
      // Label sets are small: a scan beats a binary search below about a dozen labels.
      for label in sorted where label.name == name { return label.value }
      return nil
    }
    set {
      let value = newValue ?? ""
      if let index = sorted.firstIndex(where: { $0.name == name }) {
        if value.isEmpty { sorted.remove(at: index) } else { sorted[index].value = value }
        return
      }
      guard !value.isEmpty else { return }
      let label = Label(name: name, value: value)
      sorted.insert(label, at: sorted.firstIndex { label < $0 } ?? sorted.endIndex)
    }
  }

  /// The metric's name, empty when there is none.
  public var metric: String { self[Labels.metricName] ?? "" }

  public static func < (left: Labels, right: Labels) -> Bool {
    left.sorted.lexicographicallyPrecedes(right.sorted)
  }
}

extension Labels: RandomAccessCollection {
  public var startIndex: Int { sorted.startIndex }
  public var endIndex: Int { sorted.endIndex }
  public subscript(position: Int) -> Label { sorted[position] }
}

extension Labels: CustomStringConvertible {
  /// As Prometheus writes it: `name{label="value"}`, with the values escaped.
  public var description: String {
    let rest = sorted.filter { $0.name != Labels.metricName }
      .map { "\($0.name)=\(NameEscaping.quoted($0.value))" }
      .joined(separator: ", ")
    return rest.isEmpty && !metric.isEmpty ? metric : "\(metric){\(rest)}"
  }
}

extension Labels: Codable {
  public init(from decoder: any Decoder) throws {
    let dictionary = try decoder.singleValueContainer().decode([String: String].self)
    self.init(dictionary.map { Label(name: $0.key, value: $0.value) })
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(
      Dictionary(uniqueKeysWithValues: sorted.map { ($0.name, $0.value) }))
  }
}
