import LifeguardCore
import LifeguardHost
import Synchronization

/// Carries steps out.
extension LocalHands {
  public func perform(_ order: StepOrder) async -> StepResult {
    if isStopped() {
      return refused(.killSwitch, "kill_switch_file", "the kill switch file exists")
    }
    if order.target.kind == .unit, UnitName.canonical(order.target.name) != order.target.name {
      return refused(
        .targets, "no_unit_name",
        "\(order.target.name.debugDescription) is not the whole name of one unit")
    }
    let (known, services) = knowledge.withLock { ($0.plans[order.plan], $0.services) }
    guard let plan = known, PlanHash.of(plan) == order.planHash,
      plan.steps.indices.contains(order.rung)
    else {
      return refused(
        .executor, "plan_changed", "plan \(order.plan) is not what it was when it was chosen")
    }
    guard expectedTarget(of: plan, order, services) == order.target else {
      return refused(
        .targets, "foreign_target", "plan \(order.plan) does not act on \(order.target)")
    }
    guard claim(order) else {
      return refused(
        .oneInFlight, "stale_order",
        "attempt \(order.attempt) on \(order.target) is not newer than the last one (number "
          + "\(order.fence)): nothing is done twice")
    }
    // Two scripts must not be at work on one thing.
    for run in leftovers where run.subject == order.target.description && run.isRunning {
      await run.end(on: tools.reactor)
    }
    let step = plan.steps[order.rung]
    let service = services.values.first { $0.target == order.target }
    switch step {
    case .run(let command): return await run(command, order)
    case .page, .http, .cloud:
      return refused(.executor, "not_for_hands", "\(step.name) is not done by the acting side")
    case .reload, .nudge, .start, .stop, .restart, .stopCleanStart, .signal:
      return await steer(step, order, service)
    }
  }

  /// G2: whether this order is newer than every other on its target; then it is the newest now.
  private func claim(_ order: StepOrder) -> Bool {
    fences.withLock { fences in
      guard order.fence > fences[order.target, default: 0] else { return false }
      fences[order.target] = order.fence
      return true
    }
  }

  /// What the plan as it is written here says about its target, whoever asks.
  private func expectedTarget(
    of plan: Plan, _ order: StepOrder, _ services: [String: Service]
  ) -> Target? {
    // `Target` itself completes a unit's name.
    func canonical(_ target: Target) -> Target {
      target.kind == .service ? services[target.name]?.target ?? target : target
    }
    guard let template = plan.target else {
      let service = order.alert.labels["service"].flatMap { services[$0] }
      return service?.target ?? .host
    }
    let context = TemplateContext(
      labels: order.alert.labels, value: order.alert.value,
      externalLabels: knowledge.withLock { $0.externalLabels })
    return Target(template.render(context)).map(canonical)
  }

  private func steer(
    _ step: Step, _ order: StepOrder, _ service: Service?
  ) async -> StepResult {
    guard let verb = ServiceVerb(step) else {
      return refused(.executor, "unknown_signal", "\(step.summary) is not known here")
    }
    let control: (any ServiceControl)?
    let (signals, alertsPass) = knowledge.withLock { ($0.signals, $0.alertsPass) }
    if order.target.kind == .unit,
      let why = neverDone(step, order.target.name, signals, alertsPass: alertsPass)
    {
      return refused(.neverList, "never_list", why)
    }
    if let service {
      control = self.control(of: service.name)
    } else if order.target.kind == .unit {
      control = unitControl(order.target.name, signals)
    } else {
      control = nil
    }
    guard let control else {
      return refused(
        .targets, "empty_target", "\(order.target) is nothing that can be \(step.name)ed here")
    }
    if let refusal = await intent(control, step, order.target) {
      return StepResult(status: .refused(refusal), summary: refusal.sentence)
    }
    let outcome = await control.performTimed(verb, within: step.timeout)
    if let service { await lookAgain(service, control) }
    let summary = "\(outcome.message) after \(outcome.duration.text)"
    switch outcome.result {
    case .done: return StepResult(status: .succeeded, summary: summary)
    case .failed, .unsupported: return StepResult(status: .failed, summary: summary)
    case .timedOut: return StepResult(status: .unknown, summary: summary)
    case .refused(let refusal) where refusal.reason == .tooManyTargets:
      return refused(.targets, refusal.reason.rawValue, refusal.message)
    case .refused(let refusal): return refused(.neverList, "never_list", refusal.message)
    }
  }

  /// G15 for units: what the loader has refused already where it could know the target.
  private func neverDone(
    _ step: Step, _ unit: String, _ signals: ProcessSignals, alertsPass: Bool
  ) -> String? {
    if unit == signals.ownUnit { return "\(unit) is lifeguard itself and is left alone" }
    return UnitProtection.refusal(of: step, on: unit, alertsPass: alertsPass)
  }

  /// G12, right before the step: what an operator stopped meanwhile stays stopped.
  private func intent(
    _ control: any ServiceControl, _ step: Step, _ target: Target
  ) async -> Refusal? {
    // A child of ours has no operator but us, and its start must not wait.
    if control is SupervisedControl { return nil }
    guard case .deliberatelyStopped(let how) = await control.state() else { return nil }
    return Refusal(
      .intent, code: "stopped_by_operator", "\(target) was stopped meanwhile: \(how)")
  }

  /// What a step did is seen at once, not at the next look.
  private func lookAgain(_ service: Service, _ control: any ServiceControl) async {
    if service.handle.isSupervised, let identity = supervisor.identity(of: service.name) {
      let condition = ServiceCondition.running(identity)
      let isNew = current.withLock { current in
        defer { current[service.name] = condition }
        return current[service.name]?.identity != identity
      }
      if isNew {
        reports.withLock { $0 }?(
          .childStarted(
            ChildRecord(service: service.name, identity: identity)))
      }
      reports.withLock { $0 }?(
        .observed(ServiceObservation(service: service.name, condition: condition)))
      return
    }
    current.withLock { $0[service.name] = nil }
    bell(of: service.name).ring()
  }

  /// The alert goes to a script as environment variables and as JSON on its standard input, never
  /// as part of a command line.
  private func run(_ command: Command, _ order: StepOrder) async -> StepResult {
    var options = CommandRunner.Options()
    options.environment = order.alert.environment(
      target: order.target, plan: order.plan, rung: order.rung, attempt: order.attempt)
    options.recordFolder = folder
    options.subject = order.target.description
    do {
      options.standardInput = try JSONCoder.encode(order.alert)
    } catch {
      return StepResult(status: .failed, summary: "the alert cannot be written as JSON: \(error)")
    }
    let result = await tools.runner.run(command, options: options)
    let line = result.lastLine.map { ": \($0)" } ?? ""
    let summary = "\(result.summary) after \(result.duration.text)\(line)"
    switch result.ending {
    case .exited(code: 0): return StepResult(status: .succeeded, summary: summary)
    case .cancelled: return StepResult(status: .unknown, summary: summary)
    case .exited, .signaled, .timedOut, .couldNotStart:
      return StepResult(status: .failed, summary: summary)
    }
  }

  func refused(_ rail: GuardRail, _ code: String, _ sentence: String) -> StepResult {
    StepResult(status: .refused(Refusal(rail, code: code, sentence)), summary: sentence)
  }
}
