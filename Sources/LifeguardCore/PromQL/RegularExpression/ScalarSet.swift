/// A set of Unicode scalars, as one class of a regular expression matches it.
struct ScalarSet: Hashable, Sendable {
  /// Sorted, not overlapping.
  private(set) var ranges: [ClosedRange<UInt32>]
  private(set) var isNegated: Bool
  /// Whether letters match whatever their case.
  private(set) var ignoresCase: Bool

  static let largest: UInt32 = 0x10FFFF

  init(
    _ ranges: [ClosedRange<UInt32>], isNegated: Bool = false, ignoresCase: Bool = false
  ) {
    self.ranges = Self.merged(ranges)
    self.isNegated = isNegated
    self.ignoresCase = ignoresCase
  }

  init(scalar: UInt32, ignoresCase: Bool) {
    ranges = [scalar...scalar]
    isNegated = false
    self.ignoresCase = ignoresCase && Self.hasCase(scalar)
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
    if isInRanges(scalar) { return !isNegated }
    if ignoresCase, Self.variants(of: scalar).contains(where: isInRanges) { return !isNegated }
    return isNegated
  }

  private func isInRanges(_ scalar: UInt32) -> Bool {
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

  private static func hasCase(_ scalar: UInt32) -> Bool { !variants(of: scalar).isEmpty }

  /// The other letters that are the same but for their case (simple folding).
  static func variants(of scalar: UInt32) -> [UInt32] {
    guard let unicode = Unicode.Scalar(scalar) else { return [] }
    if scalar < 0x80 {
      switch scalar {
      case 0x6B, 0x4B: return [scalar ^ 0x20, 0x212A]
      case 0x73, 0x53: return [scalar ^ 0x20, 0x17F]
      case 0x41...0x5A, 0x61...0x7A: return [scalar ^ 0x20]
      default: return []
      }
    }
    var found: [UInt32] = []
    func add(_ mapping: String) {
      let scalars = mapping.unicodeScalars
      guard let only = scalars.first, scalars.count == 1 else { return }
      if only.value != scalar, !found.contains(only.value) { found.append(only.value) }
    }
    let properties = unicode.properties
    add(properties.lowercaseMapping)
    add(properties.uppercaseMapping)
    for other in found {
      guard let unicode = Unicode.Scalar(other) else { continue }
      add(unicode.properties.lowercaseMapping)
      add(unicode.properties.uppercaseMapping)
    }
    return found
  }
}
