import LifeguardConfiguration
import LifeguardCore
import LifeguardHost
import LifeguardStore

/// What takes time: steps, evidence, probes. It runs beside the agent and reports back.
extension Agent {
  /// Runs until the task is cancelled.
  ///
  /// - Parameter ticks: the collectors' batches, one element a turn.
  public nonisolated func run(ticks: AsyncStream<[CollectedBatch]>) async {
    let (reports, reporting) = AsyncStream.makeStream(of: HandsReport.self)
    let children = await begin()
    await withDiscardingTaskGroup { group in
      group.addTask { for await report in reports { await self.take(report) } }
      group.addTask {
        let isFrozen = await self.isFrozen
        await self.parts.hands.watch(children: children, startsMissing: !isFrozen) {
          reporting.yield($0)
        }
      }
      group.addTask {
        await self.refill()
        await self.takeAll(ticks)
      }
      group.addTask { await self.probeServices() }
      group.addTask { await self.deliverMessages() }
      group.addTask { await self.keepScraping() }
      group.addTask { await self.sendRemotely() }
      group.addTask { await self.keepCloudSession() }
      group.addTask { await self.finishStarts() }
      group.addTask { await self.parts.samples?.run() }
      group.addTask {
        await withDiscardingTaskGroup { workers in
          for await item in self.work { workers.addTask { await self.carryOut(item) } }
        }
      }
    }
  }

  /// Tells the monitor that it has its memory back; the children that may still run.
  private func begin() -> [ChildRecord] {
    deliver(.started(startReport))
    // The kill switch is known before anything is decided.
    deliver(.host(hostFacts))
    return children
  }

  private func take(_ report: HandsReport) {
    switch report {
    case .observed(let observation): deliver(.observed(observation))
    case .childStarted(let child): remember(child)
    case .members(let members): parts.noteMembers(members)
    }
  }

  private nonisolated func carryOut(_ item: Work) async {
    switch item {
    case .run(let request, let planHash):
      // G26, right before the step, whoever carries it out: it was decided some time ago.
      if let reason = await frozenReason {
        let refusal = Refusal(.killSwitch, code: "frozen_meanwhile", reason)
        await deliver(
          .stepFinished(
            attempt: request.attempt.id, StepResult(status: .refused(refusal), summary: reason)))
        return
      }
      if case .http(let action) = request.step {
        let result = await parts.notifiers.perform(action)
        await deliver(.stepFinished(attempt: request.attempt.id, result))
        return
      }
      if case .cloud(let action) = request.step {
        let result = await parts.notifiers.perform(action, request)
        await deliver(.stepFinished(attempt: request.attempt.id, result))
        if result.status == .unknown, NotifierFactory.owesStart(request.attempt, request.step) {
          await parts.notifiers.finishStart(of: request.attempt.target)
        }
        return
      }
      let result = await parts.hands.perform(
        StepOrder(
          attempt: request.attempt.id, fence: request.attempt.fence, plan: request.attempt.plan,
          planHash: planHash, rung: request.attempt.rung, target: request.attempt.target,
          alert: request.alert))
      await deliver(.stepFinished(attempt: request.attempt.id, result))
    case .prepare(let request, let planHash):
      let report = await parts.hands.prepare(
        PreparationOrder(
          evidence: request.evidence, plan: request.plan, planHash: planHash,
          rung: request.rung))
      await keep(report.evidence, of: request.evidence.incident)
      let outside = await parts.notifiers.prepare(
        step(of: request), target: request.evidence.target)
      let evidence = [report.evidence.summary, outside.evidence].filter { !$0.isEmpty }
      await deliver(
        .prepared(
          attempt: request.attempt,
          Preparation(
            refusals: report.refusals + outside.refusals,
            evidence: evidence.joined(separator: "; "))))
    case .collectEvidence(let request):
      let report = await parts.hands.collectEvidence(request)
      await keep(report, of: request.incident)
      await deliver(
        .evidenceCollected(incident: request.incident, summary: report.summary))
    case .probe(let service, let timeout):
      await probe(service, timeout: timeout)
    case .refresh(let post): await carryOut(post)
    }
  }

  /// The step that a preparation is for.
  private func step(of request: PreparationRequest) -> Step? {
    step(of: request.plan, at: request.rung)
  }

  private func step(of plan: String, at rung: Int) -> Step? {
    let steps = configuration.allPlans[plan]?.steps ?? []
    return steps.indices.contains(rung) ? steps[rung] : nil
  }

  /// Servers that an agent of before had stopped when it ended: its steps are verified and not run
  /// again, but a server that it left stopped is started.
  private nonisolated func finishStarts() async {
    let owed = await stopped
    await withDiscardingTaskGroup { group in
      for target in owed {
        group.addTask { await self.parts.notifiers.finishStart(of: target) }
      }
    }
  }

  /// Targets of steps under way or under verification that may have been left stopped.
  private var stopped: Set<Target> {
    let attempts = turn.monitor.state.openIncidents.compactMap(\.ladder?.current)
    return Set(
      attempts.filter { NotifierFactory.owesStart($0, step(of: $0.plan, at: $0.rung)) }
        .map(\.target))
  }

  /// One loop a service; a service that answers slowly delays nobody.
  private nonisolated func probeServices() async {
    while !Task.isCancelled {
      let generation = await configurationGeneration
      let services = await configuration.services.filter { $0.probe != nil }
      await withTaskGroup { group in
        for service in services { group.addTask { await self.keepProbing(service) } }
        group.addTask { await self.waitForReload(after: generation) }
        await group.next()
        group.cancelAll()
      }
    }
  }

  private nonisolated func keepProbing(_ service: Service) async {
    guard let probe = service.probe else { return }
    let clock = ContinuousClock()
    // Spread over the interval, so that a hundred probes do not leave in one burst.
    let spread = Double(service.name.utf8.reduce(7) { ($0 &* 31 &+ Int($1)) & 0xffff }) / 65536
    var next = clock.now + probe.interval * spread
    while !Task.isCancelled {
      // Cancellation ends the loop; the sleep itself has nothing else to report.
      try? await clock.sleep(until: next, tolerance: .milliseconds(10))
      if Task.isCancelled { return }
      let factor = await probeTimeoutFactor
      await self.probe(service, timeout: probe.timeout * factor)
      next = max(next + probe.interval, clock.now)
    }
  }

  private nonisolated func probe(_ service: Service, timeout: Duration) async {
    guard let probe = service.probe, await isProbed(service.name) else { return }
    let started = parts.clock()
    let (outcome, ticks) = await ask(probe, of: service.name, timeout: timeout)
    if Task.isCancelled { return }
    let ended = parts.clock()
    await deliver(
      .probed(
        ProbeResult(
          service: service.name, outcome: outcome, started: started,
          duration: ended.elapsed(since: started), cpuTicksUsed: ticks)))
  }

  private enum Seen: Sendable {
    case answer(ProbeResult.Outcome)
    case cpuTime(Duration?, at: Moment)
  }

  /// Asks once, and looks at what the service does meanwhile only when its answer is late: a look
  /// costs more than the question.
  private nonisolated func ask(
    _ probe: Probe, of service: String, timeout: Duration
  ) async -> (ProbeResult.Outcome, cpuTicks: UInt64?) {
    await withTaskGroup(of: Seen.self) { group in
      group.addTask { .answer(await self.parts.prober.probe(probe, timeout: timeout)) }
      group.addTask {
        // try?: cancelled, the answer was there first, and the look is not needed.
        try? await Task.sleep(for: min(Agent.lateAnswer, timeout / 4))
        guard !Task.isCancelled else { return .cpuTime(nil, at: self.parts.clock()) }
        return .cpuTime(await self.parts.hands.cpuTime(of: service), at: self.parts.clock())
      }
      var before: (used: Duration?, at: Moment)?
      for await seen in group {
        switch seen {
        case .cpuTime(let used, let moment): before = (used, moment)
        case .answer(let outcome):
          group.cancelAll()
          guard outcome == .timeout, let before, let used = before.used,
            let now = await self.parts.hands.cpuTime(of: service)
          else { return (outcome, nil) }
          let window = self.parts.clock().elapsed(since: before.at)
          return (outcome, Agent.ticks(now - used, in: window))
        }
      }
      return (.unknown("nobody asked"), nil)
    }
  }

  private static let lateAnswer: Duration = .milliseconds(100)

  /// CPU time in ticks of 1/100 s: 0 when it is no more than the housekeeping of an idle program,
  /// half a percent of the time; nil when it went backwards, because a worker has ended.
  static func ticks(_ used: Duration, in window: Duration) -> UInt64? {
    guard used >= .zero else { return nil }
    if used <= max(.milliseconds(1), window / 200) { return 0 }
    return max(1, UInt64(used / .milliseconds(10)))
  }

  var isFrozen: Bool { frozenReason != nil }

  /// By command or by the file, which is looked at now and not only once a turn.
  private var frozenReason: String? {
    if let reason = turn.monitor.frozenReason { return reason }
    return parts.facts().killSwitch ? "the kill switch file exists" : nil
  }

  /// G20: under pressure, answers get more time.
  private var probeTimeoutFactor: Int {
    turn.monitor.isUnderPressure ? configuration.guardRails.pressureTimeoutFactor : 1
  }

  /// Only what runs is asked; a dead process is seen by its death.
  private func isProbed(_ service: String) -> Bool {
    if case .running = turn.monitor.health[service]?.condition { true } else { false }
  }
}
