import LifeguardCore

extension LoadSession {
  /// Steps that are never taken on the unit that they would be taken on (G15); where the target
  /// comes from labels, it is looked at when it is known.
  func checkProtectedUnits() {
    for plan in allPlans {
      guard let text = plan.target?.text, !text.contains("{{"), let target = Target(text) else {
        continue
      }
      check(plan, on: target.kind == .service ? unit(ofService: target.name) : unit(target))
    }
    for service in configuration.services {
      guard case .plan(let name) = service.plan, let plan = configuration.plans[name],
        plan.target == nil
      else { continue }
      check(plan, on: unit(ofService: service.name))
    }
  }

  private func unit(_ target: Target) -> String? {
    target.kind == .unit ? target.name : nil
  }

  private func unit(ofService name: String) -> String? {
    configuration.services.first { $0.name == name }.flatMap { unit($0.target) }
  }

  private func check(_ plan: Plan, on unit: String?) {
    guard let unit else { return }
    for step in plan.steps {
      guard
        let refusal = UnitProtection.refusal(
          of: step, on: unit, alertsPass: configuration.mailsThroughThisHost)
      else { continue }
      log.error(plan.location, "step \(quoted(step.name)) is refused: \(refusal)")
    }
  }
}

extension Configuration {
  /// Whether alerts leave by a mail server on this host, which belongs to the alerting path then.
  public var mailsThroughThisHost: Bool {
    receivers.values.flatMap(\.channels).contains { channel in
      guard case .email(let email) = channel else { return false }
      return Address(host: email.host, port: email.port).isLoopback
    }
  }
}
