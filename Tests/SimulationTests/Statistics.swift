/// What the generator produced, so that coverage is seen and asserted.
struct Statistics: Sendable {
  private(set) var counts: [String: Int] = [:]

  mutating func count(_ name: String, _ number: Int = 1) { counts[name, default: 0] += number }

  subscript(name: String) -> Int { counts[name] ?? 0 }

  mutating func add(_ other: Statistics) {
    counts.merge(other.counts) { $0 + $1 }
  }

  var table: String {
    counts.sorted { $0.key < $1.key }.map { name, count in
      name + String(repeating: " ", count: max(1, 44 - name.count)) + "\(count)"
    }.joined(separator: "\n")
  }
}
