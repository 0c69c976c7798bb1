import LifeguardCore

/// Whole turns: series that a test writes second by second, rules and verifications evaluated over
/// them, and steps that end at once.
struct TurnTimeline {
  private(set) var turn: Turn
  private(set) var outcomes: [String] = []
  private(set) var steps: [String] = []
  private(set) var closed: [String] = []
  private var now = 0.0
  private var wallShift = 0.0

  init(
    _ expression: String, verify: VerificationPolicy = VerificationPolicy(),
    steps: [Step] = [.http(HTTPAction(url: "http://x/")), .page(receiver: nil)]
  ) throws {
    let plan = Plan(
      name: "relieve", target: try Template(parsing: "process:queue"), steps: steps,
      verify: verify)
    let rule = AlertRule(
      name: "Busy", expression: try Query(parsing: expression), recovery: .plan("relieve"))
    let policy = Policy(host: "host", mode: .auto, rules: [rule], plans: ["relieve": plan])
    turn = Turn(head: Head(), monitor: Monitor(policy: policy))
    turn.setRules(inline: [rule], groups: [], interval: .seconds(1))
    take(turn.handle(.started(StartReport()), at: moment))
  }

  var moment: Moment {
    Moment(
      wall: Timestamp(seconds: 1_790_000_000 + now + wallShift),
      boottime: .milliseconds(Int64((100_000 + now) * 1000)), bootID: "boot")
  }

  /// Lets seconds pass, in each of which these series get a sample.
  mutating func pass(_ seconds: Int, _ series: [String: Double]) throws {
    for _ in 0..<seconds {
      now += 1
      for (name, value) in series {
        let reference = try turn.head.reference(for: ["__name__": name])
        do throws(HeadError) {
          try turn.head.append(reference, at: moment.wall, value)
        } catch {
          // Before the turn that notices a clock that was set back, a sample is lost.
          guard error == .outOfOrder else { throw error }
        }
      }
      take(turn.take(at: moment))
    }
  }

  /// Ends a series, as a collector does that fails.
  mutating func end(_ name: String) throws {
    let reference = try turn.head.reference(for: ["__name__": name])
    now += 0.5
    try turn.head.markStale(reference, at: moment.wall)
  }

  mutating func setClock(back seconds: Double) { wallShift -= seconds }

  private mutating func take(_ effects: [Effect]) {
    for effect in effects {
      switch effect {
      case .prepare(let request):
        take(turn.handle(.prepared(attempt: request.attempt, Preparation()), at: moment))
      case .run(let request):
        steps.append(request.step.name)
        let result = StepResult(status: .succeeded, summary: "done")
        take(turn.handle(.stepFinished(attempt: request.attempt.id, result), at: moment))
      case .record(let entry) where entry.kind == .outcome: outcomes.append(entry.code)
      case .record(let entry) where entry.kind == .closed: closed.append(entry.code)
      case .record, .collectEvidence, .probe, .announce, .notify: break
      }
    }
  }
}
