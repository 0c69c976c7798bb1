import LifeguardCore
import TestSupport
import Testing

@testable import bootstrap

@Suite struct LogLineTests {
  private func read(
    _ line: String, wanted: Set<String> = ["CPUUtilization", "cpu_usage"], takesAll: Bool = false
  ) -> (outcome: LogLineReader.Outcome, samples: [String]) {
    var reader = LogLineReader(wanted: WantedMetrics(wanted, takesAll: takesAll), stream: "i-1")
    var batch = SampleBatch()
    let outcome = Array(line.utf8).withUnsafeBufferPointer {
      reader.read($0, at: 1000, into: &batch)
    }
    return (outcome, batch.entries.map { "\(batch.series[$0.series]) \($0.value) @\($0.time)" })
  }

  @Test(arguments: [
    (#"{"CPUUtilization": 91.2}"#, #"CPUUtilization{instance="i-1"} 91.2 @1000"#),
    (#"{"CPUUtilization": "91.2"}"#, #"CPUUtilization{instance="i-1"} 91.2 @1000"#),
    (
      #"  {"a":[1,{"b":"}"}],"CPUUtilization":9.12e1}"#,
      #"CPUUtilization{instance="i-1"} 91.2 @1000"#
    ),
    (#"{"cpu": {"usage": 5}}"#, #"cpu_usage{instance="i-1"} 5.0 @1000"#),
    (#"{"cpu.usage": -0.5}"#, #"cpu_usage{instance="i-1"} -0.5 @1000"#),
    (
      #"{"InstanceId": "i-9", "CPUUtilization": 1}"#,
      #"CPUUtilization{InstanceId="i-9", instance="i-9"} 1.0 @1000"#
    ),
  ])
  func `a metric is found wherever its name is a key`(line: String, sample: String) {
    #expect(read(line).samples == [sample])
  }

  /// The agent's own tests write this file's lines.
  @Test func `what the agent writes is read, in either format`() throws {
    let text = try TextFile.read(
      SourceTree.path("Tests/BootstrapTests/Fixtures/agent-lines.txt"))
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines.count == 2)
    let names = ["CPUUtilization", "MemoryUtilization", "DiskUtilization"]
    for (line, origin) in zip(lines, [#"instance="i-1""#, #"host="web-1", instance="i-1""#]) {
      let samples = read(line, wanted: Set(names)).samples
      let values = zip(names, ["91.2", "40.0", "88.125"])
      #expect(
        samples.map { $0.prefix { $0 != "@" } }
          == values.map { "\($0.0){\(origin)} \($0.1) " }, "\(samples)")
    }
  }

  @Test(arguments: [
    #"{"CPUUtilization": 91.2"#, #"{"CPUUtilization": }"#, #"{"CPUUtilization": true}"#,
    #"{"CPUUtilization": "high"}"#, #"{"CPUUtilization": NaN}"#, #"{"CPUUtilization": "NaN"}"#,
    #"{"CPUUtilization": 1e999}"#, #"{"CPUUtilization": 1} x"#, #"{"CPUUtilization": null}"#,
    #"{"CPUUtilization" 1}"#, "{", #"{"a": "\"#,
  ])
  func `a line that cannot be read is counted and gives no sample`(line: String) {
    let result = read(line)
    guard case .bad = result.outcome else {
      Issue.record("\(line): \(result.outcome)")
      return
    }
  }

  @Test func `text and other JSON are no faults`() {
    guard case .notJSON = read("kernel: oom-killer").outcome else {
      Issue.record("text")
      return
    }
    guard case .noMetric = read(#"{"level": "info", "deep": {"a": {"b": [1, 2]}}}"#).outcome else {
      Issue.record("other JSON")
      return
    }
  }

  @Test func `embedded metrics bring their own time and dimensions`() throws {
    let line = String(decoding: try Samples.fixture("emf-log-event"), as: UTF8.self)
    #expect(
      read(line, wanted: ["CPUUtilization", "MemoryUtilization"]).samples == [
        #"CPUUtilization{InstanceId="i-0123456789abcdef0", Service="web", instance="i-0123456789abcdef0"} 91.2 @1713567600000"#,
        #"MemoryUtilization{InstanceId="i-0123456789abcdef0", Service="web", instance="i-0123456789abcdef0"} 71.0 @1713567600000"#,
      ])
  }

  @Test func `a list of values counts as its mean`() {
    let line =
      #"{"_aws": {"Timestamp": 5, "CloudWatchMetrics": []}, "CPUUtilization": [10, 20, 30]}"#
    #expect(read(line).samples == [#"CPUUtilization{instance="i-1"} 20.0 @5"#])
  }

  @Test func `a rule that names no metric takes every number of a line`() {
    let found = read(#"{"a": 1, "b": "2", "c": {"d": 3}}"#, wanted: [], takesAll: true)
    #expect(found.samples == [#"a{instance="i-1"} 1.0 @1000"#])
  }

  @Test func `escapes in a packed line are undone before it is read`() throws {
    let body = Samples.logs([
      Samples.Line(time: 7, message: #"{"note": "é \"x\" \\ 😀", "CPUUtilization": 3}"#)
    ])
    let decoder = EventDecoder(
      wanted: WantedMetrics(["CPUUtilization"], takesAll: false), ownGroup: nil)
    guard case .logs(let batch) = try decoder.decode(body) else {
      Issue.record("not logs")
      return
    }
    #expect(batch.samples.entries.map(\.value) == [3])
  }

  @Test func `two names of one hash are two names`() {
    let metrics = WantedMetrics(["cpu_usage", "CPUUtilization"], takesAll: false)
    let place = metrics.place(WantedMetrics.hash("cpu_usage"))
    func ends(_ key: String, isWhole: Bool) -> Bool? {
      place.map { place in
        Array(key.utf8).withUnsafeBufferPointer { metrics.ends(place, with: $0, isWhole: isWhole) }
      }
    }
    #expect(ends("cpu.usage", isWhole: true) == true)
    #expect(ends("usage", isWhole: false) == true)
    #expect(ends("usage", isWhole: true) == false)
    #expect(ends("cpu_usagf", isWhole: true) == false)
  }
}
