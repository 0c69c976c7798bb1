import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardStore

@Suite struct `Samples taken out and in` {
  let folder: TemporaryFolder
  let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = "\(folder.path)/data"
  }

  private var file: String { "\(path)/samples.db" }

  private func read(_ text: String, named: Labels? = nil) throws -> [SampleCSV.Entry] {
    var reader = SampleCSV(named: named)
    var entries: [SampleCSV.Entry] = []
    for line in text.utf8.split(separator: 10, omittingEmptySubsequences: false) {
      if let entry = try reader.read(Array(line)) { entries.append(entry) }
    }
    return entries
  }

  @Test func `CSV is written as documented`() {
    let labels: Labels = ["__name__": "m", "path": "C:\\a,\"b\"", "job": "n"]
    let samples = [
      Sample(timestamp: milliseconds(1_769_860_800_000), value: 0.25),
      Sample(timestamp: milliseconds(1_769_860_800_001), value: .staleMarker),
      Sample(timestamp: milliseconds(-1), value: -.infinity),
    ]
    let text = SampleCSV.header + samples.map { SampleCSV.line(labels.seriesText, $0) }.joined()
    #expect(
      text == #"""
        series,timestamp,value
        "m{job=""n"",path=""C:\\a,\""b\""""}",2026-01-31T12:00:00.000Z,0.25
        "m{job=""n"",path=""C:\\a,\""b\""""}",2026-01-31T12:00:00.001Z,stale
        "m{job=""n"",path=""C:\\a,\""b\""""}",1969-12-31T23:59:59.999Z,-Inf

        """#)
  }

  @Test(arguments: 0..<20)
  func `what is written as CSV is read back`(seed: UInt64) throws {
    var random = Seeded(state: seed)
    let alphabet = Array("ab{}\",=\\ \n\té日")
    var text = SampleCSV.header
    var expected: [SampleCSV.Entry] = []
    for _ in 0..<50 {
      var labels: Labels = ["__name__": "metric"]
      for name in ["a", "b"] {
        labels[name] = String((0..<3).map { _ in alphabet.randomElement(using: &random) ?? "x" })
      }
      let value = Double.random(in: -1e9...1e9, using: &random)
      let sample = Sample(
        timestamp: milliseconds(.random(in: 0...4_000_000_000_000, using: &random)), value: value)
      expected.append(SampleCSV.Entry(series: labels, sample: sample))
      text += SampleCSV.line(labels.seriesText, sample)
    }
    #expect(try read(text) == expected)
  }

  @Test func `label columns, other times and a name from outside are understood`() throws {
    let entries = try read(
      """
      name,instance,time,value\r
      up,a,1700000000,1\r
      up,b,1700000000.5,0\r

      up,,1700000000123,NaN
      up,"c,d",2026-01-31 12:00:00,1e3
      """)
    #expect(entries.count == 4)
    #expect(entries[0].series == ["__name__": "up", "instance": "a"])
    #expect(entries[1].sample == Sample(timestamp: milliseconds(1_700_000_000_500), value: 0))
    #expect(entries[2].series == ["__name__": "up"])
    #expect(entries[2].sample.timestamp == milliseconds(1_700_000_000_123))
    #expect(entries[3].series["instance"] == "c,d")
    #expect(entries[3].sample == Sample(timestamp: milliseconds(1_769_860_800_000), value: 1000))
    let named = try read("timestamp,value\n1,2", named: ["__name__": "cpu"])
    #expect(named.first?.series.metric == "cpu")
  }

  @Test(arguments: [
    ("timestamp\n", "1:1: the header has no column \"value\""),
    ("timestamp,value\n", "1:1: no column says which series it is"),
    ("series,timestamp,value,value\n", "1:24: the column \"value\" is there twice"),
    ("series,timestamp,value\na,1,2\nb,x,3\n", "3:3: \"x\" is no time"),
    ("series,timestamp,value\na,1,2x\n", "2:5: \"2x\" is no number"),
    ("series,timestamp,value\na{,1,2\n", "2:1: \"a{\" is no series"),
    ("series,timestamp,value\n\"a,1,2\n", "2:1: the quote is never closed"),
    ("series,timestamp,value\n\"a\"b,1,2\n", "2:4: text after a closed quote"),
    ("series,timestamp,value\na,1\n", "2:1: 2 fields where the header has 3"),
  ])
  func `what is wrong is told with line and column`(text: String, message: String) {
    do {
      _ = try read(text)
      Issue.record("nothing was wrong")
    } catch {
      #expect("\(error)".hasPrefix(message), "\(error)")
    }
  }

  @Test func `OpenMetrics with times is read, and what is wrong is placed`() throws {
    var reader = SampleOpenMetrics()
    let text = "# TYPE m unknown\nm{a=\"x y\\\"\"} 1.5 1700000000.25 # {t=\"1\"} 1\nup NaN 2\n# EOF"
    var entries: [SampleCSV.Entry] = []
    for line in text.utf8.split(separator: 10) {
      if let entry = try reader.read(Array(line)) { entries.append(entry) }
    }
    #expect(entries.count == 2)
    #expect(entries[0].series == ["__name__": "m", "a": "x y\""])
    #expect(entries[0].sample == Sample(timestamp: milliseconds(1_700_000_000_250), value: 1.5))
    for (line, message) in [
      ("m 1", "1:2: a value and a time"), ("m x 1", "1:3: \"x\" is no number"),
      ("m 1 y", "1:5: \"y\" is no time"), ("m{ 1 1", "1:1: \"m{\" is no series"),
    ] {
      var fresh = SampleOpenMetrics()
      do {
        _ = try fresh.read(Array(line.utf8))
        Issue.record("nothing was wrong with \(line)")
      } catch {
        #expect("\(error)".hasPrefix(message), "\(error)")
      }
    }
  }

  @Test func `no bytes at all crash the reader`() {
    var random = Seeded(state: Fuzzing.seed)
    let seeds = Array("series,timestamp,value\n\"a{b=\"\"c\"\"}\",1700000000,1.5\r\n".utf8)
    for _ in Fuzzing.rounds(5000) {
      var bytes = seeds + seeds
      for _ in 0..<Int.random(in: 1...20, using: &random) {
        bytes[.random(in: bytes.indices, using: &random)] = .random(
          in: .min ... .max, using: &random)
      }
      var reader = SampleCSV()
      for line in bytes.split(separator: 10, omittingEmptySubsequences: false) {
        do throws(SampleCSV.Fault) {
          _ = try reader.read(Array(line))
        } catch {
          #expect(error.line > 0 && error.column > 0)
          break
        }
      }
    }
  }

  @Test func `an import that is not committed leaves the file as it was`() async throws {
    let labels: Labels = ["__name__": "imported"]
    do {
      let target = try SampleImport(in: DataDirectory(path: path), now: milliseconds(0))
      try target.append(
        target.number(of: labels), Sample(timestamp: milliseconds(1), value: 1))
    }
    #expect(try SampleFile(path: file).statistics().series == 0)
    let target = try SampleImport(in: DataDirectory(path: path), now: milliseconds(0))
    let number = target.number(of: labels)
    for time in [5000, 1000, 3000, 3000] as [Int64] {
      try target.append(number, Sample(timestamp: milliseconds(time), value: Double(time)))
    }
    try target.append(number, Sample(timestamp: milliseconds(1000), value: 9))
    try target.commit()
    #expect(target.outcome.samples == 3)
    #expect(target.outcome.conflicts == 1)
    let source = try SampleFile(path: file)
    var found: [StoredSeries] = []
    try source.series([], from: milliseconds(0), to: milliseconds(9999)) { found.append($0) }
    #expect(found.count == 1)
    #expect(found.first?.samples.map(\.value) == [1000, 3000, 5000])
    #expect(try source.verify().isEmpty)
  }

  @Test func `an import into what is there keeps what was there`() async throws {
    let labels: Labels = ["__name__": "m"]
    do {
      let store = try SampleStore(in: DataDirectory(path: path), now: milliseconds(0))
      for second in Int64(100)..<900 {
        await store.append(
          SampleRow(
            timestamp: milliseconds(second * 1000), series: [1], values: [1],
            introduced: second == 100 ? [(1, labels)] : []))
      }
    }
    let target = try SampleImport(in: DataDirectory(path: path), now: milliseconds(0))
    let number = target.number(of: labels)
    for second in Int64(0)..<40_000 {
      try target.append(number, Sample(timestamp: milliseconds(second * 500), value: 2))
    }
    try target.commit()
    var found: [StoredSeries] = []
    try SampleFile(path: file).series([], from: milliseconds(0), to: milliseconds(1 << 40)) {
      found.append($0)
    }
    let samples = try #require(found.first).samples
    #expect(samples.count == 40_000)
    #expect(samples.count { $0.value == 1 } > 600)
    #expect(zip(samples, samples.dropFirst()).allSatisfy { $0.timestamp < $1.timestamp })
  }

  @Test func `a file in use is refused for import and read for everything else`() throws {
    let directory = try DataDirectory(path: path)
    _ = try SampleStore(in: directory, now: milliseconds(0))
    #expect(throws: StoreError.self) {
      try SampleImport(in: DataDirectory(path: path), now: milliseconds(0))
    }
    #expect(try SampleFile(path: file).verify().isEmpty)
    #expect(throws: StoreError.self) { try SampleFile(path: "\(folder.path)/none/samples.db") }
    withExtendedLifetime(directory) {}
  }

  @Test(
    arguments: [
      (
        ["__name__": "http.requests", "my label": "a\"b", "job": "n"],
        #"{"http.requests",job="n","my label"="a\"b"}"#
      ),
      (["__name__": "plain:name", "é": "1"], #"plain:name{"é"="1"}"#),
      (["job": "n"], #"{job="n"}"#),
    ] as [(Labels, String)])
  func `names beyond words are written in quotes and read back`(labels: Labels, text: String)
    throws
  {
    #expect(labels.seriesText == text)
    #expect(Labels(seriesText: text) == labels)
    var reader = SampleOpenMetrics()
    let entry = try #require(try reader.read(Array("\(text) 1.5 1700000000.25".utf8)))
    #expect(entry.series == labels)
    #expect(entry.sample == Sample(timestamp: milliseconds(1_700_000_000_250), value: 1.5))
  }
}
