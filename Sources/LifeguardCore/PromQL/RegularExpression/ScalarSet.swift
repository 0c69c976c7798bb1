/// A set of Unicode scalars, as one class of a regular expression matches it.
struct ScalarSet: Hashable, Sendable {
  /// Sorted, not overlapping.
  private(set) var ranges: [ClosedRange<UInt32>]
  /// Negated parts of the class: everything outside one of them is in the set.
  private var excluded: [[ClosedRange<UInt32>]] = []
  private(set) var isNegated: Bool
  /// Whether letters match whatever their case.
  private(set) var ignoresCase: Bool

  static let largest: UInt32 = 0x10FFFF

  init(_ ranges: [ClosedRange<UInt32>]) {
    self.init([ClassPart(ranges: ranges)])
  }

  init(_ parts: [ClassPart], isNegated: Bool = false, ignoresCase: Bool = false) {
    var ranges: [ClosedRange<UInt32>] = []
    for part in parts {
      if !part.isNegated {
        ranges += part.ranges
      } else if ignoresCase {
        // The same one often in a pattern is looked into once.
        let others = Self.merged(part.ranges)
        if !excluded.contains(others) { excluded.append(others) }
      } else {
        ranges += Self.complement(part.ranges)
      }
    }
    self.ranges = Self.merged(ranges)
    self.isNegated = isNegated
    self.ignoresCase = ignoresCase
  }

  init(scalar: UInt32, ignoresCase: Bool) {
    ranges = [scalar...scalar]
    isNegated = false
    self.ignoresCase = ignoresCase && !CaseFolding.variants(of: scalar).isEmpty
  }

  /// The one scalar that the set consists of.
  var single: UInt32? {
    guard !isNegated, !ignoresCase, ranges.count == 1, ranges[0].count == 1 else { return nil }
    return ranges[0].lowerBound
  }

  var isEverything: Bool {
    !isNegated && ranges.count == 1 && ranges[0] == 0...Self.largest
  }

  func contains(_ scalar: UInt32) -> Bool {
    if Self.contains(ranges, scalar) { return !isNegated }
    guard ignoresCase else { return isNegated }
    let same = [scalar] + CaseFolding.variants(of: scalar)
    func contains(_ ranges: [ClosedRange<UInt32>]) -> Bool {
      same.contains { Self.contains(ranges, $0) }
    }
    return contains(ranges) || excluded.contains { !contains($0) } ? !isNegated : isNegated
  }

  private static func contains(_ ranges: [ClosedRange<UInt32>], _ scalar: UInt32) -> Bool {
    // Most classes have a handful of ranges; the Unicode ones have hundreds.
    if ranges.count <= 8 {
      for range in ranges where range.contains(scalar) { return true }
      return false
    }
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].contains(scalar)
  }

  static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in merged(ranges) {
      if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
      next = range.upperBound + 1
    }
    if next <= largest { result.append(next...largest) }
    return result
  }

  private static func merged(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var result: [ClosedRange<UInt32>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = result.last, range.lowerBound <= last.upperBound &+ 1 {
        result[result.count - 1] =
          last.lowerBound...Swift.max(last.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }
}
