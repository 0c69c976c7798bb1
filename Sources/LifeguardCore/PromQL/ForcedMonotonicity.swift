/// What had to be changed of classic histograms whose higher buckets held less than lower ones,
/// added up over series and steps: one remark says it all instead of one for each.
struct ForcedMonotonicity: Hashable, Sendable {
  /// The bounds of the lowest and the highest bucket that was raised.
  private var lowest: Double
  private var highest: Double
  private var largestDifference: Double
  private var count = 1
  /// Milliseconds.
  private var first: Int64
  private var last: Int64

  /// - Parameter difference: by how much the bucket was raised.
  init(bound: Double, difference: Double, at time: Int64) {
    lowest = bound
    highest = bound
    largestDifference = difference
    first = time
    last = time
  }

  /// Adds another bucket of the same histogram.
  mutating func raise(bound: Double, difference: Double) {
    lowest = min(lowest, bound)
    highest = max(highest, bound)
    largestDifference = max(largestDifference, difference)
  }

  /// Adds what was changed of another histogram, or at another step.
  mutating func merge(_ other: ForcedMonotonicity) {
    raise(bound: other.lowest, difference: other.largestDifference)
    raise(bound: other.highest, difference: other.largestDifference)
    count += other.count
    first = min(first, other.first)
    last = max(last, other.last)
  }

  /// How Prometheus says it since 3.12 (util/annotations/annotations.go).
  var text: String {
    ", from buckets \(NumberText.general(lowest)) to \(NumberText.general(highest))"
      + ", with a max diff of \(NumberText.general(largestDifference, precision: 2))"
      + ", over \(count) samples from \(Self.text(first)) to \(Self.text(last))"
  }

  /// In whole seconds.
  private static func text(_ time: Int64) -> String {
    let seconds = Timestamp(milliseconds: time - time % 1000).text
    return String(seconds.prefix { $0 != "." }) + "Z"
  }
}
