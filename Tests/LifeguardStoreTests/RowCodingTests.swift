import LifeguardCore
import Testing

@testable import LifeguardStore

private func roundTrip(_ rows: [[(Int, Double)]]) throws {
  var encoder = RowEncoder()
  var decoder = RowDecoder()
  for row in rows {
    let read = try decoder.decode(encoder.encode(row.map(\.0), row.map(\.1)))
    var expected: [Int: UInt64] = [:]
    for (id, value) in row { expected[id] = value.bitPattern }
    var found: [Int: UInt64] = [:]
    for sample in read { found[sample.series] = sample.value.bitPattern }
    #expect(found == expected)
    #expect(read.count == expected.count)
  }
}

@Suite struct `Compact rows` {
  @Test func `special values come back bit for bit`() throws {
    let values: [Double] = [
      0, -0.0, 1, -1, 0.01, 0.07, 1e-300, Double.leastNonzeroMagnitude, .greatestFiniteMagnitude,
      .infinity, -.infinity,
      .nan, .staleMarker, 4096, 65536, 1_234_567_890_123, 9_007_199_254_740_994, 1e300, .pi,
      -123.456, 1 / 3, 8_589_934_592,
    ]
    // Each value follows each other one in the same slot.
    var rows: [[(Int, Double)]] = []
    for first in values {
      for second in values { rows += [[(1, first), (2, second)], [(1, second), (2, first)]] }
    }
    try roundTrip(rows)
  }

  @Test func `series come, pause, return and end`() throws {
    try roundTrip([
      [(5, 1), (3, 2)], [(3, 2)], [], [(5, 1), (3, 3), (9, 4)], [(9, 4), (100_000, 1.5)],
      [(5, 1), (5, 2)], [(7, 1), (7, 2)], [(7, 2), (7, 1), (8, 1)],
    ])
  }

  @Test(arguments: 0..<50)
  func `random rows come back bit for bit`(seed: UInt64) throws {
    var random = Seeded(state: seed)
    var values = (0..<40).map { _ in Double(Int.random(in: 0...1000, using: &random)) }
    var rows: [[(Int, Double)]] = []
    for _ in 0..<60 {
      var row: [(Int, Double)] = []
      for id in values.indices where Int.random(in: 0..<10, using: &random) > 0 {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: values[id] += Double(Int.random(in: -5...500, using: &random))
        case 1: values[id] = Double(Int.random(in: 0...99999, using: &random)) / 100
        case 2: values[id] = Double(bitPattern: random.next())
        case 3: values[id] = Double(Int.random(in: 0...4_000_000, using: &random)) * 4096
        default: break
        }
        row.append((id, values[id]))
      }
      rows.append(row.shuffled(using: &random))
    }
    try roundTrip(rows)
  }

  @Test func `damaged rows are refused and never crash`() {
    var random = Seeded(state: 4)
    for _ in 0..<3000 {
      var encoder = RowEncoder()
      var decoder = RowDecoder()
      let ids = Array(0..<30)
      for _ in 0..<4 {
        var bytes = encoder.encode(ids, ids.map { Double($0) * .random(in: 0...2, using: &random) })
        let place = Int.random(in: bytes.indices, using: &random)
        bytes[place] = .random(in: 0...255, using: &random)
        if Bool.random(using: &random) { bytes = Array(bytes.prefix(place)) }
        do { _ = try decoder.decode(bytes) } catch { break }
      }
    }
  }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}
