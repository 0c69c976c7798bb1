import LifeguardAgent
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardServer

/// Whatever comes as parameters and bodies, the answer is proper and the server goes on.
@Suite(.serialized) struct ParameterFuzzTests {
  /// xorshift64*, so that a failure can be had again.
  struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state ^= state >> 12
      state ^= state << 25
      state ^= state >> 27
      return state &* 0x2545_F491_4F6C_DD1D
    }
  }

  private static let places = [
    "/api/v1/query", "/api/v1/query_range", "/api/v1/query_exemplars", "/api/v1/series",
    "/api/v1/labels", "/api/v1/metadata", "/api/v1/rules", "/api/v1/targets",
    "/api/v1/status/tsdb", "/api/v1/label/job/values", "/federate",
  ]
  private static let names = [
    "query", "time", "start", "end", "step", "timeout", "limit", "match[]", "lookback_delta",
    "limit_per_metric", "metric", "type", "exclude_alerts", "rule_name[]", "state", "stats", "",
    "group_limit", "group_next_token",
  ]
  private static let values = [
    "", "1", "-1", "0", "NaN", "Inf", "-Inf", "1e308", "-1e308", "9223372036854775807",
    "-9223372036854775808", "18446744073709551616", "1e18", "9e15", "-9e15", "0.0000001", "5m",
    "99999y", "-5m", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "node_load1",
    "node_load1[5m]", "rate(node_cpu_seconds_total[1m] offset -300y)", "up @ 1e15",
    "node_load1 @ 9e12 offset 290y", "{__name__=~\".+\"}", "{a=\"\"}", "sum(", ")", "\u{0}",
    "💥", "%", "%%%", "a&b=c", "\r\nX: y", "{__name__=\"node_load1\"}", "vector(1)[1h:1ms]",
    "timestamp(vector(1) @ -9e15)", "2^63", "month(vector(1e300))",
    "label_replace(up,\"a\",\"$1\",\"b\",\"(\")",
    "true", "alert", "x",
  ]

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `parameters of all kinds are answered properly`(seed: UInt64) async throws {
    try await ServedAgent.with { served in
      var dice = Dice(state: seed &* 0x9E37_79B9_7F4A_7C15)
      for _ in 0..<80 {
        let place = Self.places.randomElement(using: &dice) ?? ""
        var fields: [(String, String)] = [("timeout", "100ms")]
        for _ in 0..<Int.random(in: 0...5, using: &dice) {
          let name = Self.names.randomElement(using: &dice) ?? ""
          var value = Self.values.randomElement(using: &dice) ?? ""
          if Bool.random(using: &dice), Bool.random(using: &dice) {
            value += Self.values.randomElement(using: &dice) ?? ""
          }
          fields.append((name, value))
        }
        let isForm = Bool.random(using: &dice) && !place.contains("/label/")
        let answer =
          isForm
            && ["query", "range", "series", "labels", "exemplars"].contains { place.hasSuffix($0) }
          ? try await served.form(place, fields) : try await served.get(place, fields)
        Self.check(answer, place, fields)
      }
      #expect(try await served.get("/api/v1/query", [("query", "1")]).status == 200)
    }
  }

  private static func check(_ answer: HTTPAnswer, _ place: String, _ fields: [(String, String)]) {
    #expect([200, 400, 405, 422, 503].contains(answer.status), "\(place) \(fields): \(answer)")
    guard place != "/federate", answer.status != 405 else { return }
    // The parser of the test is ours; its answers must be JSON with Prometheus' members.
    guard let json = try? JSON.parse(Array(answer.body.utf8)) else {
      Issue.record("\(place) \(fields): no JSON: \(answer.body.prefix(300))")
      return
    }
    let isSuccess = json["status"] == "success"
    #expect(isSuccess == (answer.status == 200), "\(place) \(fields)")
    #expect(isSuccess ? json["data"]?.isNull == false : json["error"]?.string != nil)
  }

  @Test(arguments: [11] as [UInt64])
  func `raw bytes as addresses and forms are answered properly`(seed: UInt64) async throws {
    try await ServedAgent.with { served in
      var dice = Dice(state: seed &* 0x9E37_79B9_7F4A_7C15)
      for _ in 0..<80 {
        let length = Int.random(in: 0...80, using: &dice)
        let body = String(
          decoding: (0..<length).map { _ in UInt8.random(in: 0x20...0xFF, using: &dice) },
          as: UTF8.self)
        let place = Self.places.randomElement(using: &dice) ?? ""
        let type = ["Content-Type": "application/x-www-form-urlencoded"]
        let answer = try await served.ask("POST", place, headers: type, body: "query=" + body)
        Self.check(answer, place, [("raw", body)])
        let address = body.utf8.filter { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
        let text = String(decoding: address, as: UTF8.self)
        let asked = try await served.ask("GET", "\(place)?query=\(text)&match[]=\(text)")
        Self.check(asked, place, [("address", text)])
      }
      #expect(try await served.get("/api/v1/query", [("query", "1")]).status == 200)
    }
  }

  /// Numbers at which sums and conversions overflow.
  static let extremes = [
    "NaN", "Inf", "-Inf", "1e308", "-1e308", "9e15", "-9e15", "9000000000000", "-9000000000000",
    "9223372036", "9223372036854775807", "-9223372036854775808", "0.0000001", "-1", "0", "",
    "-292273086-05-16T16:47:06Z", "+292277025-08-18T07:12:54.999999999Z", "9999-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z", "292y", "9223372036854ms",
  ]

  @Test func `the largest, smallest and oddest times and steps are answered properly`() async throws
  {
    try await ServedAgent.with { served in
      #expect(await served.isSampled())
      let queries = [
        "node_load1", "rate(node_load1[292y])", "node_load1 offset 292y", "node_load1 offset -292y",
        "node_load1 @ 9e12", "node_load1 @ -9.1e15", "max_over_time(node_load1[1y:1d] @ 9.1e15)",
        "timestamp(node_load1) + year()", "deriv(node_load1[1y])",
        "predict_linear(node_load1[1y], 1e300)",
      ]
      for (index, time) in Self.extremes.enumerated() {
        let query = queries[index % queries.count]
        for (place, fields) in [
          ("/api/v1/query", [("query", query), ("time", time), ("timeout", "2s")]),
          ("/api/v1/query", [("query", "node_load1"), ("lookback_delta", time)]),
          ("/api/v1/query", [("query", "1"), ("timeout", time)]),
          (
            "/api/v1/query_range",
            [("query", query), ("start", "-9e12"), ("end", time), ("step", "9e9")]
          ),
          (
            "/api/v1/query_range",
            [("query", query), ("start", time), ("end", "9e12"), ("step", "9e9")]
          ),
          (
            "/api/v1/query_range",
            [("query", query), ("start", "1"), ("end", "2"), ("step", time)]
          ),
          ("/api/v1/series", [("match[]", "node_load1"), ("start", time), ("end", time)]),
          ("/api/v1/labels", [("start", time)]), ("/api/v1/labels", [("end", time)]),
        ] {
          Self.check(try await served.get(place, fields), place, fields)
        }
      }
    }
  }
}
