import LifeguardAgent
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardServer

@Suite struct RuleEndpointTests {
  static let rules = """
    groups:
      - name: web
        interval: 1s
        limit: 5
        rules:
          - alert: Always
            expr: vector(3) > 1
            keep_firing_for: 5m
            labels: {severity: page}
            annotations: {summary: 'value {{ $value }}'}
          - alert: Waiting
            expr: vector(1)
            for: 1h
          - alert: Never
            expr: vector(1) > 2
          - record: one:sum
            expr: sum(vector(1))
      - name: other
        rules:
          - record: broken:one
            expr: node_load1 + on(nothing) {__name__=~"node_load.+"}
    """

  private static func with(
    _ body: @escaping @Sendable (ServedAgent) async throws -> Void
  ) async throws {
    try await ServedAgent.with(
      prepared: { folder in
        try TextFile.write(rules, to: folder / "rules.yaml")
        return "default_rules: false\nrule_files: [rules.yaml]\n"
      }, body)
  }

  private static func groups(_ served: ServedAgent, _ query: String = "") async throws -> [JSON] {
    try await served.data("/api/v1/rules\(query)")["groups"]?.array ?? []
  }

  @Test func `rules have the shape that Grafana reads`() async throws {
    try await Self.with { served in
      let isSettled = await eventually {
        try await Self.groups(served).first { $0["name"] == "web" }?["rules"]?[0]?["state"]
          == "firing"
      }
      #expect(isSettled)
      let groups = try await Self.groups(served)
      let web = try #require(groups.first { $0["name"] == "web" })
      #expect(web["file"]?.string?.hasSuffix("rules.yaml") == true)
      #expect(web["interval"]?.double == 1 && web["limit"]?.integer == 5)
      #expect(Timestamp(web["lastEvaluation"]?.string ?? "") != nil)
      #expect(web["evaluationTime"]?.double != nil)
      let rules = try #require(web["rules"]?.array)
      #expect(rules.map { $0["name"]?.string } == ["Always", "Waiting", "Never", "one:sum"])
      #expect(
        rules.map { $0["type"]?.string } == ["alerting", "alerting", "alerting", "recording"])
      #expect(rules.map { $0["state"]?.string } == ["firing", "pending", "inactive", nil])
      #expect(rules[0]["duration"]?.double == 0 && rules[0]["keepFiringFor"]?.double == 300)
      #expect(rules[1]["duration"]?.double == 3600)
      #expect(rules[0]["labels"]?["severity"] == "page")
      #expect(rules[0]["annotations"]?["summary"] == "value {{ $value }}")
      #expect(rules[0]["health"] == "ok" && rules[0]["lastError"] == nil)
      let alert = try #require(rules[0]["alerts"]?[0])
      #expect(alert["value"] == "3e+00" && alert["state"] == "firing")
      #expect(alert["annotations"]?["summary"] == "value 3")
      #expect(alert["labels"]?["alertname"] == "Always")
      #expect(rules[2]["alerts"]?.array?.isEmpty == true)
    }
  }

  @Test func `rules are filtered as Prometheus filters them`() async throws {
    try await Self.with { served in
      let alerts = try await Self.groups(served, "?type=alert")
      #expect(alerts.flatMap { $0["rules"]?.array ?? [] }.allSatisfy { $0["type"] == "alerting" })
      let records = try await Self.groups(served, "?type=record")
      #expect(records.flatMap { $0["rules"]?.array ?? [] }.count == 2)
      let named = try await Self.groups(served, "?rule_name[]=Never&rule_name[]=Always")
      #expect(named.count == 1 && named[0]["rules"]?.array?.count == 2)
      let grouped = try await Self.groups(served, "?rule_group[]=other")
      #expect(grouped.map { $0["name"]?.string } == ["other"])
      #expect(try await Self.groups(served, "?file[]=nowhere").isEmpty)
      #expect(
        await eventually {
          try await Self.groups(served, "?rule_name[]=Always")[0]["rules"]?[0]?["state"] == "firing"
        })
      let bare = try await Self.groups(served, "?exclude_alerts=true&rule_name[]=Always")
      #expect(bare[0]["rules"]?[0]?["alerts"] == nil)
      #expect(try await served.ask("/api/v1/rules?type=x").status == 400)
      #expect(try await served.ask("/api/v1/rules?exclude_alerts=maybe").status == 400)
    }
  }

  @Test func `rules are chosen by the labels that they were given`() async throws {
    try await Self.with { served in
      let chosen = try await Self.groups(served, "?match[]=%7Bseverity%3D%22page%22%7D")
      #expect(chosen.map { $0["name"]?.string } == ["web"])
      #expect(chosen[0]["rules"]?.array?.map { $0["name"]?.string } == ["Always"])
      let either = try await Self.groups(
        served, "?match[]=%7Bseverity%3D%22x%22%7D&match[]=%7Bseverity%3D~%22p.*%22%7D")
      #expect(either.count == 1)
      #expect(try await Self.groups(served, "?match[]=%7Bseverity%3D%22x%22%7D").isEmpty)
      #expect(try await served.ask("/api/v1/rules?match[]=sum(").status == 400)
    }
  }

  @Test func `groups of rules come in pages`() async throws {
    try await Self.with { served in
      var names: [String?] = []
      var token = ""
      for _ in 0..<10 {
        let fields = [("group_limit", "1")] + (token.isEmpty ? [] : [("group_next_token", token)])
        let answer = try await served.get("/api/v1/rules", fields)
        let data = try #require(try JSON.parse(Array(answer.body.utf8))["data"])
        let groups = data["groups"]?.array ?? []
        #expect(groups.count == 1)
        names += groups.map { $0["name"]?.string }
        token = data["groupNextToken"]?.string ?? ""
        if token.isEmpty { break }
      }
      #expect(names == (try await Self.groups(served)).map { $0["name"]?.string })
      #expect(names.count >= 2 && token.isEmpty)
      // A page holds the groups that the filters leave.
      let other = try await served.get(
        "/api/v1/rules", [("group_limit", "1"), ("rule_group[]", "other")])
      #expect(other.body.contains(#""name":"other""#) && !other.body.contains("groupNextToken"))
      for (fields, message) in [
        ([("group_next_token", "x")], "group_limit needs to be present"),
        ([("group_limit", "0")], "group_limit needs to be greater than 0"),
        ([("group_limit", "many")], "group_limit needs to be a valid number"),
        ([("group_limit", "1"), ("group_next_token", "x")], "were rule groups changed?"),
      ] {
        let answer = try await served.get("/api/v1/rules", fields)
        #expect(answer.status == 400 && answer.body.contains(message), "\(answer.body)")
      }
    }
  }
}
