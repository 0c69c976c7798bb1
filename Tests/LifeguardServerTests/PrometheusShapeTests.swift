import LifeguardAgent
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardServer

/// Answers in Prometheus' own bytes, as they were measured on it.
@Suite struct PrometheusShapeTests {
  struct Shape: Sendable, CustomStringConvertible {
    var path: String
    var fields: [(String, String)]
    var status: Int
    var body: String
    var description: String { "\(path) \(fields.map { "\($0)=\($1)" })" }
  }

  private static func query(_ text: String, _ status: Int, _ body: String) -> Shape {
    Shape(
      path: "/api/v1/query", fields: [("query", text), ("time", "4")], status: status, body: body)
  }

  private static func success(_ type: String, _ result: String) -> String {
    #"{"status":"success","data":{"resultType":"\#(type)","result":\#(result)}}"#
  }

  private static func failure(_ type: String, _ message: String) -> String {
    #"{"status":"error","errorType":"\#(type)","error":"\#(message)"}"#
  }

  private static func range(
    _ status: Int, _ body: String, query: String = "vector(1)", start: String = "0",
    end: String = "10", step: String = "5"
  ) -> Shape {
    Shape(
      path: "/api/v1/query_range",
      fields: [("query", query), ("start", start), ("end", end), ("step", step)],
      status: status, body: body)
  }

  static let instant: [Shape] = [
    query("1+1", 200, success("scalar", #"[4,"2"]"#)),
    query("1e21", 200, success("scalar", #"[4,"1000000000000000000000"]"#)),
    query("1e-7", 200, success("scalar", #"[4,"0.0000001"]"#)),
    query("vector(1e-7)", 200, success("vector", #"[{"metric":{},"value":[4,"1e-07"]}]"#)),
    query("vector(1e21)", 200, success("vector", #"[{"metric":{},"value":[4,"1e+21"]}]"#)),
    query("vector(0/0)", 200, success("vector", #"[{"metric":{},"value":[4,"NaN"]}]"#)),
    query("vector(-1/0)", 200, success("vector", #"[{"metric":{},"value":[4,"-Inf"]}]"#)),
    query(
      "vector(0.1+0.2)", 200,
      success("vector", #"[{"metric":{},"value":[4,"0.30000000000000004"]}]"#)),
    query(#""a\"b""#, 200, success("string", #"[4,"a\"b"]"#)),
    query("nothing_of_this_name", 200, success("vector", "[]")),
    query("nothing_of_this_name[5m]", 200, success("matrix", "[]")),
    query(
      "sum(vector(1)", 400,
      failure(
        "bad_data", #"invalid parameter \"query\": 1:14: parse error: unclosed left parenthesis"#)),
    Shape(
      path: "/api/v1/query", fields: [("query", "vector(1)"), ("time", "1970-01-01T00:00:01.5Z")],
      status: 200, body: success("vector", #"[{"metric":{},"value":[1.500,"1"]}]"#)),
    Shape(
      path: "/api/v1/query", fields: [("query", "1"), ("time", "1970-01-01T02:00:01.5+02:00")],
      status: 200, body: success("scalar", #"[1.5,"1"]"#)),
    Shape(
      path: "/api/v1/query", fields: [("query", "1"), ("time", "soon")], status: 400,
      body: failure(
        "bad_data",
        #"invalid parameter \"time\": invalid time value for 'time': cannot parse"#
          + #" \"soon\" to a valid timestamp"#
      )),
    Shape(
      path: "/api/v1/query", fields: [("query", "1"), ("timeout", "x")], status: 400,
      body: failure(
        "bad_data", #"invalid parameter \"timeout\": cannot parse \"x\" to a valid duration"#)),
    Shape(
      path: "/api/v1/query",
      fields: [
        ("query", "vector(1) or label_replace(vector(2), \"a\", \"b\", \"\", \"\")"),
        ("limit", "1"), ("time", "0"),
      ],
      status: 200,
      body:
        #"{"status":"success","data":{"resultType":"vector","#
        + #""result":[{"metric":{},"value":[0,"1"]}]},"#
        + #""warnings":["results truncated due to limit"]}"#
    ),
  ]

  static let ranges: [Shape] = [
    range(
      200,
      success("matrix", #"[{"metric":{},"values":[[0,"1"],[5,"1"],[10,"1"]]}]"#)),
    range(200, success("matrix", "[]"), query: "nothing_of_this_name"),
    range(
      200, success("matrix", #"[{"metric":{},"values":[[0,"1"],[0.500,"1"],[1,"1"]]}]"#),
      end: "1", step: "500ms"),
    range(
      400,
      failure(
        "bad_data", #"invalid parameter \"end\": end timestamp must not be before start time"#),
      start: "20"),
    range(
      400,
      failure(
        "bad_data",
        #"invalid parameter \"step\": zero or negative query resolution step widths"#
          + #" are not accepted. Try a positive integer"#
      ), step: "0"),
    range(
      400,
      failure(
        "bad_data",
        "exceeded maximum resolution of 11,000 points per timeseries. "
          + "Try decreasing the query resolution (?step=XX)"
      ), end: "11001", step: "1"),
    range(
      400,
      failure("bad_data", #"invalid parameter \"start\": cannot parse \"\" to a valid timestamp"#),
      start: ""),
    range(
      400,
      failure("bad_data", #"invalid parameter \"step\": cannot parse \"\" to a valid duration"#),
      step: ""),
    range(
      400,
      failure(
        "bad_data",
        #"invalid parameter \"query\": invalid expression type \"range vector\" for"#
          + #" range query, must be Scalar or instant Vector"#
      ), query: "up[5m]"),
  ]

  static let others: [Shape] = [
    Shape(
      path: "/api/v1/series", fields: [], status: 400,
      body: failure("bad_data", "no match[] parameter provided")),
    Shape(
      path: "/api/v1/series", fields: [("match[]", "{a=\"\"}")], status: 400,
      body: failure(
        "bad_data",
        #"invalid parameter \"match[]\": match[] must contain at least one non-empty matcher"#)),
    Shape(
      path: "/api/v1/series", fields: [("match[]", "nothing_of_this_name")], status: 200,
      body: #"{"status":"success","data":[]}"#),
    Shape(
      path: "/api/v1/labels", fields: [("match[]", "nothing_of_this_name")], status: 200,
      body: #"{"status":"success","data":[]}"#),
    Shape(
      path: "/api/v1/query_exemplars", fields: [("query", "up")], status: 200,
      body: #"{"status":"success","data":[]}"#),
  ]

  @Test func `answers have Prometheus' bytes, asked by address and by form`() async throws {
    try await ServedAgent.with { served in
      #expect(await served.isSampled())
      for shape in Self.instant + Self.ranges + Self.others {
        for answer in [
          try await served.get(shape.path, shape.fields),
          try await served.form(shape.path, shape.fields),
        ] {
          #expect(answer.status == shape.status, "\(shape)")
          #expect(answer.body == shape.body, "\(shape)")
          #expect(answer.headers["content-type"] == "application/json")
        }
      }
      let label = try await served.ask("/api/v1/label/bad%FFname/values")
      #expect(label.status == 400)
      #expect(label.body.contains(#""errorType":"bad_data","error":"invalid label name: "#))
      // Any UTF-8 is a name since Prometheus 3.
      let wide = try await served.ask("/api/v1/label/http.status/values")
      #expect(wide.status == 200 && wide.body == #"{"status":"success","data":[]}"#)
      let many = try await served.get(
        "/api/v1/query",
        [("query", "node_load1 + on() group_left() node_load1 * on() {__name__=~\"node_load.*\"}")])
      #expect(many.status == 422 && many.body.contains(#""errorType":"execution""#), "\(many)")
    }
  }

  @Test func `places and methods that there are not are answered in plain text`() async throws {
    try await ServedAgent.with { served in
      for (method, path, status) in [
        ("GET", "/api/v1/nothing", 404), ("GET", "/api/v1/label/a/b/values", 404),
        ("POST", "/api/v1/label/job/values", 405), ("PUT", "/api/v1/query", 405),
        ("GET", "/api/v1/write", 405), ("POST", "/federate", 405),
        ("OPTIONS", "/api/v1/query", 405),
      ] {
        let answer = try await served.ask(method, path)
        #expect(answer.status == status, "\(method) \(path)")
        #expect(answer.headers["content-type"]?.hasPrefix("text/plain") == true)
      }
      let head = try await served.ask("HEAD", "/api/v1/query?query=1")
      #expect(head.status == 200 && head.body.isEmpty)
      #expect(head.headers["content-length"] != "0")
    }
  }

  @Test func `series, labels and values are those of this host`() async throws {
    try await ServedAgent.with { served in
      #expect(await served.isSampled())
      let series = try await served.get("/api/v1/series", [("match[]", "node_load1")])
      let metric = try #require(try JSON.parse(Array(series.body.utf8))["data"]?[0])
      #expect(metric["__name__"] == "node_load1" && metric["job"] == "node")
      let names = try await served.data("/api/v1/labels").array?.compactMap(\.string) ?? []
      #expect(names.contains("__name__") && names.contains("instance") && names == names.sorted())
      let jobs = try await served.data("/api/v1/label/job/values").array?.compactMap(\.string)
      #expect(jobs == ["node"])
      let metrics = try await served.data(
        "/api/v1/label/__name__/values?match[]=%7B__name__%3D~%22node_load.%22%7D")
      #expect(metrics.array?.compactMap(\.string) == ["node_load1", "node_load5"])
      let cut = try await served.get("/api/v1/label/__name__/values", [("limit", "2")])
      #expect(try JSON.parse(Array(cut.body.utf8))["data"]?.array?.count == 2)
      #expect(cut.body.contains("results truncated due to limit"))
      // Nothing was known then.
      let past = try await served.get("/api/v1/labels", [("start", "1"), ("end", "2")])
      #expect(past.body == #"{"status":"success","data":[]}"#)
    }
  }

  @Test func `what a metric means, who is asked, and what fills the memory can be read`()
    async throws
  {
    try await ServedAgent.with { served in
      #expect(await served.isSampled())
      let metadata = try await served.data("/api/v1/metadata?metric=node_load1")
      #expect(metadata["node_load1"]?[0]?["type"] == "gauge")
      #expect(metadata["node_load1"]?[0]?["help"]?.string?.isEmpty == false)
      #expect(metadata["node_load1"]?[0]?["unit"] == "")
      let limited = try await served.data("/api/v1/metadata?limit=3")
      #expect(limited.object?.members.count == 3)
      let wrong = try await served.ask("/api/v1/metadata?limit=x")
      #expect(wrong.status == 400 && wrong.body.contains("limit must be a number"))

      let target = try #require(try await served.data("/api/v1/targets")["activeTargets"]?[0])
      #expect(target["health"] == "up" && target["scrapePool"] == "node")
      #expect(target["labels"]?["job"] == "node" && target["lastError"]?.string != nil)
      #expect(target["scrapeUrl"]?.string == "http://127.0.0.1:\(served.port)/metrics")
      let none = try await served.data("/api/v1/targets?state=dropped")
      #expect(none["activeTargets"]?.array?.isEmpty == true)
      #expect(none["droppedTargets"]?.array?.isEmpty == true)

      let build = try await served.data("/api/v1/status/buildinfo")
      #expect(build["version"] == "3.14.0" && build["features"] == nil)
      let head = try await served.data("/api/v1/status/tsdb?limit=2")
      #expect((head["headStats"]?["numSeries"]?.integer ?? 0) > 100)
      #expect(head["seriesCountByMetricName"]?.array?.count == 2)
      #expect(head["labelValueCountByLabelName"]?[0]?["name"] == "__name__")
      let statistics = try #require(head["headStats"])
      let series = statistics["numSeries"]?.integer ?? 0
      #expect(series > 0 && statistics["chunkCount"]?.integer ?? 0 >= series)
      #expect(try await served.ask("/api/v1/status/tsdb?limit=0").status == 400)
    }
  }
}
