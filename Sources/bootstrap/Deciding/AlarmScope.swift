import LifeguardAWS
import LifeguardCore

/// Which alarms are the function's affair: an account has many that are answered by others, such as
/// those that scale a group by a target, which are in ALARM whenever there is little to do.
struct AlarmScope: Sendable {
  private let home: ARN?
  /// Of the function, without a version or an alias.
  private let function: String
  /// Prefixes of names, and ARNs that alarms act on.
  private let others: [String]

  /// - Parameter function: the ARN that was invoked.
  init(function: String, others: [String]) {
    home = ARN(function)
    let parts = function.split(separator: ":", omittingEmptySubsequences: false).prefix(7)
    self.function = parts.joined(separator: ":")
    self.others = others
  }

  /// Whether an alarm, by its series' labels, belongs to the function's region and account: others
  /// cannot be looked at, and are left as they are.
  func isHome(_ labels: Labels) -> Bool {
    guard let home else { return true }
    return labels["region"] == home.region && labels["account"] == home.account
  }

  /// Whether an alarm invokes this function, or was named to it.
  func isOurs(_ name: String, _ actions: AlarmActions) -> Bool {
    guard !name.hasPrefix(CloudHands.recoveryAlarmPrefix) else { return false }
    return others.contains { other in
      other.hasPrefix("arn:") ? actions.alarm.contains(other) : name.hasPrefix(other)
    }
      || actions.alarm.contains { action in
        !function.isEmpty && (action == function || action.hasPrefix(function + ":"))
      }
  }
}
