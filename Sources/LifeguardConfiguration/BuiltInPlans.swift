import LifeguardCore

/// Plans that nobody has to write.
public enum BuiltInPlans {
  /// What the plan of a `services:` entry is called; no plan of the user's can have this name.
  public static func name(forService service: String) -> String { "service:\(service)" }

  /// The ladder that a `services:` entry brings: start what is down, continue what is stopped,
  /// then restart, then stop, clean and start, then a person.
  ///
  /// Its three counted rungs fit into the default limit of 3 in 15 min. Starting comes first
  /// because it harms nothing that is down; nudging a process that is gone is skipped. Rungs that
  /// are never used on a unit (`UnitProtection`) are left out.
  public static func ladder(for service: Service, alertsPass: Bool) -> Plan {
    let steps: [Step] = [.start, .nudge, .restart, .stopCleanStart, .page(receiver: nil)]
    let target = service.target
    return Plan(
      name: name(forService: service.name), target: targetTemplate(service.name),
      steps: steps.filter {
        target.kind != .unit
          || UnitProtection.refusal(of: $0, on: target.name, alertsPass: alertsPass) == nil
      },
      mode: service.mode, location: service.location)
  }

  private static func targetTemplate(_ name: String) -> Template? {
    // A service's name holds no braces, so that this cannot fail; nil means the same service.
    do { return try Template(parsing: "service:\(name)") } catch { return nil }
  }

  /// The receiver that is always there: the agent's own log.
  public static var logReceiver: Receiver { Receiver(name: "log", channels: [.log]) }
}
