import LifeguardCore
import TestSupport
import Testing

/// The Python that has cramjam: the one of the tests' own environment, else the system's.
private let python: String? = {
  for candidate in [SourceTree.path(".build/venv/bin/python3"), "python3"] {
    guard let path = Requirement.locate(candidate) else { continue }
    // A failure to start means: not this one.
    let program = try? ChildProgram([path, "-c", "import cramjam"])
    if program?.waitForEndBlocking(seconds: 20) == .exited(0) { return path }
  }
  return nil
}()

/// Our Snappy against the Rust implementation that cramjam carries.
@Suite struct SnappyPeerTests {
  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  private static func bytes(_ hex: Substring) -> [UInt8] {
    let digits = Array(hex.utf8)
    return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16)
    }
  }

  @Test(.enabled(if: python != nil, "needs cramjam: `scripts/setup.sh test` installs it"))
  func `each reads what the other compresses`() async throws {
    var inputs: [[UInt8]] = [[], [7], Array(repeating: 65, count: 100_000)]
    var state: UInt64 = 42
    func random(_ limit: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % limit
    }
    for round in 0..<40 {
      var input: [UInt8] = []
      let words = (0..<20).map { _ in (0...random(12)).map { _ in UInt8(97 + random(26)) } }
      for _ in 0..<(round * round * 3) {
        if random(3) == 0 {
          input.append(UInt8(random(256)))
        } else {
          input += words[Int(random(20))]
        }
      }
      inputs.append(input)
    }
    let script = """
      import sys, cramjam
      for line in sys.stdin:
          plain, ours = (bytes.fromhex(part) for part in line.rstrip('\\n').split(' '))
          assert bytes(cramjam.snappy.decompress_raw(ours)) == plain
          print(bytes(cramjam.snappy.compress_raw(plain)).hex())
      """
    let lines = inputs.map { Self.hex($0) + " " + Self.hex(Snappy.compress($0)) + "\n" }.joined()
    let result = try await ChildProgram.run([try #require(python), "-c", script], input: lines)
    #expect(result.succeeded, "\(result.standardError)")
    let theirs = result.standardOutput.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(theirs.count == inputs.count + 1)
    for (input, block) in zip(inputs, theirs) {
      #expect(try Snappy.decompress(Self.bytes(block), limit: 1 << 20) == input)
    }
  }
}
