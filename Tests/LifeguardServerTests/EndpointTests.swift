import Glibc
import LifeguardAgent
import LifeguardCore
import TestSupport
import Testing

@testable import LifeguardServer

@Suite struct EndpointTests {
  static let alarm = """
    mode: observe
    default_rules: false
    rules:
      - alert: AlwaysOn
        expr: vector(7)
        labels: {severity: warning}
        annotations: {summary: '<b>bold</b> & "quoted"'}
    """

  @Test func `metrics come as Prometheus text and as OpenMetrics`() async throws {
    try await ServedAgent.with { served in
      #expect(await served.isSampled())
      let plain = try await served.ask("GET", "/metrics", withToken: false)
      #expect(plain.headers["content-type"]?.hasPrefix("text/plain") == true)
      #expect(plain.body.contains("\nnode_load1 "))
      #expect(plain.body.contains("# TYPE lifeguard_turns_total counter"))
      let accept = ["Accept": "application/openmetrics-text;version=1.0.0"]
      let open = try await served.ask("GET", "/metrics", headers: accept, withToken: false)
      #expect(open.headers["content-type"]?.hasPrefix("application/openmetrics-text") == true)
      #expect(open.body.hasSuffix("# EOF\n"))
    }
  }

  @Test func `an alert is seen by every question about it`() async throws {
    try await ServedAgent.with(Self.alarm) { served in
      #expect(
        await eventually { try await served.data("/api/v1/incidents").array?.isEmpty == false })
      let status = try JSONCoder.decode(
        StatusView.self, from: try await served.data("/api/v1/status"))
      #expect(status.incidents.map(\.title) == ["AlwaysOn"])
      #expect(status.incidents.first?.next != nil)
      #expect(status.listening == "127.0.0.1:\(served.port)")

      let alert = try #require(try await served.data("/api/v1/alerts")["alerts"]?[0])
      #expect(alert["labels"]?["alertname"]?.string == "AlwaysOn")
      #expect(alert["state"]?.string == "firing")
      #expect(alert["value"]?.string == "7e+00")
      #expect(Timestamp(alert["activeAt"]?.string ?? "") != nil)

      let detail = try JSONCoder.decode(
        IncidentDetail.self, from: try await served.data("/api/v1/incidents/1"))
      #expect(detail.timeline.contains { $0.kind == "opened" })
      let why = try await served.data("/api/v1/why?subject=AlwaysOn")
      #expect(why[0]?["incident"]?["id"]?.integer == 1)
      #expect(try await served.data("/api/v1/why?subject=nothing").array?.isEmpty == true)
      let rule = try await served.data("/api/v1/explain?rule=AlwaysOn")
      #expect(rule["expression"]?.string == "vector(7)")
      #expect(await served.isSampled())
      let result = try await served.data("/api/v1/query?query=node_load1%20%3E%3D%200")
      #expect(result["resultType"]?.string == "vector")
      #expect(result["result"]?[0]?["metric"]?["__name__"]?.string == "node_load1")
    }
  }

  @Test func `pages escape what they show and need no script`() async throws {
    try await ServedAgent.with(Self.alarm) { served in
      #expect(
        await eventually { try await served.data("/api/v1/incidents").array?.isEmpty == false })
      let page = try await served.ask("/")
      #expect(page.headers["content-type"] == "text/html; charset=utf-8")
      #expect(page.body.contains("&lt;b&gt;bold&lt;/b&gt; &amp; &quot;quoted&quot;"))
      #expect(!page.body.contains("<b>bold</b>"))
      #expect(page.body.contains("href=\"/incidents/1\""))
      #expect(!page.body.contains("onclick") && !page.body.contains("style=\""))
      let incident = try await served.ask("/incidents/1")
      #expect(incident.status == 200 && incident.body.contains("AlwaysOn"))
      #expect(try await served.ask("/incidents/9").status == 404)
    }
  }

  @Test func `commands are obeyed and bad ones explained`() async throws {
    try await ServedAgent.with(Self.alarm) { served in
      #expect(
        await eventually { try await served.data("/api/v1/incidents").array?.isEmpty == false })
      #expect(try await served.command("freeze", #"{"reason":"tests"}"#).status == 200)
      let frozen = try await served.data("/api/v1/status")["frozen"]?.string
      #expect(frozen == "frozen by token: tests")
      #expect(try await served.command("thaw", "").status == 200)
      #expect(try await served.data("/api/v1/status")["frozen"]?.string == nil)

      let silence = #"{"matchers":["alertname=\"AlwaysOn\""],"for":"1h","comment":"c"}"#
      #expect(try await served.command("silence", silence).status == 200)
      let known = try await served.data("/api/v1/status")["silences"]?[0]
      #expect(known?["matchers"]?[0]?.string == #"alertname="AlwaysOn""#)
      #expect(try await served.command("unsilence", #"{"id":1}"#).status == 200)
      #expect(try await served.command("ack", #"{"incident":1}"#).status == 200)
      #expect(
        try await served.data("/api/v1/incidents/1")["incident"]?["acknowledgedBy"] == "token")

      for (name, body, status) in [
        ("silence", #"{"matchers":["x"],"for":"1h"}"#, 400), ("silence", #"{"for":"1h"}"#, 422),
        ("silence", #"{"matchers":["a=b"],"for":"soon"}"#, 400), ("silence", "[]", 400),
        ("silence", #"{"matchers":["a=~\"(\""],"for":"1h"}"#, 400), ("ack", "{}", 400),
        ("ack", "{", 400), ("approve", #"{"id":1}"#, 422), ("unsilence", "{}", 400),
      ] {
        let answer = try await served.command(name, body)
        #expect(answer.status == status, "\(name) \(body): \(answer.body)")
        #expect(try JSON.parse(Array(answer.body.utf8))["status"] == "error")
      }
    }
  }

  @Test func `a form of the page acts and comes back to the page`() async throws {
    try await ServedAgent.with { served in
      let form = ["Content-Type": "application/x-www-form-urlencoded"]
      let answer = try await served.ask(
        "POST", "/api/v1/freeze", headers: form, body: "reason=two+words%21")
      #expect(answer.status == 303 && answer.headers["location"] == "/")
      #expect(await served.agent.status(listening: "").frozen == "frozen by token: two words!")
    }
  }

  @Test func `a reload with errors keeps the last good configuration and lists them`()
    async throws
  {
    try await ServedAgent.with { served in
      #expect(try await served.ask("POST", "/-/reload").status == 200)
      try TextFile.write("mode: sometimes\nintervall: 1s\n", to: served.folder / "lifeguard.yaml")
      let answer = try await served.ask("POST", "/-/reload")
      #expect(answer.status == 500)
      #expect(answer.body.contains("lifeguard.yaml:1:") && answer.body.contains("intervall"))
      let status = try await served.data("/api/v1/status")
      #expect(status["mode"] == "auto")
      #expect(status["configurationProblems"]?.array?.count == 2)
    }
  }

  @Test func `an agent whose thread hangs is not healthy, and says so`() async throws {
    try await ServedAgent.with { (served: ServedAgent) async throws -> Void in
      #expect(try await served.ask("/-/healthy").status == 200)
      var pipes: [Int32] = [-1, -1]
      #expect(pipe(&pipes) == 0)
      let (reading, writing) = (pipes[0], pipes[1])
      async let hang: Void = served.agent.hang(on: reading)
      #expect(
        await eventually(within: .seconds(40), every: .milliseconds(200)) {
          try await served.ask("/-/healthy").status == 503
        })
      #expect(try await served.ask("/-/ready").status == 200)
      close(writing)
      await hang
      close(reading)
      #expect(await eventually { try await served.ask("/-/healthy").status == 200 })
    }
  }

  @Test func `methods and places that do not exist are named as such`() async throws {
    try await ServedAgent.with { served in
      let wrong = try await served.ask("POST", "/metrics")
      #expect(wrong.status == 405 && wrong.headers["allow"] == "GET, HEAD")
      #expect(try await served.ask("GET", "/api/v1/freeze").status == 405)
      #expect(try await served.ask("DELETE", "/").status == 405)
      #expect(try await served.ask("/api/v1/nothing").status == 404)
      #expect(try await served.ask("/etc/passwd").status == 404)
      #expect(try await served.ask("/../../etc/passwd").status == 404)
      #expect(try await served.ask("/api/v1/incidents/99999999999999999999").status == 404)
      let head = try await served.ask("HEAD", "/-/healthy")
      #expect(head.status == 200 && head.body.isEmpty)
      for query in ["", "?subject="] {
        #expect(try await served.ask("/api/v1/why\(query)").status == 400)
      }
      #expect(try await served.ask("/api/v1/query?query=sum(").status == 400)
      #expect(try await served.ask("/api/v1/incidents?limit=0").status == 400)
    }
  }

  @Test func `events arrive while they happen, and listeners are bounded`() async throws {
    try await ServedAgent.with { served in
      let head =
        "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(served.token)\r\n\r\n"
      var listeners: [RawConnection] = []
      for _ in 0..<EventStream.listenersMax {
        let listener = try RawConnection(port: served.port)
        await listener.send(head)
        #expect(await listener.receive(until: ": lifeguard").contains("text/event-stream"))
        listeners.append(listener)
      }
      #expect(try await served.ask("/api/v1/events").status == 503)
      #expect(try await served.command("freeze", #"{"reason":"heard"}"#).status == 200)
      for listener in listeners {
        let text = await listener.receive(until: "\n\n")
        #expect(text.contains("event: entry") && text.contains("heard"))
      }
      listeners.removeAll()
      // A place is free again once the end of a listener was noticed, at the latest with an event.
      #expect(
        await eventually {
          _ = try await served.command("thaw", "{}")
          _ = try await served.command("freeze", "{}")
          let listener = try RawConnection(port: served.port)
          await listener.send(head)
          return await listener.receive(until: "\r\n\r\n").contains("200 OK")
        })
    }
  }
}

extension Agent {
  /// Keeps the agent's thread from everything else until the other end of a pipe is closed.
  fileprivate func hang(on descriptor: Int32) {
    var byte: UInt8 = 0
    _ = read(descriptor, &byte, 1)
  }
}
