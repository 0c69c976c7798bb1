import Synchronization
import Testing

@testable import LifeguardCore

/// What a query may use up before it is ended.
struct LimitTests {
  /// As many series as wanted without any of them in memory.
  private struct EndlessSource: SeriesSource {
    let count: Int32

    var generation: UInt64? { nil }

    func select(
      _ matchers: [Matcher], after: Timestamp, through: Timestamp
    ) throws(SeriesSourceError) -> [SeriesReference] {
      (0..<count).map { SeriesReference(slot: $0) }
    }

    func labels(of reference: SeriesReference) -> Labels {
      ["__name__": "m", "i": "\(reference.slot)", "le": "1"]
    }

    func lastSample(
      of reference: SeriesReference, after: Timestamp, through: Timestamp
    ) -> Sample? {
      Sample(timestamp: through, value: Double(reference.slot))
    }

    func collect(
      _ reference: SeriesReference, after: Timestamp, through: Timestamp,
      into samples: inout [Sample]
    ) {
      for back in (0..<10).reversed() {
        let time = Timestamp(milliseconds: through.milliseconds - Int64(back) * 1000)
        if time > after {
          samples.append(Sample(timestamp: time, value: Double(reference.slot) + Double(back)))
        }
      }
    }
  }

  private static let now = Timestamp(milliseconds: 1_700_000_000_000)

  private func failure(_ text: String, _ source: EndlessSource, _ options: QueryOptions) -> String {
    do {
      let query = try Query(parsing: text)
      _ = try query.range(
        over: source, from: Self.now, to: Self.now + .seconds(100), step: .seconds(10),
        options: options)
      return "none"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [
    "m", "m + 1", "rate(m[1m])", "sum(m)", "m * on (i) m", #"count_values("v", m)"#,
    "max_over_time(m[1h:1s])", "m @ start()", "label_replace(m, \"a\", \"b\", \"i\", \".*\")",
    // Room for 20,000 series of 5000 steps would be 800 MB.
    "max_over_time(m[5000s:1s])", "stddev by (i) (m)", "scalar(m)",
    "max_over_time((vector(time()) + vector(time()))[3000s:1s])",
    "max_over_time(absent(absent(vector(time())))[3000s:1s])",
  ])
  func `too many series end in Prometheus' words`(_ text: String) {
    let options = QueryOptions(samplesMax: 5000)
    #expect(
      failure(text, EndlessSource(count: 20_000), options)
        == "query processing would load too many samples into memory in query execution")
  }

  @Test(arguments: [
    "m", "rate(m[1m])", "quantile_over_time(0.5, m[1m])", "m * on (i) m", "m @ start()",
    "sum(m) by (i)",
  ])
  func `a query is asked to stop long before its end`(_ text: String) {
    let asked = Mutex(0)
    let options = QueryOptions(interruption: {
      asked.withLock { asked in
        asked += 1
        return asked > 2 ? .timedOut : nil
      }
    })
    #expect(
      failure(text, EndlessSource(count: 20_000), options)
        == "query timed out in expression evaluation")
  }

  @Test(arguments: [
    "quantile(0.5, m)", "topk(2, m)", "stddev(m)", "min(m)", "histogram_quantile(0.5, m)",
  ])
  func `what is made of many series is asked to stop, too`(_ text: String) {
    let count: Int32 = 20_000
    let asked = Mutex(0)
    let options = QueryOptions(interruption: {
      // The selector asks once, and once for each series.
      asked.withLock { asked in
        asked += 1
        return asked > 1 + count ? .timedOut : nil
      }
    })
    #expect(
      failure(text, EndlessSource(count: count), options)
        == "query timed out in expression evaluation")
  }

  @Test func `room is made for no more than may be held`() {
    var matrix = Matrix(steps: 31_536_000)
    matrix.reserve(rows: 2_000_000, valuesMax: 1000)
    #expect(matrix.values.capacity < 10_000)
    matrix = Matrix(steps: .max)
    matrix.reserve(rows: 2, valuesMax: 1000)
    #expect(matrix.values.capacity < 10_000)
  }

  @Test func `a result of many different values is refused while it grows`() {
    // Each of 200 series has other values at each of 11 steps.
    let options = QueryOptions(samplesMax: 4000)
    #expect(
      failure(
        #"count_values("v", m * time())"#, EndlessSource(count: 200), options)
        == "query processing would load too many samples into memory in query execution")
  }

  @Test func `every error says what kind it is`() {
    let errors: [(QueryError, String)] = [
      (.invalid("x"), "bad_data"), (.execution("x"), "execution"), (.tooManySamples, "execution"),
      (.interrupted(.timedOut), "timeout"), (.interrupted(.canceled), "canceled"),
      (.source(SeriesSourceError("x")), "internal"),
    ]
    for (error, kind) in errors { #expect(error.errorType == kind) }
  }
}
