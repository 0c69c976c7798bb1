import Testing

@testable import LifeguardCore

@Suite struct EvaluationTests {
  private func time(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

  /// `value(second)` for each second from 1 to `seconds`.
  private func head(
    _ series: [(Labels, (Int64) -> Double?)], seconds: Int64
  ) throws -> Head {
    var head = Head()
    for (labels, value) in series {
      let reference = try head.reference(for: labels)
      for second in 1...seconds {
        guard let value = value(second) else { continue }
        try head.append(reference, at: time(second), value)
      }
    }
    return head
  }

  private func vector(_ result: QueryResult) -> [VectorElement] {
    if case .vector(let elements) = result.value { return elements }
    return []
  }

  // MARK: Freshness

  @Test func `an element says which samples it was made from`() throws {
    let head = try head(
      [
        (["__name__": "a"], { $0 <= 50 ? 1 : nil }), (["__name__": "b"], { _ in 2 }),
      ], seconds: 60)
    func inputs(_ text: String) throws -> ClosedRange<Timestamp>? {
      let result = try Query(parsing: text).instant(over: head, at: time(60))
      return try #require(vector(result).first).inputs
    }
    #expect(try inputs("a") == time(50)...time(50))
    #expect(try inputs("a + b") == time(50)...time(60))
    #expect(try inputs("sum({__name__=~\"a|b\"})") == time(50)...time(60))
    #expect(try inputs("rate(b[10s])") == time(51)...time(60))
    #expect(try inputs("max_over_time(b[10s:5s])") == time(55)...time(60))
    #expect(try inputs("b * scalar(a)") == time(50)...time(60))
    #expect(try inputs("vector(1)") == nil)
    #expect(try inputs("absent(none)") == nil)
  }

  @Test func `the newest input tells healthy from absent`() throws {
    let head = try head([(["__name__": "a"], { $0 <= 50 ? 1 : nil })], seconds: 60)
    func newest(_ text: String) throws -> Timestamp? {
      let query = try Query(parsing: text)
      let result = try query.instant(over: head, at: time(60))
      var prepared = PreparedQuery(query)
      let again = try prepared.instant(over: head, at: time(60))
      #expect(again == result)
      return result.newestInput
    }
    #expect(try newest("a > 80") == time(50))
    #expect(try newest("none > 80") == nil)
    #expect(try newest("absent(a)") == nil)
    #expect(try newest("absent_over_time(a[1m]) or none") == nil)
    #expect(try newest("absent(a) or a > 5") == time(50))
    #expect(try newest("sum_over_time(a[30s]) > 99") == time(50))
    // An offset looks back on purpose: it does not make the series stale.
    #expect(try newest("a offset 20s > 80") == time(60))
  }

  @Test func `a staleness marker is no input`() throws {
    var head = try head([(["__name__": "a"], { _ in 1 })], seconds: 10)
    let reference = try #require(head.existingReference(for: ["__name__": "a"]))
    try head.markStale(reference, at: time(11))
    let result = try Query(parsing: "a").instant(over: head, at: time(11))
    #expect(vector(result).isEmpty)
    #expect(result.newestInput == nil)
  }

  // MARK: Prepared queries

  @Test(arguments: ["m > 3", "3 < m", "m != 3", "m offset 2s >= 3", "m{i=\"1\"} == 1", "none > 1"])
  func `the short way agrees with the evaluator`(text: String) throws {
    let head = try head(
      (0..<6).map { number in
        (
          ["__name__": "m", "i": "\(number)"],
          { $0 == 5 && number == 2 ? .staleMarker : number == 3 ? .nan : Double(number) }
        )
      }, seconds: 8)
    let query = try Query(parsing: text)
    #expect(query.comparison != nil)
    for second: Int64 in [0, 1, 5, 7, 8, 307, 308, 400] {
      var prepared = PreparedQuery(query)
      let short = try prepared.compare(over: head, at: time(second), options: QueryOptions())
      let long = try query.instant(over: head, at: time(second))
      #expect(vector(short).map(\.labels) == vector(long).map(\.labels))
      #expect(
        vector(short).map(\.value.bitPattern) == vector(long).map(\.value.bitPattern))
      #expect(vector(short).map(\.inputs) == vector(long).map(\.inputs))
      #expect(short.newestInput == long.newestInput)
    }
  }

  @Test func `a prepared query sees series that come and go`() throws {
    var head = Head()
    var prepared = PreparedQuery(try Query(parsing: "sum(m)"))
    #expect(vector(try prepared.instant(over: head, at: time(1))).isEmpty)
    let first = try head.reference(for: ["__name__": "m", "i": "1"])
    try head.append(first, at: time(1), 1)
    #expect(vector(try prepared.instant(over: head, at: time(1))).first?.value == 1)
    let second = try head.reference(for: ["__name__": "m", "i": "2"])
    try head.append(second, at: time(2), 2)
    #expect(vector(try prepared.instant(over: head, at: time(2))).first?.value == 3)
    head.removeSamples(before: time(2))
    #expect(vector(try prepared.instant(over: head, at: time(2))).first?.value == 2)
  }

  // MARK: Limits and errors

  private func error(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test func `limits end a query with Prometheus' words`() throws {
    let head = try head([(["__name__": "m"], { _ in 1 })], seconds: 100)
    let query = try Query(parsing: "sum_over_time(m[1m])")
    let few = QueryOptions(samplesMax: 10)
    #expect(
      error { _ = try query.instant(over: head, at: time(90), options: few) }
        == "query processing would load too many samples into memory in query execution")
    let stopped = QueryOptions(interruption: { .timedOut })
    #expect(
      error { _ = try query.instant(over: head, at: time(90), options: stopped) }
        == "query timed out in expression evaluation")
    #expect(
      error { _ = try query.range(over: head, from: time(0), to: time(11_001), step: .seconds(1)) }
        == "exceeded maximum resolution of 11,000 points per timeseries."
        + " Try decreasing the query resolution (?step=XX)")
    #expect(
      error { _ = try query.range(over: head, from: time(1), to: time(0), step: .seconds(1)) }
        == "end timestamp must not be before start time")
    #expect(
      error { _ = try query.range(over: head, from: time(0), to: time(1), step: .zero) }
        == "zero or negative query resolution step widths are not accepted."
        + " Try a positive integer")
    let matrix = try Query(parsing: "m[5m]")
    #expect(
      error { _ = try matrix.range(over: head, from: time(0), to: time(1), step: .seconds(1)) }
        == "invalid expression type \"range vector\" for range query,"
        + " must be Scalar or instant Vector")
  }

  @Test func `an annotation carries its place`() throws {
    let head = try head([(["__name__": "m"], { _ in 1 })], seconds: 100)
    let result = try Query(parsing: "1 +\n  quantile(1.5, rate(m[1m]))")
      .instant(over: head, at: time(90))
    #expect(
      result.warnings.map(\.description) == [
        "PromQL warning: quantile value should be between 0 and 1, got 1.5 (2:12)"
      ])
    #expect(
      result.infos.map(\.description) == [
        "PromQL info: metric might not be a counter, name does not end in"
          + " _total/_sum/_count/_bucket: \"m\" (2:22)"
      ])
  }

  @Test func `a tree as deep as allowed is evaluated`() throws {
    let text = Array(repeating: "1", count: 500).joined(separator: " + ")
    let result = try Query(parsing: text).instant(over: ArraySource(), at: time(0))
    #expect(result.value == .scalar(500))
    #expect(throws: ParseError.self) { _ = try Query(parsing: text + " + 1 + 1") }
  }

  // MARK: Traps

  @Test func `a NaN that is not the marker stays a value`() throws {
    let quiet = Double(bitPattern: 0x7FF8_0000_0000_0002)
    let head = try head([(["__name__": "m"], { _ in quiet })], seconds: 5)
    let result = try Query(parsing: "m").instant(over: head, at: time(5))
    #expect(vector(result).first?.value.isNaN == true)
    // Arithmetic does not keep the marker's bits, so only bits may be compared.
    #expect(!(Double.staleMarker + 0).isStaleMarker)
    #expect(Double.staleMarker.isStaleMarker)
  }

  @Test func `composed and decomposed letters are different values`() throws {
    let composed = Matcher(name: "a", equals: "\u{E9}")
    #expect(composed.matches("\u{E9}"))
    #expect(!composed.matches("e\u{301}"))
  }

  @Test func `range results are sorted by labels and instant ones keep their order`() throws {
    let head = try head(
      ["z", "a", "m"].map { (["__name__": $0, "k": "v"], { _ in 1 }) }, seconds: 5)
    let query = try Query(parsing: "{k=\"v\"}")
    let result = try query.range(over: head, from: time(1), to: time(5), step: .seconds(1))
    guard case .matrix(let series) = result.value else { return }
    #expect(series.map(\.labels.metric) == ["a", "m", "z"])
    #expect(
      vector(try query.instant(over: head, at: time(5))).map(\.labels.metric) == ["z", "a", "m"])
  }
}
