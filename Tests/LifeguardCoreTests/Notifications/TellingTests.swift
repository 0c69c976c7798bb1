import LifeguardCore
import Testing

/// Who is told what of an incident, as the monitor decides it.
@Suite struct TellingTests {
  private func route(_ matchers: [(String, String)], to receiver: String, repeats: Double? = nil)
    throws -> Route
  {
    Route(
      matchers: try matchers.map { try Matcher(name: $0.0, kind: .equal, value: $0.1) },
      receivers: [receiver], repeatInterval: repeats.map { .seconds($0) })
  }

  private func rule(_ name: String, _ severity: String) throws -> AlertRule {
    AlertRule(
      name: name, expression: try Query(parsing: "\(name.lowercased()) > 80"),
      labels: [
        "severity": try Template(parsing: severity), "service": try Template(parsing: "web"),
      ],
      annotations: ["summary": try Template(parsing: "at {{ $value }} %")], recovery: .some(.none))
  }

  /// A service with two rules about it, that nobody acts on.
  private func host(_ routes: [Route]) throws -> Timeline {
    var host = try Timeline(
      services: [.unit("web")],
      rules: [try rule("Slow", "warning"), try rule("Broken", "critical")],
      routes: routes)
    host.breached["inline/Slow"] = false
    host.breached["inline/Broken"] = false
    host.pass(5)
    return host
  }

  @Test func `an incident that becomes critical calls those who are called for that`() throws {
    var host = try host([
      try route([("severity", "critical")], to: "pager"), try route([], to: "chat"),
    ])
    host.breached["inline/Slow"] = true
    host.pass(2)
    #expect(host.notices.map(\.receiver) == ["chat"])
    host.breached["inline/Broken"] = true
    host.pass(1)
    #expect(host.openIncidents == 1)
    #expect(host.notices.map(\.receiver) == ["chat", "pager"])
    let rise = try #require(host.notices.last?.announcement)
    #expect(rise.severity == "critical")
    #expect(rise.whatHappened == "now critical, was warning: at 95 %")
    // Another alert of no more weight is no news.
    host.breached["inline/Slow"] = false
    host.pass(5)
    host.breached["inline/Slow"] = true
    host.pass(5)
    #expect(host.notices.count == 2)
  }

  @Test func `the end is told to all who were told of it, whatever it became`() throws {
    var host = try host([
      try route([("severity", "critical")], to: "pager"), try route([], to: "chat"),
    ])
    host.breached["inline/Slow"] = true
    host.pass(2)
    host.breached["inline/Broken"] = true
    host.pass(2)
    host.breached["inline/Slow"] = false
    host.breached["inline/Broken"] = false
    host.pass(2)
    let ends = host.notices.filter { $0.announcement.kind == .recovered }
    #expect(Set(ends.map(\.receiver)) == ["pager", "chat"])
  }

  @Test func `the last message says what it was about`() throws {
    var host = try host([try route([], to: "chat")])
    host.pass(20)
    host.breached["inline/Slow"] = true
    host.pass(3)
    host.breached["inline/Broken"] = true
    host.pass(10)
    let opened = try #require(host.announcements.first)
    host.breached["inline/Slow"] = false
    host.pass(5)
    try host.restartAgent()
    host.breached["inline/Broken"] = false
    host.pass(5)
    let end = try #require(host.announcements.last)
    #expect(end.kind == .recovered)
    #expect(end.alerts.map(\.name) == ["Slow", "Broken"])
    let slow = try #require(end.alerts.first)
    #expect(slow.value == 95 && slow.condition == "slow > 80")
    #expect(slow.annotations == ["summary": "at 95 %"])
    #expect(slow.labels == opened.alerts.first?.labels)
    #expect(slow.startsAt == opened.alerts.first?.startsAt)
    let broken = try #require(end.alerts.last)
    #expect(broken.startsAt == slow.startsAt + .seconds(3))
    let times = end.alerts.compactMap(\.endsAt)
    #expect(times.count == 2 && times[0] < times[1])
    #expect(host.monitor.state.incidents[1]?.ended == nil, "nothing is kept of it")
  }

  @Test func `what is kept of alerts that ended has a limit`() throws {
    let long = String(repeating: "x", count: 2000)
    let rules = try (0..<20).map { number in
      AlertRule(
        name: "R\(number)", expression: try Query(parsing: "r > 1"),
        labels: ["service": try Template(parsing: "web")],
        annotations: ["summary": try Template(parsing: long)], recovery: .some(.none))
    }
    var host = try Timeline(services: [.unit("web")], rules: rules)
    for rule in rules { host.breached[rule.id] = true }
    host.pass(2)
    let first = host.monitor.state.incidents[1]?.openingAlert
    for rule in rules.dropLast() { host.breached[rule.id] = false }
    host.pass(2)
    let ended = try #require(host.monitor.state.incidents[1]?.ended)
    #expect(ended.count == 5)
    #expect(ended.first?.labels == first?.labels, "the one that gave it its name stays")
    #expect(ended.allSatisfy { $0.annotations["summary"]?.count == 300 })
  }

  @Test(arguments: ["host", "target", "severity", "kind", "region"])
  func `reminders come as often as the route says that they go to`(_ label: String) throws {
    let value = [
      "host": "host", "target": "unit:web.service", "severity": "warning", "kind": "reminder",
      "region": "eu",
    ]
    var host = try host([
      try route([(label, try #require(value[label]))], to: "often", repeats: 60),
      try route([], to: "seldom", repeats: 36_000),
    ])
    var policy = host.monitor.policy
    policy.externalLabels = ["region": "eu"]
    host.replacePolicy(policy)
    host.breached["inline/Slow"] = true
    host.pass(200)
    let reminders = host.notices.filter { $0.announcement.kind == .reminder }
    #expect(reminders.count == 3)
    #expect(reminders.allSatisfy { $0.receiver == "often" })
  }
}
