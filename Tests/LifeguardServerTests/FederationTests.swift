import LifeguardAgent
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardServer

@Suite struct FederationTests {
  static let configuration = """
    default_rules: false
    external_labels: {region: eu}
    rules:
      - record: load:sum
        expr: sum(node_load1)
    """

  @Test func `the newest samples are federated with their times and external labels`()
    async throws
  {
    try await ServedAgent.with(Self.configuration) { served in
      #expect(await served.isSampled())
      #expect(
        await eventually {
          try await served.ask("/federate?match[]=load:sum").body.contains("load:sum{")
        })
      let answer = try await served.ask("/federate?match[]=node_load1&match[]=load:sum")
      #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
      let lines = answer.body.split(separator: "\n").map(String.init)
      #expect(lines[0] == "# TYPE load:sum untyped")
      // What was aggregated has no instance, and says so.
      #expect(lines[1].hasPrefix(#"load:sum{instance="",region="eu"} "#), "\(lines[1])")
      #expect(lines[2] == "# TYPE node_load1 untyped")
      #expect(lines[3].contains(#"job="node""#) && lines[3].contains(#"region="eu""#))
      let now = await served.agent.now().wall
      let time = try #require(Int64(lines[3].split(separator: " ").last ?? ""))
      #expect((now.milliseconds - 60_000...now.milliseconds).contains(time))
    }
  }

  @Test func `a federation comes as OpenMetrics to who asks for that`() async throws {
    try await ServedAgent.with { served in
      #expect(await served.isSampled())
      let accept = ["Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"]
      let answer = try await served.ask(
        "GET", "/federate?match[]=node_load1", headers: accept)
      #expect(answer.headers["content-type"]?.hasPrefix("application/openmetrics-text") == true)
      #expect(answer.body.hasPrefix("# TYPE node_load1 unknown\n"))
      #expect(answer.body.hasSuffix("\n# EOF\n"))
      #expect(try await served.ask("/federate").body == "")
      #expect(try await served.ask("/federate?match[]=sum(").status == 400)
      #expect(try await served.ask("/federate?match[]=nothing_of_this_name").body == "")
    }
  }

  @Test func `names beyond words are quoted for a Prometheus that takes them`() async throws {
    let rules = """
      default_rules: false
      rules:
        - record: wide:one
          expr: label_replace(vector(1), "http.status", "200", "", "")
      """
    try await ServedAgent.with(rules) { served in
      #expect(
        await eventually {
          try await served.ask("/federate?match[]=wide:one").body.contains("wide:one{")
        })
      let plain = try await served.ask("/federate?match[]=wide:one")
      #expect(plain.body.contains(#"http_status="200""#), "\(plain.body)")
      let accept = [
        "Accept": "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
          + "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.9"
      ]
      let wide = try await served.ask("GET", "/federate?match[]=wide:one", headers: accept)
      #expect(wide.headers["content-type"]?.contains("escaping=allow-utf-8") == true)
      #expect(wide.body.contains(#""http.status"="200""#), "\(wide.body)")
      for name in ["http.status", "U__http_2e_status"] {
        #expect(try await served.data("/api/v1/label/\(name)/values") == ["200"])
      }
    }
  }
}
