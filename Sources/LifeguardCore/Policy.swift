/// What an operator has laid down: everything that a `Monitor` decides by, and never changes.
public struct Policy: Sendable {
  /// This host, for messages and for the label `instance`.
  public var host: String
  public var mode: Mode
  /// By `AlertRule.id`.
  public var rules: [String: AlertRule]
  public var plans: [String: Plan]
  public var recoveries: [RecoveryEntry]
  public var services: [String: Service]
  public var routes: [Route]
  public var receivers: [String: Receiver]
  public var externalLabels: Labels
  /// What templates call `$externalURL`; empty when the agent is not known under any.
  public var externalURL = ""
  public var guardRails: GuardRailSettings
  /// Default of `Route.repeatInterval`.
  public var repeatInterval: Duration = .seconds(4 * 3600)

  public init(
    host: String, mode: Mode = .observe, rules: [AlertRule] = [], plans: [String: Plan] = [:],
    recoveries: [RecoveryEntry] = [], services: [Service] = [], routes: [Route] = [],
    receivers: [String: Receiver] = [:], externalLabels: Labels = Labels(),
    guardRails: GuardRailSettings = GuardRailSettings()
  ) {
    self.host = host
    self.mode = mode
    self.rules = Dictionary(rules.map { ($0.id, $0) }) { _, last in last }
    self.plans = plans
    self.recoveries = recoveries
    self.services = Dictionary(services.map { ($0.name, $0) }) { _, last in last }
    self.routes = routes
    self.receivers = receivers
    self.externalLabels = externalLabels
    self.guardRails = guardRails
  }

  /// The service behind a target, whichever way it is named.
  public func service(of target: Target) -> Service? {
    switch target.kind {
    case .service: services[target.name]
    case .unit: services.values.first { $0.target == whole(target) }
    case .process, .mount, .host, .instance, .asg: nil
    }
  }

  /// One name for one thing: a service's target is its unit, when it has one, and a unit is called
  /// by its whole name.
  public func canonical(_ target: Target) -> Target {
    service(of: target)?.target ?? whole(target)
  }

  private func whole(_ target: Target) -> Target {
    guard target.kind == .unit, let name = UnitName.canonical(target.name) else { return target }
    return Target(.unit, name)
  }

  /// Whether actions on the two targets exclude each other (G2): the wider one excludes the
  /// narrower, and a mount excludes what needs it.
  public func conflict(_ one: Target, _ other: Target) -> Bool {
    if one == other || one.kind == .host || other.kind == .host { return true }
    // Which instances a group has is not known here: any may be one of them.
    if Set([one.kind, other.kind]) == [.asg, .instance] { return true }
    return needs(one, other) || needs(other, one)
  }

  private func needs(_ target: Target, _ mount: Target) -> Bool {
    guard mount.kind == .mount else { return false }
    return plans.values.contains { plan in
      guard plan.requiredMounts.contains(mount.name) else { return false }
      return plan.target.flatMap { Target($0.text) }.map(canonical) == target
    }
  }

  /// The services that need `service`, directly.
  public func dependants(of service: String) -> [Service] {
    services.values.filter { $0.dependsOn.contains(service) }.sorted { $0.name < $1.name }
  }
}
