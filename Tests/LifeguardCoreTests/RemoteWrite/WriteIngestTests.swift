import LifeguardCore
import Testing

/// From a request into the head.
@Suite struct WriteIngestTests {
  private let start = Timestamp(seconds: 1_790_000_000)
  private var window: TimeWindow {
    TimeWindow(now: start, retention: .seconds(3600))
  }

  private func request(_ series: [(Labels, [(Double, Double)])]) throws -> DecodedWrite {
    let request = WriteRequest(
      series: series.map { labels, samples in
        WrittenSeries(
          labels: labels,
          samples: samples.map {
            Sample(timestamp: start + .milliseconds(Int64($0.0 * 1000)), value: $0.1)
          })
      })
    return try DecodedWrite(body: Snappy.compress(request.encoded()))
  }

  /// All of a request in slices of `budget`.
  private func append(
    _ write: DecodedWrite, _ ingest: inout WriteIngest, _ head: inout Head, budget: Int = 7
  ) -> WriteOutcome {
    var outcome = WriteOutcome()
    var next = 0
    while next < write.series.count {
      next = ingest.append(
        write, from: next, budget: budget, window: window, into: &head, outcome: &outcome)
    }
    return outcome
  }

  @Test func `good samples are in, with a remote origin`() throws {
    var head = Head()
    var ingest = WriteIngest()
    let labels: Labels = ["__name__": "up", "job": "node"]
    for second in 0..<3 {
      let write = try request([(labels, [(Double(second), 1)])])
      let outcome = append(write, &ingest, &head)
      #expect(outcome.accepted == 1 && outcome.status == 204 && outcome.problem == nil)
    }
    let reference = try #require(head.existingReference(for: labels))
    var samples: [Sample] = []
    head.collect(
      reference, after: start - .seconds(10), through: start + .seconds(10), into: &samples)
    #expect(samples.count == 3)
    #expect(head.isRemote(reference))
  }

  @Test func `the good are taken and the bad are told, in Prometheus' words`() throws {
    var head = Head()
    var ingest = WriteIngest()
    let labels: Labels = ["__name__": "up"]
    _ = append(try request([(labels, [(0, 1)])]), &ingest, &head)
    let late = append(
      try request([(labels, [(-1, 1)]), (["__name__": "new"], [(0, 1)])]), &ingest, &head)
    #expect(late.outOfOrder == 1 && late.accepted == 1)
    #expect(late.status == 400 && late.problem == "out of order sample")
    let other = append(try request([(labels, [(0, 2)])]), &ingest, &head)
    #expect(other.duplicates == 1 && other.problem == "duplicate sample for timestamp")
    let same = append(try request([(labels, [(0, 1)])]), &ingest, &head)
    #expect(same.accepted == 1 && same.status == 204)
    let far = append(
      try request([(labels, [(-4000, 1), (700, 1)])]), &ingest, &head)
    #expect(far.outOfBounds == 2 && far.problem == "out of bounds")
  }

  @Test func `the series limit and series of this host are told`() throws {
    var head = Head(seriesMax: 2)
    var ingest = WriteIngest()
    let own: Labels = ["__name__": "node_load1", "instance": "here"]
    _ = try head.reference(for: own)
    let outcome = append(
      try request([(own, [(0, 99)]), (["__name__": "a"], [(0, 1)]), (["__name__": "b"], [(0, 1)])]),
      &ingest, &head)
    #expect(outcome.refusedSeries == 2 && outcome.accepted == 1)
    #expect(outcome.problem?.contains("collected on this host") == true)
  }

  @Test func `a series that was forgotten comes back, and one that is ours by now does not`() throws
  {
    var head = Head()
    var ingest = WriteIngest()
    let labels: Labels = ["__name__": "up"]
    _ = append(try request([(labels, [(0, 1)])]), &ingest, &head)
    head.removeSamples(before: start + .seconds(60))
    #expect(head.seriesCount == 0)
    let again = append(try request([(labels, [(70, 1)])]), &ingest, &head)
    #expect(again.accepted == 1 && head.seriesCount == 1)
    _ = try head.reference(for: labels)
    let foreign = append(try request([(labels, [(71, 1)])]), &ingest, &head)
    #expect(foreign.accepted == 0 && foreign.refusedSeries == 1)
  }

  @Test func `slices of any size give the same`() throws {
    let series = (0..<200).map { number -> (Labels, [(Double, Double)]) in
      (["__name__": "m", "n": "\(number)"], [(0, Double(number)), (1, 2), (0.5, 3)])
    }
    let write = try request(series)
    var outcomes: Set<WriteOutcome> = []
    for budget in [1, 5, 64, 10_000] {
      var head = Head()
      var ingest = WriteIngest()
      outcomes.insert(append(write, &ingest, &head, budget: budget))
      #expect(head.seriesCount == 200)
    }
    #expect(outcomes.count == 1)
    #expect(outcomes.first?.outOfOrder == 200)
  }

  @Test func `a journal has exactly what was appended`() throws {
    var head = Head()
    head.keepsJournal = true
    var ingest = WriteIngest()
    _ = append(
      try request([(["__name__": "a"], [(0, 1), (0, 1), (-1, 0), (2, 5)])]), &ingest, &head)
    let entries = head.takeJournal()
    #expect(entries.map(\.sample.value) == [1, 5])
    #expect(head.takeJournal().isEmpty)
  }

  @Test func `the content of a queue's record comes back, and damage gives nothing`() throws {
    var content = SpoolContent()
    content.introduced = [
      SpoolContent.Introduction(number: 3, labels: [1, 2, 3]),
      SpoolContent.Introduction(number: 70_000, labels: []),
    ]
    for index in 0..<300 {
      content.entries.append(
        SpoolContent.Entry(
          number: index * 7919 % 1000,
          sample: Sample(
            timestamp: start - .milliseconds(Int64(index * 37)),
            value: index == 5 ? .staleMarker : Double(index))))
    }
    let bytes = content.encoded()
    #expect(SpoolContent(decoding: bytes) == content)
    var random = SeededGenerator(seed: 9)
    for _ in 0..<5000 {
      var bad = bytes
      bad[Int.random(in: bad.indices, using: &random)] = .random(in: 0...255, using: &random)
      _ = SpoolContent(decoding: bad)
    }
  }

  @Test func `a series whose samples are all too far off takes no room in memory`() throws {
    var head = Head()
    var ingest = WriteIngest()
    let outcome = append(
      try request([
        (["__name__": "a"], [(-4000, 1), (700, 1)]), (["__name__": "b"], []),
        (["__name__": "c"], [(-4000, 1), (0, 1)]),
      ]), &ingest, &head)
    #expect(outcome.outOfBounds == 3 && outcome.accepted == 1)
    #expect(outcome.problem == "out of bounds")
    #expect(head.seriesCount == 1)
  }
}
