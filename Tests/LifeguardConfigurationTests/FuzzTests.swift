import LifeguardConfiguration
import Testing

/// Mutated files never crash the loader, and always end in a configuration or in errors.
@Suite struct FuzzTests {
  /// SplitMix64: the same files in every run.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var value = state
      value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
      value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
      return value ^ (value >> 31)
    }
  }

  private static let pieces = [
    "[", "]", "{", "}", ": ", "- ", "&a ", "*a", "<<: ", "\"", "'", "|\n", ">\n", "\n", "  ", "\t",
    "!!int ", "%YAML 1.1\n", "---\n", "...\n", "~", "null", "-1", "1e999", "9999999999999999999",
    "${env:", "${file:/etc/passwd}", "{{ $value }}", "{{", "}}", "\\x", "\\uD800", "\u{feff}",
    "\u{2028}", "é", "plans", "steps", "rules", "none", "service:", "0s", "3 of 5", "64 of 1",
  ]

  private static func mutate(_ bytes: [UInt8], _ generator: inout Generator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...6, using: &generator) {
      let place = Int.random(in: 0...bytes.count, using: &generator)
      let length = min(Int.random(in: 0...20, using: &generator), bytes.count - place)
      switch Int.random(in: 0..<5, using: &generator) {
      case 0: bytes.removeSubrange(place..<place + length)
      case 1:
        let piece = pieces.randomElement(using: &generator) ?? ""
        bytes.insert(contentsOf: Array(piece.utf8), at: place)
      case 2: bytes.insert(contentsOf: Array(bytes[place..<place + length]), at: place)
      case 3 where place < bytes.count:
        bytes[place] = UInt8.random(in: 0...255, using: &generator)
      default: bytes = Array(bytes.prefix(place))
      }
    }
    return bytes
  }

  @Test(arguments: GoldenTests.names)
  func `a mutated file ends in problems or a configuration`(name: String) throws {
    let original = try FileAccess.system.read(GoldenTests.folder + name, 1 << 20).get()
    var generator = Generator(state: name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    for round in 0..<150 {
      let bytes = Self.mutate(original, &generator)
      var files = MemoryFiles()
      files.add("/etc/lifeguard/x.yaml", bytes: bytes)
      let loader = files.loader()
      let loaded = loader.load(mainFile: "x.yaml")
      #expect(
        (loaded.configuration == nil) == !loaded.errors.isEmpty, "\(name), round \(round)")
      _ = loader.loadDefaultPack(text: String(decoding: bytes, as: UTF8.self))
      _ = loader.check(["x.yaml"])
    }
  }

  @Test func `a file that is too large is refused without being read`() {
    var files = MemoryFiles()
    files.add("/etc/lifeguard/x.yaml", bytes: [UInt8](repeating: 0x20, count: (4 << 20) + 1))
    let loaded = files.loader().load(mainFile: "x.yaml")
    #expect(loaded.errors.map(\.message) == ["/etc/lifeguard/x.yaml is larger than 4194304 bytes"])
  }

  @Test func `the longest lists of problems are cut`() {
    let keys = (0..<1000).map { "key\($0): 1\n" }.joined()
    let loaded = load(keys)
    #expect(loaded.errors.count == 201)
    #expect(loaded.errors.last?.message == "800 further problems are not listed")
  }

  @Test(arguments: [
    "(", "-", "{{ (", "sum(", "up[5m:", "a=~\"(", "{{ if 1 }}", "[", "&a [", "a: {",
  ])
  func `a text that opens a hundred thousand things ends in an error`(piece: String) {
    let long = String(repeating: piece, count: 100_000)
    let text = long.map { $0 == "'" ? "''" : String($0) }.joined()
    let loaded = load(
      """
      rules: [{alert: A, expr: '\(text)', annotations: {summary: '\(text)'}}]
      recoveries: [{matchers: ['\(text)'], plan: none}]
      """)
    #expect(!loaded.errors.isEmpty)
    #expect(!load(long).errors.isEmpty)
  }

  @Test(.timeLimit(.minutes(1)))
  func `a large file full of mistakes is read in reasonable time`() {
    let rules = (0..<20_000).map { "  - {alert: A\($0), expr: 'up ='}\n" }.joined()
    let loaded = load("rules:\n" + rules)
    #expect(loaded.errors.count == 201)
  }
}
