import LifeguardCore
import TestSupport
import Testing

/// The Snappy block format, both ways.
@Suite struct SnappyTests {
  private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test func `a block that Google's library wrote is read`() throws {
    // snappy.compress(b"Wikipedia is a free, web-based, collaborative, multilingual
    // encyclopedia project.") of python-snappy begins so; here a short one by hand:
    // length 11, literal of 4 "abcd", copy of 7 from 4 back.
    let block: [UInt8] = [11, 3 << 2] + Self.bytes("abcd") + [(7 - 4) << 2 | 1, 4]
    #expect(try Snappy.decompress(block, limit: 100) == Self.bytes("abcdabcdabc"))
  }

  @Test func `a run of one byte, copies of every kind and long literals are read`() throws {
    let run: [UInt8] = [10, 0, 97, (9 - 1) << 2 | 2, 1, 0]
    #expect(try Snappy.decompress(run, limit: 10) == Self.bytes("aaaaaaaaaa"))
    let far: [UInt8] = [6, 2 << 2] + Self.bytes("xyz") + [(3 - 1) << 2 | 3, 3, 0, 0, 0]
    #expect(try Snappy.decompress(far, limit: 6) == Self.bytes("xyzxyz"))
    let long = [UInt8](repeating: 7, count: 100)
    #expect(try Snappy.decompress([100, 60 << 2, 99] + long, limit: 100) == long)
    #expect(try Snappy.decompress([0], limit: 0) == [])
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func `what is compressed comes back`(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let count = [0, 1, 3, 15, 16, 17, 100, 5000, 65_535, 65_536, 65_537, 200_000]
    let size = count[Int(seed) % count.count]
    let alphabet = UInt8(1 + seed % 7 * 40)
    var bytes: [UInt8] = []
    while bytes.count < size {
      if seed % 3 > 0, bytes.count > 10, Bool.random(using: &random) {
        let length = min(Int.random(in: 1...90, using: &random), bytes.count)
        let start = Int.random(in: 0...(bytes.count - length), using: &random)
        bytes += bytes[start..<(start + length)]
      } else {
        bytes.append(.random(in: 0..<max(alphabet, 1), using: &random))
      }
    }
    bytes = Array(bytes.prefix(size))
    let block = Snappy.compress(bytes)
    #expect(try Snappy.decompress(block, limit: size) == bytes)
    // The format's own bound (snappy.cc, MaxCompressedLength).
    #expect(block.count <= 32 + size + size / 6)
  }

  @Test func `text like ours becomes a fraction of its size`() {
    let text = (0..<1000).map { "node_cpu_seconds_total{cpu=\"\($0 % 8)\",mode=\"idle\"} \($0)\n" }
    let bytes = Self.bytes(text.joined())
    #expect(Snappy.compress(bytes).count < bytes.count / 4)
  }

  @Test func `a block that says it is large is refused before anything is allocated`() {
    let huge: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, 97]
    #expect(throws: Snappy.Failure.tooLarge(limit: 1 << 20)) {
      try Snappy.decompress(huge, limit: 1 << 20)
    }
    // Within the limit, and yet more than the block can hold.
    #expect(throws: Snappy.Failure.corrupt) {
      try Snappy.decompress([0x80, 0x80, 0x40, 0, 97], limit: 1 << 20)
    }
  }

  @Test func `damage is found`() throws {
    let good = Snappy.compress(Self.bytes(String(repeating: "lifeguard ", count: 50)))
    for bad: [UInt8] in [
      [], [0x80], [5], [1, 0], [1, 0, 97, 98], [2, 0, 97], [4, 0, 97, 2 << 2 | 2, 5, 0],
      [4, 0, 97, 2 << 2 | 2, 0, 0], [3, 63 << 2, 255, 255, 255, 255, 97],
    ] {
      #expect(throws: Snappy.Failure.corrupt, "\(bad)") {
        try Snappy.decompress(bad, limit: 1000)
      }
    }
    for end in 1..<good.count {
      #expect(throws: Snappy.Failure.self) {
        try Snappy.decompress(Array(good.prefix(end)), limit: 1000)
      }
    }
  }

  @Test func `any bytes end in an answer within the limit`() {
    var random = SeededGenerator(seed: Fuzzing.seed)
    let good = Snappy.compress(Self.bytes(String(repeating: "metric{a=\"b\"} ", count: 40)))
    for _ in Fuzzing.rounds(20_000) {
      var block = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        block[Int.random(in: block.indices, using: &random)] = .random(in: 0...255, using: &random)
      }
      let result = Result { try Snappy.decompress(block, limit: 4096) }
      if case .success(let bytes) = result { #expect(bytes.count <= 4096) }
    }
  }
}
