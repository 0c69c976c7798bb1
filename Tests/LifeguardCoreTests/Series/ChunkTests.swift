import LifeguardCore
import Testing

@Suite struct ChunkTests {
  private func samples(_ values: [Double], step: Int64 = 1000) -> [Sample] {
    values.enumerated().map {
      Sample(timestamp: Timestamp(milliseconds: 1000 + Int64($0) * step), value: $1)
    }
  }

  private func decoded(_ chunk: Chunk) -> [Sample] {
    var result: [Sample] = []
    chunk.decode(
      after: Timestamp(milliseconds: .min / 2), through: Timestamp(milliseconds: .max / 2),
      into: &result)
    return result
  }

  @Test(arguments: 0...59)
  func `what is packed comes back bit by bit`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var time: Int64 = -5_000_000
    var original: [Sample] = []
    for _ in 0..<Int.random(in: 1...240, using: &random) {
      time += seed % 3 == 0 ? 1000 : Int64.random(in: 1...100_000_000, using: &random)
      original.append(
        Sample(
          timestamp: Timestamp(milliseconds: time),
          value: SampleValues.value(&random, seed: seed)))
    }
    #expect(SampleValues.same(decoded(Chunk(original)), original))
  }

  @Test func `a part is what the whole has there`() {
    let original = samples((0..<120).map(Double.init))
    let chunk = Chunk(original)
    var part: [Sample] = []
    chunk.decode(
      after: Timestamp(milliseconds: 5000), through: Timestamp(milliseconds: 9000), into: &part)
    #expect(part.map(\.value) == [5, 6, 7, 8])
    chunk.decode(
      after: Timestamp(milliseconds: 500_000), through: Timestamp(milliseconds: 900_000),
      into: &part)
    #expect(part.count == 4)
  }

  @Test func `a constant, a counter and a gauge in pages take little room`() {
    let constant = Chunk(samples(Array(repeating: 3.25, count: 120)))
    #expect(constant.byteCount < 150)
    let counter = Chunk(samples((0..<120).map { Double($0 * 100 + $0 % 3) / 100 }))
    #expect(counter.byteCount < 200)
    let pages = Chunk(samples((0..<120).map { Double(8_000_000_000 + ($0 * 7919 % 64) * 4096) }))
    #expect(pages.byteCount < 260)
  }

  @Test func `one missed tick does not widen all timestamps`() {
    var gap = samples(Array(repeating: 1, count: 120))
    for index in 60..<120 { gap[index].timestamp.milliseconds += 3_600_000 }
    let chunk = Chunk(gap)
    #expect(SampleValues.same(decoded(chunk), gap))
    #expect(chunk.byteCount < Chunk(samples(Array(repeating: 1, count: 120))).byteCount + 48)
  }
}
