import LifeguardConfiguration
import LifeguardCore

extension Policy {
  /// What a configuration means for the monitor.
  public init(_ configuration: Configuration, host: String) {
    let grouped = configuration.ruleGroups.flatMap(\.rules).compactMap { rule -> AlertRule? in
      if case .alert(let rule) = rule { rule } else { nil }
    }
    self.init(
      host: host, mode: configuration.mode, rules: configuration.rules + grouped,
      plans: configuration.allPlans, recoveries: configuration.recoveries,
      services: configuration.services, routes: configuration.routes,
      receivers: configuration.receivers,
      externalLabels: Labels(
        configuration.externalLabels.map { Label(name: $0.key, value: $0.value) }),
      guardRails: configuration.guardRails)
  }
}
