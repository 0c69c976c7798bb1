/// Packs integers that lie close together, with room for a few that do not.
///
/// Each is stored as its distance from a base in the smallest width that pays; one that does not
/// fit costs a flag and 64 bits. Timestamps with a missed tick and counters with a burst stay small
/// this way, where a width for all would be set by the one exception.
enum IntegerPacking {
  private struct Layout {
    var base: Int64
    var width: Int
    var outliers: Int
    var cost: Int
  }

  private static let widths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48]

  static func write(_ values: [Int64], to writer: inout BitWriter) {
    let layout = bestLayout(values)
    writer.writeSized(layout.base.zigZag)
    writer.write(UInt64(layout.width), bits: 6)
    writer.write(layout.outliers > 0 ? 1 : 0, bits: 1)
    for value in values {
      let distance = UInt64(bitPattern: value &- layout.base)
      let fits = value >= layout.base && distance >> UInt64(layout.width) == 0
      if layout.outliers > 0 { writer.write(fits ? 0 : 1, bits: 1) }
      if fits {
        writer.write(distance, bits: layout.width)
      } else {
        writer.write(UInt64(bitPattern: value), bits: 64)
      }
    }
  }

  private static func bestLayout(_ values: [Int64]) -> Layout {
    guard let smallest = values.min(), let largest = values.max() else {
      return Layout(base: 0, width: 0, outliers: 0, cost: 0)
    }
    let spread = UInt64(bitPattern: largest &- smallest)
    let whole = 64 - spread.leadingZeroBitCount
    // One width for all is what anything else has to beat.
    var best = Layout(base: smallest, width: whole, outliers: 0, cost: values.count * whole)
    // Below a few bits nothing can be gained that is worth the sorting.
    if whole <= 4 { return best }
    if whole > 48 { best.cost = .max }
    let sorted = values.sorted()
    for width in widths where width < whole {
      let layout = layout(sorted, width: width)
      if layout.cost < best.cost { best = layout }
    }
    return best
  }

  /// The base that covers most of the sorted values with `width` bits.
  private static func layout(_ sorted: [Int64], width: Int) -> Layout {
    var low = 0
    var most = 0
    var base = sorted[0]
    for high in sorted.indices {
      while UInt64(bitPattern: sorted[high] &- sorted[low]) >> UInt64(width) != 0 { low += 1 }
      if high - low + 1 > most {
        most = high - low + 1
        base = sorted[low]
      }
    }
    let outliers = sorted.count - most
    let flags = outliers > 0 ? sorted.count : 0
    return Layout(
      base: base, width: width, outliers: outliers, cost: most * width + outliers * 64 + flags)
  }

  /// Calls `body` with each value, in order.
  @inline(__always)
  static func read(
    count: Int, from reader: inout BitReader, _ body: (Int64) -> Void
  ) {
    let base = Int64(zigZag: reader.readSized())
    let width = Int(reader.read(6))
    let hasOutliers = reader.read(1) == 1
    if width == 0, !hasOutliers {
      for _ in 0..<count { body(base) }
      return
    }
    for _ in 0..<count {
      if hasOutliers, reader.read(1) == 1 {
        body(Int64(bitPattern: reader.read(64)))
      } else {
        body(base &+ Int64(bitPattern: reader.read(width)))
      }
    }
  }
}
