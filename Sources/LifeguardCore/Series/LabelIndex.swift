/// From labels to the slots of the series that carry them ("inverted index").
///
/// Nested, so that a new series after a snapshot copies only the dictionaries of its own labels.
public struct LabelIndex: Sendable {
  /// Label name → value → slots.
  private var slots: [String: [String: SlotList]] = [:]
  private var used = SlotList()

  public init() {}

  /// Every slot in use, ascending.
  public var all: [Int32] { used.all }

  /// Adds a series; slots that only ever grow are added fastest.
  public mutating func insert(_ labels: Labels, slot: Int32) {
    used.insert(slot)
    for label in labels {
      slots[label.name, default: [:]][label.value, default: SlotList()].insert(slot)
    }
  }

  /// Forgets series, in ascending order of their slots; the labels must be those that each was
  /// added with.
  ///
  /// All at once, because most of them share most of their labels.
  public mutating func remove(_ series: [(labels: Labels, slot: Int32)]) {
    used.remove(series.map(\.slot))
    var gone: [String: [String: [Int32]]] = [:]
    for (labels, slot) in series {
      for label in labels {
        gone[label.name, default: [:]][label.value, default: []].append(slot)
      }
    }
    for (name, values) in gone {
      for (value, removed) in values {
        slots[name]?[value]?.remove(removed)
        if slots[name]?[value]?.isEmpty == true { slots[name]?[value] = nil }
      }
      if slots[name]?.isEmpty == true { slots[name] = nil }
    }
  }

  /// Label names in use, sorted.
  public var names: [String] {
    slots.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Values of one label, sorted.
  public func values(of name: String) -> [String] {
    (slots[name]?.keys.map { $0 } ?? []).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// A superset of the slots that match: the smallest set that one matcher alone allows.
  ///
  /// The caller checks the rest on the labels themselves, which is cheaper than intersecting long
  /// lists when, as usual, the metric's name leaves only a few.
  public func candidates(_ matchers: [Matcher]) -> [Int32] {
    var best: SlotList?
    for matcher in matchers where matcher.kind == .equal && !matcher.value.isEmpty {
      guard let found = slots[matcher.name]?[matcher.value] else { return [] }
      if found.count < best?.count ?? .max { best = found }
    }
    if let best { return best.all }
    var shortest: [Int32]?
    for matcher in matchers where matcher.kind != .equal && !matcher.matchesEmpty {
      let found = union(of: matcher)
      if found.count < shortest?.count ?? .max { shortest = found }
    }
    return shortest ?? all
  }

  private func union(of matcher: Matcher) -> [Int32] {
    guard let values = slots[matcher.name] else { return [] }
    var found: [Int32] = []
    if let literals = matcher.alternatives {
      for literal in literals { found += values[literal]?.all ?? [] }
    } else {
      for (value, slots) in values where matcher.matches(value) { found += slots.all }
    }
    found.sort()
    return found
  }
}
