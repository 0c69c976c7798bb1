/// One rung about to be used, as the guard rails see it.
public struct ActionRequest: Sendable {
  public var incident: Incident
  public var ladder: Ladder
  public var plan: Plan
  public var step: Step
  public var alert: Alert
  public var target: Target
  /// The service behind the target, and what is wrong with it.
  public var service: Service?
  public var fault: ServiceFault?

  /// Names the rung for cool-downs: rule, target, rung (G3).
  static func cooldownKey(rule: String, target: Target, rung: Int) -> String {
    "\(rule)|\(target)|\(rung)"
  }

  /// Names what a breaker stands before: plan, target (G7).
  static func breakerKey(plan: String, target: Target) -> String { "\(plan)|\(target)" }

  var cooldownKey: String {
    Self.cooldownKey(rule: alert.key.rule, target: target, rung: ladder.rung)
  }
  var breakerKey: String { Self.breakerKey(plan: plan.name, target: target) }
  /// Names the place on the ladder that is kept for the next incident of the same kind (G9).
  var positionKey: String { "\(plan.name)|\(target)|\(fault?.rawValue ?? alert.name)" }
  var targetBudgetKey: String { "target|\(target)" }
  var actionBudgetKey: String { "action|\(step.name)" }
  var rebootBudgetKey: String { "reboot|\(target)" }

  /// What a use is counted under (G4).
  var budgetKeys: [String] {
    guard step.harm.isCounted else { return [] }
    return [targetBudgetKey, actionBudgetKey] + (step.harm.isReboot ? [rebootBudgetKey] : [])
  }

  /// A dead child of our own is started again in every mode: it serves nothing, and starting it is
  /// what `command:` asks for.
  var isRespawn: Bool { step == .start && service?.handle.isSupervised == true }
}
