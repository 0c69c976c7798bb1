/// From labels to the slots of the series that carry them ("inverted index").
///
/// Nested, so that a new series after a snapshot copies only the dictionaries of its own labels.
public struct LabelIndex: Sendable {
  /// Label name → value → slots, ascending.
  private var slots: [String: [String: [Int32]]] = [:]
  /// Every slot in use, ascending.
  public private(set) var all: [Int32] = []

  public init() {}

  /// Adds a series; slots that only ever grow are added fastest.
  public mutating func insert(_ labels: Labels, slot: Int32) {
    Self.insert(slot, into: &all)
    for label in labels {
      Self.insert(slot, into: &slots[label.name, default: [:]][label.value, default: []])
    }
  }

  /// Forgets a series; the labels must be those that it was added with.
  public mutating func remove(_ labels: Labels, slot: Int32) {
    Self.remove(slot, from: &all)
    for label in labels {
      Self.remove(slot, from: &slots[label.name, default: [:]][label.value, default: []])
      if slots[label.name]?[label.value]?.isEmpty == true { slots[label.name]?[label.value] = nil }
      if slots[label.name]?.isEmpty == true { slots[label.name] = nil }
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
    var best: [Int32]?
    for matcher in matchers where matcher.kind == .equal && !matcher.value.isEmpty {
      let found = slots[matcher.name]?[matcher.value] ?? []
      if found.count < best?.count ?? .max { best = found }
    }
    if let best { return best }
    for matcher in matchers where matcher.kind != .equal && !matcher.matchesEmpty {
      let found = union(of: matcher)
      if found.count < best?.count ?? .max { best = found }
    }
    return best ?? all
  }

  private func union(of matcher: Matcher) -> [Int32] {
    guard let values = slots[matcher.name] else { return [] }
    var found: [Int32] = []
    if let literals = matcher.alternatives {
      for literal in literals { found += values[literal] ?? [] }
    } else {
      for (value, slots) in values where matcher.matches(value) { found += slots }
    }
    found.sort()
    return found
  }

  private static func insert(_ slot: Int32, into slots: inout [Int32]) {
    if let last = slots.last, last >= slot {
      let position = position(of: slot, in: slots)
      if position < slots.count, slots[position] == slot { return }
      slots.insert(slot, at: position)
    } else {
      slots.append(slot)
    }
  }

  private static func remove(_ slot: Int32, from slots: inout [Int32]) {
    let position = position(of: slot, in: slots)
    if position < slots.count, slots[position] == slot { slots.remove(at: position) }
  }

  /// Where the first slot stands that is not smaller.
  private static func position(of slot: Int32, in slots: [Int32]) -> Int {
    var low = 0
    var high = slots.count
    while low < high {
      let middle = (low + high) / 2
      if slots[middle] < slot { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
