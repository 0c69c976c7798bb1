import LifeguardCore
import Testing

@Suite struct HeadTests {
  private func labels(_ number: Int) -> Labels {
    ["__name__": "series", "number": "\(number)"]
  }

  private func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

  private func everything(
    _ reference: SeriesReference, in source: some SeriesSource
  ) -> [Sample] {
    var samples: [Sample] = []
    source.collect(
      reference, after: time(.min / 2), through: time(.max / 2), into: &samples)
    return samples
  }

  @Test func `a label set has one reference however often it is asked for`() throws {
    var head = Head()
    let first = try head.reference(for: labels(1))
    #expect(try head.reference(for: labels(1)) == first)
    #expect(try head.reference(for: labels(2)) != first)
    #expect(head.seriesCount == 2)
  }

  @Test func `a series beyond the limit is refused and counted`() throws {
    var head = Head(seriesMax: 2)
    _ = try head.reference(for: labels(1))
    _ = try head.reference(for: labels(2))
    #expect(throws: HeadError.tooManySeries(limit: 2)) { try head.reference(for: labels(3)) }
    #expect(head.counters.refusedSeries == 1)
    #expect(try head.reference(for: labels(1)).slot == 0)
  }

  @Test func `a sample that is not newer is refused unless it is the same again`() throws {
    var head = Head()
    let series = try head.reference(for: labels(1))
    try head.append(series, at: time(1000), 1)
    try head.append(series, at: time(1000), 1)
    #expect(throws: HeadError.duplicate) { try head.append(series, at: time(1000), 2) }
    #expect(throws: HeadError.outOfOrder) { try head.append(series, at: time(999), 1) }
    try head.append(series, at: time(2000), .nan)
    try head.append(series, at: time(2000), .nan)
    #expect(head.counters.outOfOrder == 1)
    #expect(head.counters.duplicates == 1)
    #expect(head.counters.appended == 2)
  }

  @Test func `a reference to a removed series is refused even when its slot is used again`() throws
  {
    var head = Head()
    let old = try head.reference(for: labels(1))
    try head.append(old, at: time(1000), 1)
    head.removeSamples(before: time(5000))
    #expect(head.seriesCount == 0)
    let new = try head.reference(for: labels(2))
    #expect(new.slot == old.slot)
    #expect(throws: HeadError.unknownSeries) { try head.append(old, at: time(6000), 1) }
    #expect(everything(old, in: head).isEmpty)
  }

  @Test(arguments: 1...20)
  func `reads agree with a plain array whatever was appended`(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    var head = Head()
    let series = try head.reference(for: labels(1))
    var model: [Sample] = []
    var now: Int64 = 1_700_000_000_000
    for _ in 0..<Int.random(in: 1...700, using: &random) {
      now += Bool.random(using: &random) ? 1000 : Int64.random(in: 1...90_000, using: &random)
      let value = SampleValues.value(&random, seed: seed)
      try head.append(series, at: time(now), value)
      model.append(Sample(timestamp: time(now), value: value))
    }
    for _ in 0..<200 {
      let after = Int64.random(in: 1_699_999_999_000...now + 5000, using: &random)
      let through = after + Int64.random(in: 0...400_000, using: &random)
      let expected = model.filter {
        $0.timestamp > time(after) && $0.timestamp <= time(through)
      }
      var found: [Sample] = []
      head.collect(series, after: time(after), through: time(through), into: &found)
      #expect(SampleValues.same(found, expected))
      let last = head.lastSample(of: series, after: time(after), through: time(through))
      #expect(SampleValues.same(last.map { [$0] } ?? [], Array(expected.suffix(1))))
    }
  }

  @Test func `a snapshot stays as it was`() throws {
    var head = Head()
    let series = try head.reference(for: labels(1))
    for second in 0..<500 { try head.append(series, at: time(Int64(second) * 1000), 1) }
    let snapshot = head.snapshot()
    let before = everything(series, in: snapshot)
    for second in 500..<900 { try head.append(series, at: time(Int64(second) * 1000), 2) }
    let other = try head.reference(for: labels(2))
    try head.append(other, at: time(1), 1)
    head.removeSamples(before: time(800_000))
    #expect(SampleValues.same(everything(series, in: snapshot), before))
    #expect(snapshot.seriesCount == 1)
    #expect(everything(series, in: head).count < 300)
  }

  @Test func `old chunks and ended series go, the rest stays`() throws {
    var head = Head()
    let ended = try head.reference(for: labels(1))
    let running = try head.reference(for: labels(2))
    for second in 0..<1000 {
      if second < 100 { try head.append(ended, at: time(Int64(second) * 1000), 1) }
      try head.append(running, at: time(Int64(second) * 1000), Double(second))
    }
    let generation = head.generation
    head.removeSamples(before: time(500_000))
    #expect(head.seriesCount == 1)
    #expect(head.generation != generation)
    let left = everything(running, in: head)
    let first = try #require(left.first)
    #expect(first.timestamp < time(500_001))
    #expect(first.timestamp > time(500_000 - 121_000))
    #expect(left.last?.value == 999)
    #expect(head.labelValues("number") == ["2"])
  }

  @Test(arguments: [0, 1, 59, 60, 61, 180, 500, 899, 900])
  func `what is later than a time goes, and what comes then is taken`(_ kept: Int64) throws {
    var head = Head()
    let running = try head.reference(for: labels(1))
    let ended = try head.reference(for: labels(2))
    for second in 1...900 as ClosedRange<Int64> {
      try head.append(running, at: time(second * 1000), Double(second))
      if second < 700 { try head.append(ended, at: time(second * 1000), 1) }
    }
    try head.markStale(ended, at: time(700_000))
    let snapshot = head.snapshot()
    head.removeSamples(after: time(kept * 1000 + 500))
    let left = everything(running, in: head)
    #expect(left.map(\.value) == (0..<kept).map { Double($0 + 1) })
    let last = head.lastSample(of: ended, after: time(-1), through: time(1_000_000))
    #expect(last?.isStaleMarker == true, "what had ended is not alive again")
    try head.append(running, at: time(kept * 1000 + 501), -1)
    #expect(everything(running, in: head).last?.value == -1)
    #expect(everything(running, in: snapshot).count == 900)
  }

  @Test func `the generation changes with the set of series and not with samples`() throws {
    var head = Head()
    let empty = head.generation
    let series = try head.reference(for: labels(1))
    let one = head.generation
    #expect(one != empty)
    try head.append(series, at: time(1), 1)
    #expect(head.generation == one)
  }

  @Test func `matchers select by the index as by looking at every series`() throws {
    var head = Head()
    var all: [Labels] = []
    for number in 0..<300 {
      var labels: Labels = ["__name__": "m\(number % 7)", "a": "\(number % 3)"]
      if number % 2 == 0 { labels["b"] = "x\(number % 5)" }
      labels["n"] = "\(number)"
      _ = try head.reference(for: labels)
      all.append(labels)
    }
    let queries = [
      "m1", "{a=\"2\"}", "{a=~\"1|2\",b=\"\"}", "{b!=\"\"}", "{b=~\".+\"}", "m3{b!~\"x[12]\"}",
      "{__name__=~\"m[0-2]\",a!=\"0\"}", "{n=~\"1|2|3|none\"}", "{a=\"9\"}",
    ]
    for text in queries {
      guard case .vectorSelector(let selector) = try Query(parsing: text).expression else {
        continue
      }
      let found = try head.select(selector.matchers, after: time(0), through: time(1))
        .map { head.labels(of: $0) }
      let expected = all.filter { labels in selector.matchers.allSatisfy { $0.matches(labels) } }
      #expect(found == expected, "\(text)")
    }
  }
}
