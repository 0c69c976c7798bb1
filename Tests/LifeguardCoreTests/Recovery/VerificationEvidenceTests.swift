import LifeguardCore
import Testing

/// What proves that a step has helped, and what proves that it has not: samples, never their
/// absence.
@Suite struct VerificationEvidenceTests {
  private let rule = "avail < 10 and on () readonly == 0"

  @Test func `a symptom whose series ended is not verified as gone`() throws {
    var host = try TurnTimeline(rule)
    try host.pass(5, ["avail": 1, "readonly": 0])
    #expect(host.steps == ["http"])
    try host.end("avail")
    try host.pass(110, ["readonly": 0])
    #expect(host.outcomes.isEmpty && host.closed.isEmpty)
    try host.pass(60, ["readonly": 0])
    #expect(host.outcomes == ["inconclusive"])
    #expect(host.closed.isEmpty, "nothing shows that it is over")
  }

  @Test func `with its series it is`() throws {
    var host = try TurnTimeline(rule)
    try host.pass(5, ["avail": 1, "readonly": 0])
    try host.pass(60, ["avail": 50, "readonly": 0])
    #expect(host.outcomes == ["recovered"])
    #expect(host.closed == ["recovered"])
  }

  private func verify(_ expression: String) throws -> VerificationPolicy {
    VerificationPolicy(expression: try Query(parsing: expression))
  }

  @Test func `a condition that returns nothing for want of samples is no failure`() throws {
    var host = try TurnTimeline(
      "busy > 1", verify: try verify("busy <= 1 and on () answers == 1"))
    try host.pass(5, ["busy": 5, "answers": 1])
    try host.end("answers")
    try host.pass(170, ["busy": 0])
    #expect(host.outcomes == ["inconclusive"])
  }

  @Test func `one sample does not stand for twenty seconds`() throws {
    var host = try TurnTimeline("busy > 1", verify: try verify("answers == 1"))
    try host.pass(12, ["busy": 5, "answers": 1])
    try host.pass(100, ["busy": 5])
    #expect(host.outcomes.isEmpty, "it cannot have recovered on old answers")
    try host.pass(60, ["busy": 5])
    #expect(host.outcomes == ["inconclusive"])
  }

  @Test func `a condition that holds on fresh samples is a recovery, and its contrary a failure`()
    throws
  {
    var host = try TurnTimeline("busy > 1", verify: try verify("answers == 1"))
    try host.pass(60, ["busy": 5, "answers": 1])
    #expect(host.outcomes == ["recovered"])
    host = try TurnTimeline("busy > 1", verify: try verify("answers == 1"))
    try host.pass(130, ["busy": 5, "answers": 0])
    #expect(host.outcomes == ["not_recovered"])
  }

  @Test func `after the clock was set back only what is collected then counts`() throws {
    var host = try TurnTimeline("busy > 1")
    // Ten minutes that come again by the clock.
    try host.pass(600, ["busy": 0])
    host.setClock(back: 600)
    try host.pass(40, ["busy": 5])
    #expect(host.steps == ["http"])
    try host.pass(60, ["busy": 5])
    #expect(host.outcomes.isEmpty, "the samples of before prove nothing")
  }
}
