import LifeguardCore
import Testing

/// What others send informs people, and makes this host act only where a plan says so.
@Suite struct OriginTests {
  /// A host with one rule and a plan that answers it, turn by turn.
  private struct Host {
    var turn: Turn
    var refusals: Set<String> = []
    var actions = 0
    var announcements = 0
    private var now = 0.0

    init(
      _ expression: String, acceptsRemote: Bool = false, guards: [Guard] = Guard.standard
    ) throws {
      let plan = Plan(
        name: "relieve", target: try Template(parsing: "process:queue"),
        steps: [.http(HTTPAction(url: "http://x/")), .page(receiver: nil)],
        acceptsRemoteOrigin: acceptsRemote)
      let rule = AlertRule(
        name: "Busy", expression: try Query(parsing: expression), recovery: .plan("relieve"))
      let policy = Policy(
        host: "host", mode: .auto, rules: [rule], plans: ["relieve": plan], services: [],
        guardRails: GuardRailSettings())
      turn = Turn(head: Head(), monitor: Monitor(policy: policy, guards: guards))
      turn.setRules(inline: [rule], groups: [], interval: .seconds(1))
      take(turn.handle(.started(StartReport()), at: moment))
    }

    private var moment: Moment {
      Moment(
        wall: Timestamp(seconds: 1_790_000_000 + now),
        boottime: .milliseconds(Int64((100_000 + now) * 1000)), bootID: "boot")
    }

    /// Lets seconds pass, in each of which these series get a sample.
    mutating func pass(
      _ seconds: Int, _ series: [(Labels, SeriesOrigin, Double)],
      group: RuleGroup? = nil
    ) throws {
      for _ in 0..<seconds {
        now += 1
        for (labels, origin, value) in series {
          let reference = try turn.head.reference(for: labels, origin: origin)
          try turn.head.append(reference, at: moment.wall, value)
        }
        take(turn.take(at: moment))
      }
    }

    private mutating func take(_ effects: [Effect]) {
      for effect in effects {
        switch effect {
        case .run, .prepare: actions += 1
        case .record(let entry) where entry.kind == .refused: refusals.insert(entry.code)
        case .notify, .announce: announcements += 1
        default: break
        }
      }
    }
  }

  private let mine: Labels = ["__name__": "busy", "instance": "host"]
  private let others: Labels = ["__name__": "busy", "instance": "other"]

  @Test func `a series that is collected here is acted on`() throws {
    var host = try Host("busy > 1")
    try host.pass(10, [(mine, .local, 5)])
    #expect(host.actions > 0)
    #expect(!host.refusals.contains("remote_origin"))
  }

  @Test func `a series from elsewhere is told about and not acted on`() throws {
    var host = try Host("busy > 1")
    try host.pass(10, [(others, .remote, 5)])
    #expect(host.actions == 0)
    #expect(host.refusals.contains("remote_origin"))
    #expect(host.announcements > 0)
  }

  @Test func `it is the guard rail that holds it back`() throws {
    let without = Guard.standard.filter { $0.rail != .freshEvidence }
    var host = try Host("busy > 1", guards: without)
    try host.pass(10, [(others, .remote, 5)])
    #expect(host.actions > 0)
  }

  @Test func `a plan may accept series from elsewhere`() throws {
    var host = try Host("busy > 1", acceptsRemote: true)
    try host.pass(10, [(others, .remote, 5)])
    #expect(host.actions > 0)
  }

  @Test func `each element has an origin of its own`() throws {
    var host = try Host("busy > 1")
    try host.pass(10, [(others, .remote, 5), (mine, .local, 0)])
    #expect(host.actions == 0)
    var second = try Host("busy > 1")
    try second.pass(10, [(others, .remote, 0), (mine, .local, 5)])
    #expect(second.actions > 0)
  }

  /// Every way by which a foreign sample can reach a value.
  @Test(arguments: [
    "avg(busy) > 1", "sum without (instance) (busy) > 1", "max_over_time(busy[5s]) > 1",
    "local + on() group_left sum(busy) > 1", "local > on() (busy - 4)", "local and on() busy > 1",
    "local unless on() (busy < 2)", "scalar(busy) > bool 1", "vector(scalar(busy)) > 1",
    "label_replace(busy, \"instance\", \"host\", \"\", \"\") > 1", "topk(1, busy) > 1",
    "quantile(0.5, busy) > 1", "absent(busy{instance=\"third\"} or busy > 100)",
    "clamp_min(local, scalar(busy)) > 1", "avg_over_time((busy + 0)[5s:1s]) > 1",
    "histogram_quantile(0.5, label_replace(busy, \"le\", \"+Inf\", \"\", \"\")) < 1 or busy > 1",
    "count_values(\"v\", busy) > 0", "timestamp(busy) > 1", "-busy < 0",
    "local * busy > bool 1"
      + " or busy > 1",
  ])
  func `a calculation with a foreign sample in it is foreign`(_ expression: String) throws {
    var host = try Host(expression)
    let local: Labels = ["__name__": "local", "job": "node"]
    try host.pass(12, [(others, .remote, 5), (local, .local, 3)])
    #expect(host.actions == 0, "\(expression)")
    #expect(host.refusals.contains("remote_origin"), "\(expression)")
  }

  @Test func `a recorded series is foreign once a foreign sample went into it`() throws {
    var host = try Host("level > 1")
    host.turn.setRules(
      inline: [
        AlertRule(
          name: "Busy", expression: try Query(parsing: "level > 1"), recovery: .plan("relieve"))
      ],
      groups: [
        RuleGroup(
          name: "g", interval: .seconds(1),
          rules: [
            .recording(
              RecordingRule(name: "level", expression: try Query(parsing: "sum(busy)"), labels: [:])
            )
          ])
      ], interval: .seconds(1))
    try host.pass(12, [(others, .remote, 5), (mine, .local, 1)])
    #expect(host.actions == 0)
    #expect(host.refusals.contains("remote_origin"))
  }

  @Test func `nobody can write into a series that is collected here`() throws {
    var head = Head()
    let reference = try head.reference(for: mine)
    try head.append(reference, at: Timestamp(seconds: 1), 1)
    #expect(throws: HeadError.collectedHere) { try head.reference(for: mine, origin: .remote) }
  }

  @Test func `a series of ours begins anew where somebody else's was`() throws {
    var head = Head()
    let foreign = try head.reference(for: mine, origin: .remote)
    try head.append(foreign, at: Timestamp(seconds: 1), 99)
    #expect(head.isRemote(foreign) && head.remoteSeriesCount == 1)
    let own = try head.reference(for: mine)
    #expect(!head.isRemote(own) && head.remoteSeriesCount == 0)
    #expect(
      head.lastSample(
        of: own, after: Timestamp(seconds: 0), through: Timestamp(seconds: 10)) == nil)
    #expect(throws: HeadError.unknownSeries) {
      try head.append(foreign, at: Timestamp(seconds: 2), 99)
    }
  }
}
