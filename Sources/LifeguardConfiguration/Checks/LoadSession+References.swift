import LifeguardCore

extension LoadSession {
  /// The checks that need everything to be known, and the pieces that nobody has to write.
  func finish() {
    addDefaultReceiver()
    checkPlanUses()
    checkReceiverUses()
    checkServiceUses()
    checkDependencies()
    checkScriptTargets()
    checkProtectedUnits()
  }

  /// `log` is always there; without routes every receiver is told, and what no route takes goes to
  /// the log.
  private func addDefaultReceiver() {
    let own = configuration.receivers.keys.sorted()
    if configuration.receivers["log"] == nil {
      configuration.receivers["log"] = BuiltInPlans.logReceiver
    }
    if configuration.routes.isEmpty {
      configuration.routes = [Route(matchers: [], receivers: own.isEmpty ? ["log"] : own)]
    } else if configuration.routes.allSatisfy({ !$0.matchers.isEmpty || $0.continues }) {
      configuration.routes.append(Route(matchers: [], receivers: ["log"]))
    }
  }

  private func checkPlanUses() {
    let names = configuration.plans.keys.filter { !$0.hasPrefix("service:") }.sorted()
    var usedPlans: [String: Bool] = [:]
    for use in planUses {
      usedPlans[use.plan] = usedPlans[use.plan] ?? true && use.namesService
      guard configuration.plans[use.plan] == nil, planLocations[use.plan] == nil else { continue }
      log.error(
        use.location,
        "no plan is named \(quoted(use.plan))"
          + (names.isEmpty
            ? "; write it under plans"
            : suggestion(for: use.plan, among: names, listing: "there are")))
    }
    for (name, location) in planLocations {
      guard let plan = configuration.plans[name] else { continue }
      if usedPlans[name] == nil {
        log.warning(
          location, "plan \(quoted(name)) answers no alert; name it in recoveries or recover")
      }
      checkTarget(of: plan, namesService: usedPlans[name] ?? true)
    }
  }

  private func checkReceiverUses() {
    let names = configuration.receivers.keys.sorted()
    for (name, location) in receiverUses where configuration.receivers[name] == nil {
      log.error(
        location,
        "no receiver is named \(quoted(name))"
          + suggestion(for: name, among: names, listing: "there are"))
    }
  }

  private func checkServiceUses() {
    let names = serviceNames.sorted()
    for (name, location) in serviceUses where !names.contains(name) {
      log.error(
        location,
        "no service is named \(quoted(name))"
          + (names.isEmpty
            ? "; write it under services"
            : suggestion(for: name, among: names, listing: "there are")))
    }
  }

  /// No dependency leads back to where it began.
  private func checkDependencies() {
    let services = configuration.services
    let edges = Dictionary(services.map { ($0.name, $0.dependsOn) }) { first, _ in first }
    var state: [String: Bool] = [:]
    for service in services where state[service.name] == nil {
      guard let cycle = findCycle(from: service.name, edges: edges, done: &state) else { continue }
      let place = services.first { $0.name == cycle.first }
      log.error(
        place?.location,
        "services depend on each other in a circle: \(cycle.joined(separator: " → "));"
          + " remove one of these depends_on")
    }
  }

  /// The first circle that can be reached, by walking depth-first without recursion: the list of
  /// services can be long.
  private func findCycle(
    from start: String, edges: [String: [String]], done: inout [String: Bool]
  ) -> [String]? {
    var path: [(name: String, next: Int)] = [(start, 0)]
    done[start] = false
    while let last = path.last {
      let dependencies = edges[last.name] ?? []
      guard last.next < dependencies.count else {
        done[last.name] = true
        path.removeLast()
        continue
      }
      path[path.count - 1].next += 1
      let next = dependencies[last.next]
      if let first = path.firstIndex(where: { $0.name == next }) {
        for node in path { done[node.name] = true }
        return path[first...].map(\.name) + [next]
      }
      if done[next] == nil, edges[next] != nil {
        done[next] = false
        path.append((next, 0))
      }
    }
    return nil
  }

  /// Steps that steer a process cannot act on a mount point or on the whole host.
  private func checkScriptTargets() {
    for plan in allPlans {
      guard let text = plan.target?.text, !text.contains("{{"), let target = Target(text),
        ![.service, .unit, .process].contains(target.kind)
      else { continue }
      for step in plan.steps {
        switch step {
        case .run, .http, .cloud, .page: continue
        case .reload, .nudge, .start, .stop, .restart, .stopCleanStart, .signal:
          log.error(
            plan.location,
            "step \(quoted(step.name)) acts on a service, unit or process, not on \(quoted(text));"
              + " write target: service:NAME")
        }
      }
    }
  }

  /// Named plans, and those written in place.
  var allPlans: [Plan] {
    let inRules = configuration.rules.compactMap { inlinePlan($0.recovery) }
    let inServices = configuration.services.compactMap { inlinePlan($0.plan) }
    return configuration.plans.values + inRules + inServices
  }

  private func inlinePlan(_ choice: RecoveryChoice?) -> Plan? {
    if case .inline(let plan) = choice { plan } else { nil }
  }
}
