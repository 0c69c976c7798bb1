import Glibc
import LifeguardAgent
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardServer

@Suite(.serialized) struct QueryLimitTests {
  /// Seven billion steps over nothing but a constant.
  static let endless = "max_over_time(max_over_time(vector(1)[1d:1s])[1d:1s])"

  private static func turns(_ served: ServedAgent) async throws -> Double {
    let text = try await served.ask("/metrics").body
    let line = text.split(separator: "\n").first { $0.hasPrefix("lifeguard_turns_total ") }
    return line.flatMap { Double($0.dropFirst("lifeguard_turns_total ".count)) } ?? 0
  }

  @Test func `an endless query ends at its time limit while the agent goes on`() async throws {
    try await ServedAgent.with { served in
      let before = try await Self.turns(served)
      let begin = ContinuousClock.now
      let answer = try await served.get(
        "/api/v1/query", [("query", Self.endless), ("timeout", "1500ms")])
      let length = ContinuousClock.now - begin
      #expect(answer.status == 503)
      #expect(
        answer.body
          == #"{"status":"error","errorType":"timeout","#
          + #""error":"query timed out in expression evaluation"}"#
      )
      #expect(length >= .milliseconds(1400) && length < .seconds(10))
      #expect(try await Self.turns(served) > before)
    }
  }

  @Test func `more queries than may run wait for their turn, at most until their time is up`()
    async throws
  {
    let text = "default_rules: false\nhttp: {query: {concurrency: 1, timeout: 2s}}\n"
    try await ServedAgent.with(text) { served in
      async let first = served.get("/api/v1/query", [("query", Self.endless)])
      // The one thread is taken once a short question waits in vain.
      let isTaken = await eventually(within: .seconds(2), every: .milliseconds(50)) {
        let answer = try await served.get("/api/v1/query", [("query", "1"), ("timeout", "100ms")])
        return answer.status == 503 && answer.body.contains("query timed out in query queue")
      }
      #expect(isTaken)
      // It waits longer than the first one may run.
      let second = try await served.get("/api/v1/query", [("query", "1+1")])
      #expect(second.status == 200 || second.status == 503)
      #expect(try await first.status == 503)
      #expect(
        await eventually { try await served.get("/api/v1/query", [("query", "1")]).status == 200 })
    }
  }

  @Test func `a client that hangs up ends its query`() async throws {
    let text = "default_rules: false\nhttp: {query: {concurrency: 1, timeout: 1m}}\n"
    try await ServedAgent.with(text) { served in
      do {
        let client = try RawConnection(port: served.port)
        await client.send(
          "GET /api/v1/query?query=\(ServedAgent.encoded(Self.endless)) HTTP/1.1\r\n"
            + "Host: localhost\r\nAuthorization: Bearer \(served.token)\r\n\r\n")
        let isTaken = await eventually(within: .seconds(5), every: .milliseconds(50)) {
          try await served.get("/api/v1/query", [("query", "1"), ("timeout", "100ms")]).status
            == 503
        }
        #expect(isTaken)
        withExtendedLifetime(client) {}
      }
      // The connection is closed; the only thread is free long before the minute is over.
      #expect(
        await eventually(within: .seconds(20)) {
          try await served.get("/api/v1/query", [("query", "1"), ("timeout", "1s")]).status == 200
        })
    }
  }

  @Test func `the limits of samples and points are the configured ones`() async throws {
    let text = """
      default_rules: false
      http: {query: {samples_max: 50, points_max: 10}}
      """
    try await ServedAgent.with(text) { served in
      let isFull = await eventually {
        try await served.get("/api/v1/query", [("query", #"count({job="node"})"#)]).status == 422
      }
      #expect(isFull)
      let many = try await served.get("/api/v1/query", [("query", #"{__name__=~"node_.+"}"#)])
      #expect(many.status == 422)
      #expect(
        many.body
          == #"{"status":"error","errorType":"execution","error":"query processing would load "#
          + #"too many samples into memory in query execution"}"#
      )
      let points = try await served.get(
        "/api/v1/query_range", [("query", "1"), ("start", "0"), ("end", "100"), ("step", "1")])
      #expect(points.status == 400)
      #expect(points.body.contains("exceeded maximum resolution of 10 points per timeseries"))
    }
  }

  @Test(arguments: [
    String(repeating: "(", count: 20_000) + "1" + String(repeating: ")", count: 20_000),
    String(repeating: "-", count: 50_000) + "1",
    "1" + String(repeating: "+1", count: 30_000),
    "1" + String(repeating: "^1", count: 30_000),
    String(repeating: "sum(", count: 10_000) + "a" + String(repeating: ")", count: 10_000),
    "a" + String(repeating: "[1m:1s]", count: 5_000),
    "{a=~\"" + String(repeating: "(a|", count: 5000) + "\"}",
    "{a=~\"((((((((a{1,100}){1,100}){1,100}){1,100}){1,100}))))\"}",
  ])
  func `a query that is a bomb is refused or answered, and nothing falls over`(text: String)
    async throws
  {
    try await ServedAgent.with { served in
      let answer = try await served.form("/api/v1/query", [("query", text), ("timeout", "5s")])
      #expect([200, 400, 422, 503].contains(answer.status), "\(answer.status)")
      #expect(try await served.get("/api/v1/query", [("query", "1")]).status == 200)
    }
  }
}
