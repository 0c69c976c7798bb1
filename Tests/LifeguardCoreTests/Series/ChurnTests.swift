import Glibc
import Testing

@testable import LifeguardCore

/// Series that come and go.
@Suite(.serialized) struct ChurnTests {
  private static let start = Timestamp(seconds: 1_790_000_000)

  @Test(arguments: 0..<20)
  func `a list of slots is what was added and not removed, in order`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var list = SlotList()
    var expected: Set<Int32> = []
    for _ in 0..<60 {
      if Bool.random(using: &random) {
        for _ in 0..<Int.random(in: 1...200, using: &random) {
          let slot = Int32.random(in: 0..<2000, using: &random)
          if expected.insert(slot).inserted { list.insert(slot) }
        }
      } else {
        let low = Int32.random(in: 0..<2000, using: &random)
        let gone = expected.filter { $0 >= low && $0 % 3 != 0 }.sorted()
        expected.subtract(gone)
        // What is not there is passed over.
        list.remove(gone + [3000])
      }
      #expect(list.all == expected.sorted())
      #expect(list.count == expected.count && list.isEmpty == expected.isEmpty)
    }
  }

  /// Processor time of this thread for half of the series going and as many others coming.
  private func seconds(ofChurnIn count: Int) throws -> Double {
    var head = Head(seriesMax: count * 2)
    func add(_ range: Range<Int>, at time: Timestamp) throws {
      for number in range {
        let reference = try head.reference(
          for: ["__name__": "requests_total", "job": "web", "pod": "pod-\(number)"])
        try head.append(reference, at: time, 1)
      }
    }
    // Those that go lie before those that stay, where each would move the most.
    try add(0..<count / 2, at: Self.start)
    try add(count / 2..<count, at: Self.start + .seconds(7200))
    let before = Self.processorSeconds
    for part in 0..<60 {
      head.removeSamples(before: Self.start + .seconds(3600), part: part, of: 60)
    }
    #expect(head.seriesCount == count / 2)
    try add(count..<count * 3 / 2, at: Self.start + .seconds(7200))
    let length = Self.processorSeconds - before
    #expect(head.seriesCount == count)
    let all = try head.select(
      [Matcher(name: "job", equals: "web")], after: Self.start, through: Self.start)
    #expect(all.count == count && all.map(\.slot) == all.map(\.slot).sorted())
    return length
  }

  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  @Test func `what churn costs grows with the series and not with their square`() throws {
    let small = try (0..<3).map { _ in try seconds(ofChurnIn: 12_500) }.min() ?? 0
    let large = try seconds(ofChurnIn: 100_000)
    // Eight times as many: 8 when it grows with them, 64 with their square.
    #expect(large < small * 15, "\(small) s for 12,500 series, \(large) s for 100,000")
  }

  @Test func `parts of a head are forgotten one after another`() throws {
    var head = Head()
    for number in 0..<100 {
      let reference = try head.reference(for: ["__name__": "m", "n": "\(number)"])
      try head.append(reference, at: Self.start, 1)
    }
    head.removeSamples(before: Self.start + .seconds(1), part: 0, of: 3)
    #expect(head.seriesCount == 67)
    head.removeSamples(before: Self.start + .seconds(1), part: 1, of: 3)
    head.removeSamples(before: Self.start + .seconds(1), part: 2, of: 3)
    #expect(head.seriesCount == 0)
    #expect(head.labelNames.isEmpty && head.labelValues("n").isEmpty)
  }
}
