import LifeguardCore
import Testing

@Suite struct UnitProtectionTests {
  private static let steering: [Step] = [
    .start, .reload, .nudge, .restart, .stop, .stopCleanStart, .signal("TERM"), .signal("CONT"),
  ]

  private func allowed(_ unit: String, alertsPass: Bool = false) -> [Step] {
    Self.steering.filter {
      UnitProtection.refusal(of: $0, on: unit, alertsPass: alertsPass) == nil
    }
  }

  @Test(arguments: [
    "user.slice", "session-1.scope", "init.scope", "poweroff.target", "multi-user.target",
    "-.mount", "lifeguard.service", "user@1000.service",
  ])
  func `what stands for many, and lifeguard itself, is left alone`(_ unit: String) {
    #expect(allowed(unit) == [])
  }

  @Test(arguments: [
    "dbus.service", "ssh.service", "sshd.service", "sshd@7.service", "systemd-journald.service",
    "systemd-networkd.socket",
  ])
  func `what keeps the host within reach is helped up and never put down`(_ unit: String) {
    #expect(allowed(unit) == [.start, .reload, .nudge, .signal("CONT")])
  }

  @Test func `the mail server is protected while alerts pass through it`() {
    #expect(allowed("postfix.service") == Self.steering)
    #expect(allowed("postfix.service", alertsPass: true).count == 4)
    #expect(allowed("nginx.service", alertsPass: true) == Self.steering)
  }

  @Test func `what is no steering of the unit is not its business`() {
    #expect(
      UnitProtection.refusal(
        of: .run(Command(arguments: ["/opt/fix"])), on: "dbus.service", alertsPass: true) == nil)
    #expect(
      UnitProtection.refusal(of: .page(receiver: nil), on: "dbus.service", alertsPass: true) == nil)
  }
}
