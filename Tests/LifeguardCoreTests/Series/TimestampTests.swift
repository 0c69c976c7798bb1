import LifeguardCore
import Testing

/// Times come from exporters, files and addresses, so no number may end the process.
@Suite struct TimestampTests {
  @Test(arguments: [Int64.min, -1, 0, 1, .max], [Int64.min, -1, 0, 1, .max])
  func `sums and differences end at the bounds instead of overflowing`(left: Int64, right: Int64) {
    let (one, other) = (Timestamp(milliseconds: left), Timestamp(milliseconds: right))
    let length = Duration.milliseconds(right)
    let sum = left.addingReportingOverflow(right)
    #expect(
      (one + length).milliseconds
        == (sum.overflow ? (left < 0 ? .min : .max) : sum.partialValue))
    let difference = left.subtractingReportingOverflow(right)
    let expected = difference.overflow ? (left < 0 ? .min : .max) : difference.partialValue
    #expect((one - length).milliseconds == expected)
    #expect((one - other).milliseconds == expected)
  }

  @Test(
    arguments: [
      (1.5, 1500), (-0.0004, 0), (1e300, Int64.max), (-1e300, .min), (.infinity, .max), (.nan, 0),
    ] as [(Double, Int64)])
  func `any number of seconds is a time`(seconds: Double, milliseconds: Int64) {
    #expect(Timestamp(seconds: seconds).milliseconds == milliseconds)
  }

  @Test func `a duration beyond the bounds is the longest one`() {
    #expect(Duration.seconds(Int64.max).milliseconds == .max)
    #expect(Duration.seconds(Int64.min).milliseconds == .min)
    #expect(Duration.milliseconds(Int64.max).milliseconds == .max)
    #expect(Duration.milliseconds(Int64.min).milliseconds == .min)
  }

  @Test func `a chunk holds times that are as far apart as can be`() {
    let times: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
    let samples = times.map { Sample(timestamp: Timestamp(milliseconds: $0), value: Double($0)) }
    var decoded: [Sample] = []
    Chunk(samples).decode(
      after: Timestamp(milliseconds: .min), through: Timestamp(milliseconds: .max), into: &decoded)
    // The interval is open on the left.
    #expect(decoded == Array(samples.dropFirst()))
  }

  @Test func `a window takes what is neither forgotten at once nor far ahead`() {
    let now = Timestamp(seconds: 1_790_000_000)
    let window = TimeWindow(now: now, retention: .seconds(3600))
    #expect(window.contains(now) && window.contains(now + .seconds(600)))
    #expect(window.contains(now - .seconds(3600)))
    #expect(!window.contains(now + .milliseconds(600_001)))
    #expect(!window.contains(now - .milliseconds(3_600_001)))
    #expect(!window.contains(Timestamp(milliseconds: .min)))
    #expect(!window.contains(Timestamp(milliseconds: .max)))
  }
}
