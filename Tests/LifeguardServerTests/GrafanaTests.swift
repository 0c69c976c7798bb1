import LifeguardAgent
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardServer

/// What Grafana's Prometheus data source asks (pkg/promlib), in its order, and what it needs.
@Suite struct GrafanaTests {
  private static func json(_ answer: HTTPAnswer) throws -> JSON {
    #expect(answer.status == 200, "\(answer)")
    let json = try JSON.parse(Array(answer.body.utf8))
    #expect(json["status"] == "success" && json["data"] != nil && json["data"]?.isNull == false)
    return json["data"] ?? .null
  }

  @Test func `a data source is saved, tested, explored and shown`() async throws {
    try await ServedAgent.with { served in
      #expect(await served.isSampled())
      // Save and test: the epoch's fourth second, then what answers.
      let health = try await served.form("/api/v1/query", [("query", "1+1"), ("time", "4")])
      #expect(try Self.json(health)["result"]?[1]?.string == "2")
      let build = try Self.json(try await served.ask("/api/v1/status/buildinfo"))
      #expect(build["version"]?.string?.isEmpty == false && build["features"] == nil)

      // The editor: names, values, what they mean.
      let now = await served.agent.now().wall
      let span = [
        ("start", SampleText.timestamp(now - .seconds(3600))), ("end", SampleText.timestamp(now)),
      ]
      let names = try Self.json(try await served.form("/api/v1/labels", span))
      #expect(names.array?.contains("__name__") == true)
      let filtered = try Self.json(
        try await served.form("/api/v1/labels", span + [("match[]", #"{__name__="node_load1"}"#)]))
      #expect(filtered.array?.compactMap(\.string) == ["__name__", "instance", "job"])
      let values = try Self.json(try await served.get("/api/v1/label/__name__/values", span))
      #expect(values.array?.contains("node_load1") == true)
      let variable = try Self.json(
        try await served.get(
          "/api/v1/label/instance/values", span + [("match[]", #"node_uname_info{job="node"}"#)]))
      #expect(variable.array?.count == 1)
      let series = try Self.json(
        try await served.form("/api/v1/series", span + [("match[]", "node_load1")]))
      #expect(series.array?.count == 1)
      let metadata = try Self.json(try await served.ask("/api/v1/metadata?limit=40000"))
      #expect((metadata.object?.members.count ?? 0) > 100)

      // A panel and Explore: an instant and a range query, exemplars, and rules for annotations.
      let instant = try Self.json(
        try await served.form(
          "/api/v1/query", [("query", "node_load1"), ("time", SampleText.timestamp(now))]))
      #expect(instant["resultType"] == "vector" && instant["result"]?.array?.count == 1)
      let range = try Self.json(
        try await served.form(
          "/api/v1/query_range",
          span + [("query", "rate(node_cpu_seconds_total[1m])"), ("step", "15")]
        ))
      #expect(range["resultType"] == "matrix" && range["result"]?.array != nil)
      let exemplars = try Self.json(
        try await served.form("/api/v1/query_exemplars", span + [("query", "node_load1")]))
      #expect(exemplars.array?.isEmpty == true)
      #expect(try Self.json(try await served.ask("/api/v1/rules"))["groups"]?.array != nil)
      #expect(try Self.json(try await served.ask("/api/v1/alerts"))["alerts"]?.array != nil)
    }
  }

  /// Grafana's variables within expressions, as it would fill them in.
  static func filled(_ expression: String) -> String {
    var text = expression
    for (name, value) in [
      ("$__rate_interval", "1m"), ("$__interval", "15s"), ("$__range", "1h"),
      ("$instance", ".+"), ("$job", "node"), ("$mountpoint", ".+"), ("$device", ".+"),
    ] {
      while let place = text.firstRange(of: name) { text.replaceSubrange(place, with: value) }
    }
    return text
  }

  /// Every member `expr` of a dashboard's panels and variables.
  static func expressions(_ json: JSON) -> [String] {
    switch json {
    case .array(let items): return items.flatMap(expressions)
    case .object(let object):
      return object.members.flatMap { member -> [String] in
        if member.key == "expr", let text = member.value.string { return [text] }
        return expressions(member.value)
      }
    default: return []
    }
  }

  @Test func `every query of the dashboard that we provide is answered`() async throws {
    let path = SourceTree.path("deploy/grafana/dashboards/lifeguard.json")
    let dashboard = try JSON.parse(try TextFile.bytes(path))
    let expressions = Self.expressions(dashboard)
    #expect(expressions.count >= 15)
    try await ServedAgent.with { served in
      let isSampled = await eventually {
        try await served.get("/api/v1/query", [("query", "count_over_time(node_load1[1m]) > 2")])
          .body.contains("value")
      }
      #expect(isSampled)
      var empty: [String] = []
      for expression in expressions {
        let query = Self.filled(expression)
        #expect(!query.contains("$"), "\(expression) has a variable that this test does not know")
        let now = SampleText.timestamp(await served.agent.now().wall)
        let answer = try await served.form("/api/v1/query", [("query", query), ("time", now)])
        let data = try Self.json(answer)
        if data["result"]?.array?.isEmpty == true { empty.append(query) }
      }
      // A fresh agent has no alert and no service; most panels show this very host.
      #expect(empty.count * 3 < expressions.count, "\(empty)")
    }
  }

  @Test func `the provisioning names the dashboard and the data source`() throws {
    let folder = SourceTree.path("deploy/grafana")
    let source = try TextFile.read("\(folder)/provisioning/datasources/lifeguard.yaml")
    #expect(source.contains("type: prometheus") && source.contains("127.0.0.1:9911"))
    let dashboards = try TextFile.read("\(folder)/provisioning/dashboards/lifeguard.yaml")
    #expect(dashboards.contains("path: "))
    let dashboard = try JSON.parse(
      try TextFile.bytes("\(folder)/dashboards/lifeguard.json"))
    #expect(dashboard["uid"] == "lifeguard-host" && dashboard["schemaVersion"] != nil)
    // Panels refer to the data source by the variable, so that any name of it works.
    #expect(dashboard["templating"]?["list"]?[0]?["type"] == "datasource")
  }
}
