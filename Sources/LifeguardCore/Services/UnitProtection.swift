/// What is never done to a unit, whoever asks (G15).
///
/// - Nothing at all is done to what stands for many processes or for the whole host: slices,
///   scopes, targets (`poweroff.target` is one), the root mount, and Lifeguard's own unit.
/// - systemd's own units, the message bus, and the shell that an operator comes in by are only
///   helped up: they may be started, reloaded and continued, never stopped, restarted or killed.
public enum UnitProtection {
  /// Why this step is never taken on this unit; nil when it may be.
  ///
  /// - Parameters:
  ///   - unit: a whole name, as `UnitName` gives it.
  ///   - alertsPass: whether the host's own mail server carries the alerts; then it counts among
  ///     the units that are only helped up.
  public static func refusal(of step: Step, on unit: String, alertsPass: Bool) -> String? {
    guard steers(step) else { return nil }
    if isUntouchable(unit) {
      return "\(unit) stands for more than one service, or for Lifeguard itself, and is left alone"
    }
    guard isOnlyHelped(unit, alertsPass: alertsPass), !isHelp(step) else { return nil }
    return "\(unit) keeps this host within reach: it may be started, reloaded and nudged, never "
      + "stopped, restarted or killed"
  }

  private static func steers(_ step: Step) -> Bool {
    switch step {
    case .reload, .nudge, .start, .stop, .restart, .stopCleanStart, .signal: true
    case .run, .http, .cloud, .page: false
    }
  }

  private static func isHelp(_ step: Step) -> Bool {
    switch step {
    case .start, .reload, .nudge: true
    case .signal(let name): name == "CONT"
    case .stop, .restart, .stopCleanStart, .run, .http, .cloud, .page: false
    }
  }

  private static func isUntouchable(_ unit: String) -> Bool {
    if unit == "-.mount" || base(unit) == "lifeguard.service" || base(unit) == "user.service" {
      return true
    }
    return ["slice", "scope", "target"].contains { unit.hasSuffix(".\($0)") }
  }

  private static func isOnlyHelped(_ unit: String, alertsPass: Bool) -> Bool {
    let name = base(unit)
    if name.hasPrefix("systemd-") || reach.contains(name) { return true }
    return alertsPass && mailServers.contains(name)
  }

  private static let reach: Set<String> = [
    "dbus.service", "dbus.socket", "dbus-broker.service", "messagebus.service", "ssh.service",
    "ssh.socket", "sshd.service", "sshd.socket", "sshd-unix-local.socket",
  ]

  private static let mailServers: Set<String> = [
    "postfix.service", "exim4.service", "exim.service", "sendmail.service", "opensmtpd.service",
    "smtpd.service", "nullmailer.service", "msmtpd.service",
  ]

  /// An instance is as protected as its template: `sshd@1-….service` is `sshd.service`.
  private static func base(_ unit: String) -> String {
    guard let at = unit.firstIndex(of: "@"), let dot = unit.lastIndex(of: "."), at < dot else {
      return unit
    }
    return String(unit[..<at] + unit[dot...])
  }
}
