import Glibc
import LifeguardCore

/// Measures queries over series in memory in CPU time and prints JSON; `make bench` sets the same
/// queries over the same series beside Prometheus and VictoriaMetrics
/// (Benchmarks/measure/queries.py).
///
///     swift run -c release query-bench [SERIES…]
@main
struct QueryBench {
  /// As Benchmarks/measure/queries.py has them.
  static let start: Int64 = 1_700_000_000_000
  static let interval: Int64 = 15_000
  static let samples = 6 * 240 + 40

  static func main() throws {
    let counts = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    var results: [JSON] = []
    for count in counts.isEmpty ? [1000] : counts { results.append(try measure(series: count)) }
    let answer: JSON = [
      "queries": .array(results), "rule_microseconds": .number(try measureRules()),
      "single_rule_microseconds": .number(try measureSingleRule()),
    ]
    print(answer.text(indented: true))
  }

  /// The CPU time of one run in milliseconds: the least of several, since all else is disturbance.
  static func milliseconds(_ repetitions: Int, _ body: () throws -> Void) rethrows -> Double {
    var least = Double.infinity
    for _ in 0..<repetitions {
      let before = cpuSeconds()
      try body()
      least = min(least, cpuSeconds() - before)
    }
    return least * 1000
  }

  static func cpuSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  static func measure(series count: Int) throws -> JSON {
    var head = Head()
    var references: [SeriesReference] = []
    for index in 0..<count {
      references.append(
        try head.reference(for: [
          "__name__": "x", "instance": "i\(index % 100)", "job": "j", "n": "\(index)",
        ]))
    }
    for step in 0..<samples {
      let time = Timestamp(milliseconds: start + Int64(step) * interval)
      for index in 0..<count {
        try head.append(references[index], at: time, Double(step * (index + 1)))
      }
    }
    let end = Timestamp(milliseconds: start + Int64(samples - 1) * interval)
    let query = try Query(parsing: "avg by (instance)(rate(x[5m]))")
    let repetitions = count > 5000 ? 3 : 15
    let instant = try milliseconds(repetitions) { _ = try query.instant(over: head, at: end) }
    let range = try milliseconds(repetitions) {
      _ = try query.range(over: head, from: end - .seconds(6 * 3600), to: end, step: .seconds(60))
    }
    return [
      "series": .integer(Int64(count)), "instant_milliseconds": .number(instant),
      "range_milliseconds": .number(range),
    ]
  }

  /// The mean of a thousand alerting rules of three common shapes over 4,000 series.
  static func measureRules() throws -> Double {
    let head = try ruleHead()
    return try mean(
      of: (0..<1000).map { index in
        let metric = "m\(index % 400)"
        let forms = [
          "rate(\(metric)[1m]) > 100", "\(metric) > 1000", "sum by (job) (\(metric)) / 10 > 1000",
        ]
        return PreparedQuery(try Query(parsing: forms[index % 3]))
      }, over: head)
  }

  /// The mean of alerting rules that look at one series each, among the same 4,000.
  static func measureSingleRule() throws -> Double {
    let head = try ruleHead()
    return try mean(
      of: (0..<1000).map { index in
        let selector = "m\(index % 400){instance=\"i\(index % 400)\"}"
        let forms = ["\(selector) > 1000", "rate(\(selector)[1m]) > 100"]
        return PreparedQuery(try Query(parsing: forms[index % 2]))
      }, over: head)
  }

  /// Microseconds of one of a thousand rules.
  private static func mean(of queries: [PreparedQuery], over head: Head) throws -> Double {
    precondition(queries.count == 1000, "milliseconds of a thousand are microseconds of one")
    var rules = queries
    let end = Timestamp(milliseconds: start + 299_000)
    // The first evaluation finds the series; rules are evaluated again and again.
    for index in rules.indices { _ = try rules[index].instant(over: head, at: end) }
    return try milliseconds(9) {
      for index in rules.indices { _ = try rules[index].instant(over: head, at: end) }
    }
  }

  /// 4,000 series of 400 metrics, with five minutes of samples every second.
  private static func ruleHead() throws -> Head {
    var head = Head()
    for index in 0..<4000 {
      let reference = try head.reference(for: [
        "__name__": "m\(index % 400)", "instance": "i\(index)", "job": "j",
      ])
      for step in 0..<300 {
        try head.append(
          reference, at: Timestamp(milliseconds: start + Int64(step) * 1000), Double(step))
      }
    }
    return head
  }
}
