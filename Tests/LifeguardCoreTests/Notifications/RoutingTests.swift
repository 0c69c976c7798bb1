import LifeguardCore
import Testing

private func moment(_ seconds: Double) -> Moment {
  Moment(
    wall: Timestamp(seconds: 1_700_000_000 + seconds), boottime: .seconds(seconds), bootID: "b")
}

@Suite struct RouterTests {
  private func equal(_ name: String, _ value: String) throws -> Matcher {
    try Matcher(name: name, kind: .equal, value: value)
  }

  @Test func `the first route that matches decides, unless it continues`() throws {
    let critical = Route(
      matchers: [try equal("severity", "critical")], receivers: ["ops", "aws"],
      repeatInterval: .seconds(3600))
    let rest = Route(matchers: [], receivers: ["hook", "ops"], repeatInterval: .seconds(60))
    let router = Router(routes: [critical, rest])
    #expect(router.destinations(for: ["severity": "critical"]).map(\.receiver) == ["ops", "aws"])
    #expect(router.destinations(for: ["severity": "warning"]).map(\.receiver) == ["hook", "ops"])
    var continuing = critical
    continuing.continues = true
    let both = Router(routes: [continuing, rest]).destinations(for: ["severity": "critical"])
    #expect(both.map(\.receiver) == ["ops", "aws", "hook"])
    #expect(both.first?.repeatInterval == .seconds(60))
  }

  @Test func `without a route nobody is told, except the receiver of a page`() throws {
    var announcement = exampleAnnouncement(.escalated)
    #expect(Router(routes: []).destinations(for: announcement).isEmpty)
    announcement.receiver = "ops"
    #expect(Router(routes: []).destinations(for: announcement).map(\.receiver) == ["ops"])
  }

  @Test func `routes see common labels, external labels and the message's own`() {
    let labels = exampleAnnouncement().routingLabels
    #expect(labels["severity"] == "critical")
    #expect(labels["region"] == "eu-west-1")
    #expect(labels["service"] == nil)
    #expect(labels["target"] == "service:web")
    #expect(labels["kind"] == "attempt_failed")
  }
}

@Suite struct RepeatPolicyTests {
  private func verdict(
    _ announcement: Announcement, after sent: RepeatPolicy.Sent?, _ seconds: Double
  ) -> RepeatPolicy.Verdict {
    RepeatPolicy.verdict(
      for: announcement, after: sent, repeatInterval: .seconds(3600), at: moment(seconds))
  }

  @Test func `an incident is one thread: begun once, updated by news, ended once`() {
    let opened = exampleAnnouncement(.opened)
    #expect(verdict(opened, after: nil, 0) == .send(.first))
    var sent = RepeatPolicy.Sent(opened, at: moment(0))
    #expect(verdict(opened, after: sent, 60) == .suppress(.unchanged))
    var failed = exampleAnnouncement(.attemptFailed)
    failed.tried.append(AnnouncedAttempt(at: failed.at, rung: 3, step: "page", outcome: "sent"))
    #expect(verdict(failed, after: sent, 60) == .update(.news))
    sent = RepeatPolicy.Sent(failed, at: moment(60))
    let recovered = exampleAnnouncement(.recovered)
    #expect(verdict(recovered, after: sent, 61) == .update(.ended))
    sent = RepeatPolicy.Sent(recovered, at: moment(61))
    #expect(verdict(recovered, after: sent, 9000) == .suppress(.unchanged))
    #expect(verdict(exampleAnnouncement(.opened), after: sent, 62) == .update(.news))
  }

  @Test func `a reminder waits for the repeat interval`() {
    let sent = RepeatPolicy.Sent(exampleAnnouncement(.opened), at: moment(0))
    let reminder = exampleAnnouncement(.reminder)
    #expect(verdict(reminder, after: sent, 3599) == .suppress(.unchanged))
    #expect(verdict(reminder, after: sent, 3600) == .update(.repeatIntervalElapsed))
  }

  @Test func `values that tick are no news`() {
    let opened = exampleAnnouncement(.opened)
    var later = opened
    later.at = later.at + .seconds(5)
    later.alerts[0].value = 12
    later.sequence += 1
    let sent = RepeatPolicy.Sent(opened, at: moment(0))
    #expect(verdict(later, after: sent, 5) == .suppress(.unchanged))
  }

  @Test func `an acknowledged incident tells only pages and its end`() {
    let sent = RepeatPolicy.Sent(exampleAnnouncement(.opened), at: moment(0))
    var failed = exampleAnnouncement(.attemptFailed)
    failed.acknowledgedBy = "a"
    #expect(verdict(failed, after: sent, 5) == .suppress(.acknowledged))
    failed.kind = .escalated
    #expect(verdict(failed, after: sent, 5) == .update(.urgent))
    failed.kind = .recovered
    #expect(verdict(failed, after: sent, 5) == .update(.ended))
  }

  @Test func `the end of what nobody heard of is not told`() {
    var recovered = exampleAnnouncement(.recovered)
    #expect(verdict(recovered, after: nil, 0) == .send(.first))
    recovered.tried = []
    #expect(verdict(recovered, after: nil, 0) == .suppress(.neverTold))
  }
}

@Suite struct ThrottleTests {
  @Test func `what the cap holds back is counted and named in the next message`() {
    var throttle = Throttle(UsageLimit(count: 2, per: .seconds(60)))
    let news = exampleAnnouncement(.attemptFailed)
    #expect(throttle.admit(news, at: moment(0))?.suppressed == 0)
    #expect(throttle.admit(news, at: moment(1)) != nil)
    #expect(throttle.admit(news, at: moment(2)) == nil)
    #expect(throttle.admit(news, at: moment(59)) == nil)
    #expect(throttle.suppressed == 2)
    #expect(throttle.admit(news, at: moment(60))?.suppressed == 2)
    #expect(throttle.suppressed == 0)
  }

  @Test func `no window of any place holds more than the cap`() {
    var random = SeededGenerator(seed: 11)
    var throttle = Throttle(UsageLimit(count: 5, per: .seconds(30)))
    var sent: [Double] = []
    var time = 0.0
    for _ in 0..<2000 {
      time += Double.random(in: 0...6, using: &random)
      if throttle.admit(exampleAnnouncement(), at: moment(time)) != nil { sent.append(time) }
    }
    for (index, start) in sent.enumerated() {
      #expect(sent[index...].prefix { $0 < start + 29.999 }.count <= 5)
    }
  }

  @Test func `pages and ends are never held back`() {
    var throttle = Throttle(UsageLimit(count: 1, per: .seconds(60)))
    #expect(throttle.admit(exampleAnnouncement(), at: moment(0)) != nil)
    #expect(throttle.admit(exampleAnnouncement(), at: moment(1)) == nil)
    #expect(throttle.admit(exampleAnnouncement(.escalated), at: moment(2))?.suppressed == 1)
    #expect(throttle.admit(exampleAnnouncement(.recovered), at: moment(3)) != nil)
  }
}
