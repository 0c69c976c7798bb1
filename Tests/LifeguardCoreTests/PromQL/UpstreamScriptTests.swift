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

  static let names = [
    "aggregators", "at_modifier", "collision", "duration_expression", "functions", "histograms",
    "literals", "operators", "range_queries", "selectors", "staleness", "subquery",
    "trig_functions",
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
  @Test(arguments: UpstreamScripts.names)
  func `every float case of Prometheus' own script passes`(name: String) throws {
    let folder = try #require(UpstreamScripts.folder)
    let text = try #require(UpstreamScripts.read("\(folder)/\(name).test"))
    let script = try Script(text)
    var passed = 0
    var excluded: [String: Int] = [:]
    for one in script.cases {
      switch ScriptRunner().run(one) {
      case .passed: passed += 1
      case .excluded(let reason): excluded[reason, default: 0] += 1
      case .failed(let difference):
        Issue.record("\(name).test:\(one.line): \(one.query): \(difference)")
      }
    }
    #expect(!script.cases.isEmpty)
    if getenv("LIFEGUARD_PROMQL_COUNTS") != nil {
      let line = "\(name): \(passed) passed of \(script.cases.count), excluded \(excluded)\n"
      _ = write(2, line, line.utf8.count)
    }
  }
}
