import Glibc
import TestSupport
import Testing

@Suite(.enabled(if: Requirement.systemdBox.isMet, "\(Requirement.systemdBox.reason)"))
struct SystemdBoxTests {
  @Test(.timeLimit(.minutes(2)))
  func `a unit started in a box is restarted there by its own systemd`() async throws {
    let box = try await SystemdBox.up()
    try await box.install(
      unit: "web.service",
      """
      [Service]
      ExecStart=/bin/sleep 1000
      Restart=always
      RestartSec=100ms
      """)
    try await box.require(["systemctl", "start", "web"])
    let first = try await mainPID(box)
    try await box.require(["systemctl", "kill", "-s", "KILL", "web"])
    #expect(
      await eventually {
        let now = try await mainPID(box)
        return now != "0" && now != first
      })
    try await box.down()
    #expect(!TextFile.exists(box.folder))
  }

  @Test(.timeLimit(.minutes(2)))
  func `boxes side by side share nothing`() async throws {
    async let first = SystemdBox.up()
    async let second = SystemdBox.up()
    let (one, two) = try await (first, second)
    try await one.write("one", to: "/etc/only-here")
    #expect(try await one.read("/etc/only-here") == "one")
    #expect(try await !two.run(["test", "-e", "/etc/only-here"]).succeeded)
    #expect(!TextFile.exists("/etc/only-here"))
    try await one.down()
    try await one.down()
    #expect(try await two.run(["true"]).succeeded)
    try await two.down()
  }

  @Test(.timeLimit(.minutes(2)))
  func `what runs inside ends with the box`() async throws {
    let box = try await SystemdBox.up()
    let inside = try box.start(["sh", "-c", "setsid sleep 1000 & echo ready; wait"])
    #expect(await eventually { inside.standardOutput.contains("ready") })
    try await box.down()
    #expect(await inside.waitForEnd(within: .seconds(10)) != nil)
    inside.kill()
  }

  private func mainPID(_ box: SystemdBox) async throws -> String {
    let text = try await box.require(["systemctl", "show", "-P", "MainPID", "web"])
    return String(text.split(separator: "\n").first ?? "")
  }
}

/// The unit that is shipped, as systemd reads it.
@Suite(.enabled(if: Requirement.systemdBox.isMet, "\(Requirement.systemdBox.reason)"))
struct UnitFileTests {
  @Test(.timeLimit(.minutes(2)))
  func `the shipped unit is accepted by systemd without a remark`() async throws {
    let box = try await SystemdBox.up()
    let command = try #require(Requirement.locate("true"))
    try await box.installLifeguard(command, configuration: "mode: observe\n")
    let verified = try await box.run(["systemd-analyze", "verify", "lifeguard.service"])
    #expect(verified.succeeded, "\(verified)")
    #expect(verified.standardError == "")
    let user = try await box.run(["id", "-u", "lifeguard"])
    #expect(user.succeeded)
    #expect(user.standardOutput != "0\n")
    let settings = try await box.require(
      ["systemctl", "show", "lifeguard", "-p", "KillMode,Delegate,Restart"])
    let lines = Set(settings.split(separator: "\n"))
    #expect(lines == ["KillMode=process", "Delegate=yes", "Restart=always"])
    try await box.down()
  }
}
