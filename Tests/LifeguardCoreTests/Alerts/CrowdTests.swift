import LifeguardCore
import Testing

/// A rule whose labels explode must silence nothing but itself.
@Suite struct CrowdTests {
  private func moment(_ second: Int) -> Moment {
    Moment(
      wall: Timestamp(seconds: 1_790_000_000 + Double(second)), boottime: .seconds(second),
      bootID: "a")
  }

  private func evaluation(_ rule: String, _ count: Int, at moment: Moment) -> Evaluation {
    let elements = (0..<count).map {
      Evaluation.Element(
        labels: ["pod": "\($0)"], value: 1, verdict: .breached, newestInput: moment.wall)
    }
    return Evaluation(rule: rule, elements: elements, newestInput: moment.wall)
  }

  private func fold(_ tracker: inout AlertTracker, _ rule: String, _ count: Int) -> Int {
    tracker.fold(
      evaluation(rule, count, at: moment(0)), rule: AlertBehaviour(rule: rule), at: moment(0)
    ) { $0.labels }.count
  }

  @Test func `one rule takes half of the room at most, and each other one finds some`() {
    var tracker = AlertTracker()
    #expect(fold(&tracker, "inline/a", 1000) == 150)
    #expect(tracker.crowded == ["inline/a": 850] && tracker.refused == 850)
    #expect(fold(&tracker, "inline/b", 1000) == 150)
    #expect(fold(&tracker, "inline/c", 10) == AlertTracker.alertsOfRuleMin)
    #expect(fold(&tracker, "inline/d", 1) == 1)
  }

  @Test func `services and problems of its own always find room`() {
    var tracker = AlertTracker()
    for rule in ["inline/a", "inline/b", "inline/c"] { _ = fold(&tracker, rule, 1000) }
    #expect(fold(&tracker, "service/web", 1) == 1)
    #expect(fold(&tracker, "lifeguard/LifeguardCollectorStuck", 5) == 5)
  }

  @Test func `room that is given back can be used again, also after a restart`() throws {
    var tracker = AlertTracker()
    _ = fold(&tracker, "inline/a", 1000)
    _ = fold(&tracker, "inline/b", 1000)
    tracker = try JSONCoder.decode(from: try JSONCoder.encode(tracker))
    #expect(fold(&tracker, "inline/c", 50) == AlertTracker.alertsOfRuleMin)
    _ = tracker.removeRule("inline/a")
    #expect(fold(&tracker, "inline/c", 50) == 50 - AlertTracker.alertsOfRuleMin)
    #expect(tracker.crowded["inline/a"] == nil)
  }

  @Test func `while a rule floods it, a dead service is still started, and the flood is told`()
    throws
  {
    let noisy = AlertRule(name: "Noisy", expression: try Query(parsing: "pods > 1"))
    let other = AlertRule(name: "Other", expression: try Query(parsing: "more > 1"))
    var host = try Timeline(services: [.child("web")], rules: [noisy, other])
    host.cures = ["start"]
    host.pass(2)
    for _ in 0..<5 {
      host.send(.evaluated(evaluation(noisy.id, 400, at: host.moment)))
      host.send(.evaluated(evaluation(other.id, 400, at: host.moment)))
      host.pass(1)
    }
    host.dies("web")
    #expect(host.stepNames == ["start"])
    let told = host.announcements.filter { $0.title == "LifeguardAlertsFull" }
    #expect(told.count == 1, "both rules belong to one incident")
    #expect(told.first?.whatHappened.hasPrefix("250 breached label sets of Noisy") == true)
    for _ in 0..<310 {
      for rule in [noisy, other] {
        host.send(.evaluated(evaluation(rule.id, 1, at: host.moment)))
      }
      host.pass(1)
    }
    let ended = host.announcements.last { $0.title == "LifeguardAlertsFull" }
    #expect(ended?.kind == .recovered)
  }

  @Test func `the flood of a rule that is gone is over`() throws {
    let noisy = AlertRule(name: "Noisy", expression: try Query(parsing: "pods > 1"))
    var host = try Timeline(services: [], rules: [noisy])
    host.send(.evaluated(evaluation(noisy.id, 400, at: host.moment)))
    #expect(host.monitor.state.tracker.alerts.count == 151)
    var policy = host.monitor.policy
    policy.rules = [:]
    host.replacePolicy(policy)
    #expect(host.monitor.state.tracker.alerts.isEmpty)
  }
}
