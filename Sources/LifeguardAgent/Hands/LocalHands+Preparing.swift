import LifeguardCore
import LifeguardHost
import Synchronization

/// Evidence and preconditions.
extension LocalHands {
  public func prepare(_ order: PreparationOrder) async -> PreparationReport {
    async let evidence = collectEvidence(order.evidence)
    let (known, service) = knowledge.withLock { knowledge in
      (knowledge.plans[order.plan], order.evidence.service.flatMap { knowledge.services[$0] })
    }
    guard let plan = known, PlanHash.of(plan) == order.planHash,
      plan.steps.indices.contains(order.rung)
    else {
      let refusal = Refusal(
        .executor, code: "plan_changed",
        "plan \(order.plan) is not what it was when it was chosen")
      return PreparationReport(refusals: [refusal], evidence: await evidence)
    }
    var refusals: [Refusal] = []
    if plan.steps[order.rung].testsConfiguration, let test = service?.configTest,
      let refusal = await testConfiguration(test)
    {
      refusals.append(refusal)
    }
    for mount in plan.requiredMounts where !MountPoints.contains(mount) {
      refusals.append(
        Refusal(
          .precondition, code: "mount_missing",
          "\(mount) is not mounted; starting now would write to the wrong disk"))
    }
    return PreparationReport(refusals: refusals, evidence: await evidence)
  }

  /// G10: a configuration that its own program refuses would turn a restart into an outage.
  private func testConfiguration(_ arguments: [String]) async -> Refusal? {
    let result = await tools.runner.run(
      Command(arguments: arguments, timeout: .seconds(30), disruptive: false))
    if result.succeeded { return nil }
    // The first line says what is wrong and where, the last often only that something is.
    let lines = result.standardError.text.split(separator: "\n").prefix(2).joined(separator: "; ")
    let said = lines.isEmpty ? result.lastLine ?? "" : lines
    return Refusal(
      .precondition, code: "config_test_failed",
      "\(arguments.joined(separator: " ")): \(result.summary)"
        + (said.isEmpty ? "" : ": \(said.prefix(500))"))
  }

  public func collectEvidence(_ request: EvidenceRequest) async -> EvidenceReport {
    let service = request.service.flatMap { name in
      knowledge.withLock { $0.services[name] }
    }
    var unit: String?
    if case .unit(let name) = service?.handle { unit = name }
    if service == nil, request.target.kind == .unit { unit = request.target.name }
    let identity = request.service.flatMap { name in
      current.withLock { $0[name]?.identity }
    }
    let processes = identity.map { $0.pid > 0 ? [$0] : [] } ?? []
    let bundle = await tools.evidence.collect(
      EvidenceCollector.Subject(
        processes: processes, unit: unit, topProcesses: topProcesses), within: request.limit)
    let sections = bundle.sections.map { section in
      EvidenceReport.Section(
        title: section.name,
        text: section.text + (section.note.map { "\n(\($0))" } ?? ""))
    }
    return EvidenceReport(sections: sections, summary: summary(bundle))
  }

  /// The busiest process and what was missing, in one line.
  private func summary(_ bundle: EvidenceBundle) -> String {
    let collected = bundle.sections.filter { !$0.text.isEmpty }.count
    return "\(collected) of \(bundle.sections.count) sections in \(bundle.duration.text)"
      + EvidenceReport.busiest(in: bundle[EvidenceCollector.topProcesses]?.text ?? "")
  }
}
