import LifeguardCore

/// A few services and metrics, told second by second: every second they are looked at, every step
/// ends after 100 ms, and what helps is what the test says.
struct Timeline {
  private(set) var monitor: Monitor
  private(set) var now = 0.0
  /// How every service looks, and how its probe is answered.
  var conditions: [String: ServiceCondition] = [:]
  var answers: [String: ProbeResult.Outcome] = [:]
  /// Rules that have data: whether they are breached.
  var breached: [String: Bool] = [:]
  /// Steps that bring a service back, or end a breach.
  var cures: Set<String> = []
  var stepStatus = StepResult.Status.succeeded
  /// What is found before an action.
  var preparation = Preparation()
  /// Steps whose end is never heard of.
  var isSilent = false
  var facts = HostFacts()
  private(set) var steps: [(at: Double, step: String, target: String, attempt: String)] = []
  private(set) var records: [TimelineEntry] = []
  private(set) var announcements: [Announcement] = []
  private(set) var notices: [(receiver: String, announcement: Announcement)] = []
  private var queue: [(at: Double, event: Event)] = []
  private var wallShift = 0.0
  private var pid: Int32 = 100
  private var bootedAt = -100_000.0

  init(
    services: [Service], rules: [AlertRule] = [], plans: [Plan] = [], mode: Mode = .auto,
    bootedAt: Double = -100_000, settings: GuardRailSettings = GuardRailSettings(),
    routes: [Route] = []
  ) throws {
    self.bootedAt = bootedAt
    var all = Dictionary(plans.map { ($0.name, $0) }) { _, last in last }
    for service in services where all["service:\(service.name)"] == nil {
      all["service:\(service.name)"] = Plan(
        name: "service:\(service.name)", target: try Template(parsing: "service:\(service.name)"),
        steps: [.start, .nudge, .restart, .stopCleanStart, .page(receiver: nil)])
    }
    monitor = Monitor(
      policy: Policy(
        host: "host", mode: mode, rules: rules, plans: all, services: services, routes: routes,
        receivers: Dictionary(
          routes.flatMap(\.receivers).map { ($0, Receiver(name: $0, channels: [.log])) }
        ) { first, _ in first }, guardRails: settings))
    for service in services {
      conditions[service.name] = running
      if service.probe != nil { answers[service.name] = .success }
    }
    send(.started(StartReport()))
  }

  var moment: Moment {
    Moment(
      wall: Timestamp(seconds: 1_790_000_000 + now + wallShift),
      boottime: .milliseconds(Int64((now - bootedAt) * 1000)), bootID: "boot")
  }

  /// The name of every step that was started, in order.
  var stepNames: [String] { steps.map(\.step) }
  var codes: [String] { records.map(\.code) }
  var outcomes: [String] { records.filter { $0.kind == .outcome }.map(\.code) }
  var pages: Int { announcements.count { $0.kind == .escalated } }
  var openIncidents: Int { monitor.state.openIncidents.count }

  private var running: ServiceCondition {
    .running(ProcessIdentity(pid: pid, startTicks: UInt64(pid)))
  }

  mutating func dies(_ service: String) {
    conditions[service] = .dead("exited with 1")
    if case .dead(let how) = conditions[service] {
      send(.observed(ServiceObservation(service: service, condition: .dead(how))))
    }
  }

  mutating func comesUp(_ service: String) {
    pid += 1
    conditions[service] = running
    if answers[service] != nil { answers[service] = .success }
    send(.observed(ServiceObservation(service: service, condition: running)))
  }

  /// Lets seconds pass, looking at everything once in each.
  mutating func pass(_ seconds: Double) {
    let end = now + seconds
    while now < end {
      let next = min(now.rounded(.down) + 1, end)
      while let first = queue.indices.min(by: { queue[$0].at < queue[$1].at }),
        queue[first].at <= next
      {
        let (at, event) = queue.remove(at: first)
        now = max(now, at)
        settle(event)
        send(event)
      }
      now = next
      look()
    }
  }

  private mutating func look() {
    send(.host(facts))
    for (service, condition) in conditions.sorted(by: { $0.key < $1.key }) {
      send(.observed(ServiceObservation(service: service, condition: condition)))
      guard case .running = condition, let answer = answers[service] else { continue }
      send(
        .probed(
          ProbeResult(
            service: service, outcome: answer, started: moment, duration: .milliseconds(5),
            cpuTicksUsed: 0)))
    }
    for (rule, isBreached) in breached.sorted(by: { $0.key < $1.key }) {
      send(.evaluated(evaluation(rule, isBreached)))
    }
    for query in monitor.verificationQueries where moment.wall > query.after {
      let rule = monitor.state.openIncidents.first { $0.ladder?.current?.id == query.attempt }
      guard let isBreached = rule?.ladder.flatMap({ breached[$0.alert.rule] }) else { continue }
      send(.verified(attempt: query.attempt, isBreached ? .breached : .healthy))
    }
    send(.tick)
  }

  func evaluation(_ rule: String, _ isBreached: Bool, age: Double = 0) -> Evaluation {
    let input = Timestamp(seconds: moment.wall.seconds - age)
    let element = Evaluation.Element(
      labels: [:], value: 95, verdict: .breached, newestInput: input)
    return Evaluation(rule: rule, elements: isBreached ? [element] : [], newestInput: input)
  }

  /// What the end of a step changes.
  private mutating func settle(_ event: Event) {
    guard case .stepFinished(let attempt, _) = event,
      let step = steps.last(where: { $0.attempt == attempt }), cures.contains(step.step)
    else { return }
    let name = String(step.target.split(separator: ":").last?.split(separator: ".").first ?? "")
    if conditions[name] != nil {
      pid += 1
      conditions[name] = running
      if answers[name] != nil { answers[name] = .success }
    }
    for rule in breached.keys { breached[rule] = false }
  }

  mutating func send(_ event: Event) {
    for effect in monitor.handle(event, at: moment) {
      switch effect {
      case .prepare(let request):
        queue.append((now + 0.05, .prepared(attempt: request.attempt, preparation)))
      case .run(let request):
        steps.append(
          (now, request.step.name, request.attempt.target.description, request.attempt.id))
        if !isSilent {
          queue.append(
            (
              now + 0.1,
              .stepFinished(
                attempt: request.attempt.id, StepResult(status: stepStatus, summary: "exited"))
            ))
        }
      case .record(let entry): records.append(entry)
      case .announce(let announcement): announcements.append(announcement)
      case .notify(let announcement, let receiver): notices.append((receiver, announcement))
      case .collectEvidence, .probe: break
      }
    }
  }

  /// `kill -9` and a start with what a store has kept.
  mutating func restartAgent(stateWasLost: Bool = false) throws {
    let kept: MonitorState = try JSONCoder.decode(from: try JSONCoder.encode(monitor.state))
    monitor = Monitor(policy: monitor.policy, state: stateWasLost ? MonitorState() : kept)
    queue = []
    send(.started(StartReport(stateWasLost: stateWasLost, reason: stateWasLost ? "corrupt" : "")))
  }

  mutating func replacePolicy(_ policy: Policy) {
    for case .record(let entry) in monitor.replacePolicy(policy, at: moment) {
      records.append(entry)
    }
  }

  mutating func setClock(back seconds: Double) { wallShift -= seconds }
}

extension Service {
  /// A child of Lifeguard's own.
  static func child(_ name: String, dependsOn: [String] = []) -> Service {
    Service(
      name: name, handle: .command(Command(arguments: ["/bin/\(name)"])), dependsOn: dependsOn)
  }

  static func unit(
    _ name: String, probed: Bool = false, configTest: [String]? = nil, dependsOn: [String] = []
  ) -> Service {
    Service(
      name: name, handle: .unit("\(name).service"),
      probe: probed ? Probe(kind: .tcp(host: "127.0.0.1", port: 80)) : nil,
      configTest: configTest, dependsOn: dependsOn)
  }
}
