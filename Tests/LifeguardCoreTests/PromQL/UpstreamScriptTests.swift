import Glibc
import LifeguardCore
import Testing

/// Prometheus' own test scripts (Apache-2.0), read from outside the repository where they are at
/// hand: `$LIFEGUARD_SHARED/promql/testdata` or `../shared/promql/testdata`.
enum UpstreamScripts {
  static var folder: String? {
    let candidates = [
      getenv("LIFEGUARD_SHARED").map { String(cString: $0) },
      "../shared",
    ]
    for case let candidate? in candidates {
      let path = candidate + "/promql/testdata"
      if access(path + "/functions.test", R_OK) == 0 { return path }
    }
    return nil
  }

  /// What the scripts of version 3.14.0 hold: how many cases pass, and how many are left out and
  /// why. Nothing else is left out, and nothing fails.
  struct Tally: Equatable {
    var passed: Int
    /// Series or results with native histograms, which are not stored here.
    var nativeHistograms = 0
    /// Experimental functions and aggregations, and `anchored`, `smoothed` and `fill`.
    var experimental = 0
  }

  static let tallies: [String: Tally] = [
    "aggregators": Tally(passed: 123, nativeHistograms: 35, experimental: 2),
    "at_modifier": Tally(passed: 69, experimental: 2),
    "collision": Tally(passed: 2),
    "duration_expression": Tally(passed: 59),
    "functions": Tally(passed: 251, nativeHistograms: 99, experimental: 81),
    "histograms": Tally(passed: 83, nativeHistograms: 84, experimental: 18),
    "literals": Tally(passed: 25),
    "operators": Tally(passed: 141, nativeHistograms: 72),
    "range_queries": Tally(passed: 14, nativeHistograms: 2, experimental: 2),
    "selectors": Tally(passed: 31),
    "staleness": Tally(passed: 17),
    "subquery": Tally(passed: 32, nativeHistograms: 2),
    "trig_functions": Tally(passed: 19),
  ]

  static func read(_ path: String) -> String? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
  }
}

@Suite(
  .enabled(
    if: UpstreamScripts.folder != nil,
    "Prometheus' scripts are not at hand; set LIFEGUARD_SHARED to where promql/testdata is"))
struct UpstreamScriptTests {
  @Test(arguments: UpstreamScripts.tallies.keys.sorted())
  func `every float case of Prometheus' own script passes`(name: String) throws {
    let folder = try #require(UpstreamScripts.folder)
    let text = try #require(UpstreamScripts.read("\(folder)/\(name).test"))
    let script = try Script(text)
    var tally = UpstreamScripts.Tally(passed: 0)
    for one in script.cases {
      switch ScriptRunner().run(one) {
      case .passed: tally.passed += 1
      case .excluded(.nativeHistograms): tally.nativeHistograms += 1
      case .excluded(.experimental): tally.experimental += 1
      case .failed(let difference):
        Issue.record("\(name).test:\(one.line): \(one.query): \(difference)")
      }
    }
    #expect(tally == UpstreamScripts.tallies[name])
  }
}
